"""Views by a forced executor, past the public call, which takes the best one."""

from __future__ import annotations

import torch

from rote import _native
from rote.augment import Recipe
from rote.ops.augment import native_program
from rote.ops.library import DTYPE_CODES

_COMPILED = _native.compiled_simd_levels()
#: The readable oracle, then every level of this CPU.
EXECUTORS = ("scalar", *_COMPILED[: _COMPILED.index(_native.detected_simd_level()) + 1])


def render_by(
    executor: str,
    recipe: Recipe,
    images: torch.Tensor,
    ids: torch.Tensor,
    views: torch.Tensor | None,
    seed: int = 0,
    *,
    rows: torch.Tensor | None = None,
    dtype: torch.dtype = torch.float32,
    channels_last: bool = False,
    threads: int = 1,
) -> torch.Tensor:
    """[n, C, h, w]: the views (ids[i], views[i]), or those of int32 parameter rows.

    Raises:
        AssertionError: another executor than the one asked for would do the work.
    """
    assert executor_of(executor) == executor
    size = recipe.output_size(tuple(images.shape[2:]))
    program = native_program(recipe.program, images.shape[1], tuple(images.shape[2:]), size)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    out = torch.empty(len(ids), images.shape[1], *size, dtype=dtype, memory_format=layout)
    _native.augment_render(
        program,
        images.data_ptr(),
        images.stride(),
        len(images),
        ids.data_ptr(),
        0 if views is None else views.data_ptr(),
        0 if rows is None else rows.data_ptr(),
        len(ids),
        seed,
        out.data_ptr(),
        DTYPE_CODES[dtype],
        out.stride(),
        threads,
        executor,
    )
    return out


def executor_of(level: str) -> str:
    """What the native core says it runs for a level."""
    report = getattr(_native, "augment_executor", None)
    return report(level) if report is not None else level
