"""The caller's floating-point mode changes no bit: subnormals flushed to zero, other rounding modes.

The engine sets its own mode in every thread and puts the caller's back. Under test are rendering by every executor,
drawing parameters, and the tables that a program computes when it is made.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch

from rote.augment import ColorJitter, Normalize, RandomResizedCrop, Recipe
from rote.ops.augment import native_program

from . import million
from .conftest import make_addresses
from .forced import EXECUTORS, render_by
from .recipes_by_operation import BY_OPERATION, NAMED

#: fesetround's arguments: toward -inf, +inf and zero.
ROUNDING = {
    "x86_64": {"down": 0x400, "up": 0x800, "zero": 0xC00},
    "aarch64": {"up": 0x400000, "down": 0x800000, "zero": 0xC00000},
}.get(platform.machine(), {})

#: Divided by 1e38, pixels become subnormal float32 and bfloat16 numbers; divided by 1e5, subnormal float16 numbers.
RECIPES = {
    "subnormal float32": Recipe(ColorJitter(0.4, 0.4, 0.4, 0.1), Normalize(0.0, 2e38)),
    "subnormal float16": Recipe(RandomResizedCrop((0.3, 1.0)), Normalize(0.5, 1e5), size=20),
    **NAMED,
    **BY_OPERATION,
}


@pytest.fixture(scope="module")
def bank() -> torch.Tensor:
    return million.bank()


@contextmanager
def flushed() -> Iterator[Callable[[], bool]]:
    """torch.set_flush_denormal(True); gives a check that it still holds."""
    if not torch.set_flush_denormal(True):
        pytest.skip("this CPU cannot flush subnormals")
    try:
        yield lambda: float(torch.tensor([1e-38]) / 100) == 0.0
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def rounded(mode: str) -> Iterator[Callable[[], bool]]:
    """A rounding mode of the C library; gives a check that it still holds."""
    if mode not in ROUNDING:
        pytest.skip(f"no rounding modes known of {platform.machine()}")
    library = ctypes.CDLL(None)
    before = library.fegetround()
    assert library.fesetround(ROUNDING[mode]) == 0
    try:
        yield lambda: library.fegetround() == ROUNDING[mode]
    finally:
        library.fesetround(before)


def work(recipe: Recipe, bank: torch.Tensor, executor: str, dtype: torch.dtype, threads: int) -> list[torch.Tensor]:
    """Everything the engine computes for some views: tables, parameter rows, pixels."""
    native_program.cache_clear()  # programs made under another mode would hide what making them does
    ids, views = make_addresses(16)
    params = recipe.params(ids, views, seed=5, image_size=32)
    pixels = render_by(executor, recipe, bank, ids, views, seed=5, dtype=dtype, threads=threads)
    return [pixels, *params.values()]


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().view(torch.uint8)


@pytest.mark.parametrize("mode", ["flushed", *ROUNDING])
@pytest.mark.parametrize("name", RECIPES)
def test_the_mode_of_the_caller_changes_nothing(bank, name, mode):
    for executor in EXECUTORS:
        for dtype, threads in ((torch.float32, 1), (torch.float16, 2), (torch.bfloat16, 1)):
            expected = work(RECIPES[name], bank, executor, dtype, threads)
            with flushed() if mode == "flushed" else rounded(mode) as still_holds:
                found = work(RECIPES[name], bank, executor, dtype, threads)
                kept = still_holds()
            assert kept, "the caller's mode was lost"
            for a, b in zip(expected, found, strict=True):
                assert torch.equal(bits(a), bits(b)), (executor, dtype)


def test_subnormals_occur(bank):
    """Otherwise the test above could not fail."""
    ids, views = make_addresses(40)
    for name, dtype in (("float32", torch.float32), ("float32", torch.bfloat16), ("float16", torch.float16)):
        x = RECIPES[f"subnormal {name}"](bank, ids, views, dtype=dtype).double().abs()
        assert ((x > 0) & (x < torch.finfo(dtype).tiny)).double().mean() > 0.1


@pytest.mark.skipif(not ROUNDING, reason="no rounding modes known of this machine")
@pytest.mark.parametrize("mode", ["down", "up", "zero"])
def test_the_mode_matters_to_others(mode):
    """A third is rounded differently up and down by arithmetic that does not set its mode."""
    thirds = torch.tensor([1.0, -1.0, 2.0, -2.0])
    nearest = thirds / 3
    with rounded(mode):
        other = thirds / 3
    assert not torch.equal(nearest, other)
