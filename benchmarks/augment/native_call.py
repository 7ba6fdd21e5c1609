"""The native call and the bare operator behind a recipe: executors by name, and calls below the Python face."""

from __future__ import annotations

import torch

from rote import _native
from rote.augment import Recipe
from rote.ops import augment as ops
from rote.ops.library import DTYPE_CODES


def levels() -> list[str]:
    """The scalar executor, then every instruction set of this CPU but the best one."""
    compiled = _native.compiled_simd_levels()
    return ["scalar", *compiled[: compiled.index(_native.detected_simd_level())]]


def forced(level: str):
    """A `render` for views_forever that uses one executor, on torch's number of threads."""

    def render(recipe: Recipe, bank: torch.Tensor, ids: torch.Tensor, views: torch.Tensor, out: torch.Tensor):
        program = ops.native_program(recipe.program, bank.shape[1], tuple(bank.shape[2:]), tuple(out.shape[2:]))
        _native.augment_render(
            program,
            bank.data_ptr(),
            bank.stride(),
            len(bank),
            ids.data_ptr(),
            views.data_ptr(),
            0,
            len(ids),
            0,
            out.data_ptr(),
            DTYPE_CODES[out.dtype],
            out.stride(),
            torch.get_num_threads(),
            level,
        )

    return render


def bare_operator(recipe: Recipe, bank: torch.Tensor, ids: torch.Tensor, views: torch.Tensor, out: torch.Tensor):
    """The torch operator with its output given: no checks of arguments, no views of Python's."""
    torch.ops.rote.augment_render_out.default(bank, ids, views, None, recipe.program, 0, out)
