"""Calls on plain CPU tensors, straight to the native core.

Dispatching an operator costs several times what rendering one small image costs. Where nobody watches or replaces
operators, such a call goes to a native job that was bound once for its geometry. Everything else, and every argument
that deserves an error, is left to the operators of `rote.ops.augment`, which give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rote import _native
from rote.augment import arguments
from rote.augment.interception import operators_are_plain
from rote.augment.operation import Size
from rote.ops.augment_arguments import native_program
from rote.ops.library import DTYPE_CODES

__all__ = ["DirectCalls"]

#: A run has a handful of geometries; where there are more, all are bound afresh.
MAX_BOUND = 64

# Looked up once: each dot costs as much as a test.
_increment_version = torch.autograd.graph.increment_version
_num_threads = torch.get_num_threads
_empty = torch.empty
_uint8, _int64, _dtype = torch.uint8, torch.int64, torch.dtype


class DirectCalls:
    """The direct calls of one recipe.

    Args:
        program: the recipe's operations as the native core reads them.
        output_size: from a bank uint8 [N, C, H, W] to the views' (h, w); raises ValueError where the recipe cannot
            render such images.
    """

    def __init__(self, program: str, output_size: Callable[[Tensor], Size]) -> None:
        self._program = program
        self._output_size = output_size
        self._bound: dict[tuple, tuple] = {}

    def render(
        self,
        images: Tensor,
        ids: Tensor,
        views: Tensor,
        seed: int,
        dtype: torch.dtype | None,
        channels_last: bool,
        out: Tensor | None,
        address_ids: Tensor | None,
    ) -> Tensor | None:
        """The views [B, C, h, w], or None where this is no plain call; arguments as in `Recipe.__call__`."""
        if not operators_are_plain() or type(seed) is not int or not 0 <= seed < 18446744073709551616:
            return None
        if not (type(images) is Tensor and images.dtype is _uint8 and images.is_cpu and not images.is_neg()):
            return None
        if not (_is_column(ids) and _is_column(views) and (address_ids is None or _is_column(address_ids))):
            return None
        batch = ids.shape
        if views.shape != batch or (address_ids is not None and address_ids.shape != batch):
            return None
        count = batch.numel()
        if count == 0 or len(batch) != 1 or not (dtype is None or type(dtype) is _dtype):
            return None
        key = (images.shape, images.stride(), dtype, channels_last)
        if out is not None:
            if type(out) is not Tensor or not out.is_cpu or out.requires_grad or out.is_neg():
                return None
            key = (*key, batch, out.dtype, out.shape, out.stride())
        job, shape, dtype, layout = self._bound.get(key) or self._bind(key, images, count, dtype, channels_last, out)
        if out is None:
            out = _empty(count, *shape, dtype=dtype, memory_format=layout)
        elif not out.is_inference():  # autograd notices that a saved input is rendered over
            _increment_version(out)
        job(
            images.data_ptr(),
            ids.data_ptr(),
            0 if address_ids is None else address_ids.data_ptr(),
            views.data_ptr(),
            count,
            seed,
            out.data_ptr(),
            _num_threads(),
        )
        return out

    def _bind(self, key, images, count, dtype, channels_last, out) -> tuple:
        """The native job of a geometry, once the geometry is one, and how its outputs are made."""
        arguments.images(images)
        channels, size = images.shape[1], self._output_size(images)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        if out is None:
            dtype = arguments.output_dtype(dtype)
            like = torch.empty((1, channels, *size), dtype=dtype, memory_format=layout)
        else:
            like = arguments.output(out, (count, channels, *size), images.device, dtype, channels_last)
        program = native_program(self._program, channels, tuple(images.shape[2:]), size)
        job = _native.BoundRender(program, images.stride(), images.shape[0], DTYPE_CODES[like.dtype], like.stride())
        if len(self._bound) >= MAX_BOUND:
            self._bound.clear()
        self._bound[key] = bound = (job, (channels, *size), dtype, layout)
        return bound


def _is_column(values: Tensor) -> bool:
    """Whether these are int64 numbers one after another in the CPU's memory."""
    return (
        type(values) is Tensor
        and values.dtype is _int64
        and values.is_cpu
        and values.is_contiguous()
        and not values.is_neg()
    )
