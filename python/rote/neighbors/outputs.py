"""`out=`: buffers of the caller that a search writes into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from rote.neighbors.arrays import describe


def check_out(out: Any, queries: Any, num_queries: int, k: int, device: torch.device) -> None:
    """Raise unless `out` is a writable pair (float32 [Q, k], int64 [Q, k]) of the kind and the device of the queries.

    Any strides will do; buffers that lie densely row by row on the CPU are written without a copy.
    """
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(f"out must be a pair (distances, indices); got {describe(out)}")
    is_numpy = isinstance(queries, np.ndarray)
    kind = "numpy arrays, as queries is one" if is_numpy else "torch tensors"
    for position, (target, dtype) in enumerate(zip(out, ("float32", "int64"), strict=True)):
        name = f"out[{position}]"
        if not isinstance(target, np.ndarray if is_numpy else torch.Tensor):
            raise TypeError(f"{name}: out must be two {kind}; got {type(target).__name__}")
        if target.dtype != (np.dtype(dtype) if is_numpy else getattr(torch, dtype)):
            raise TypeError(f"{name} must be {dtype} of shape [Q, k]; got {describe(target)}")
        if tuple(target.shape) != (num_queries, k):
            raise ValueError(f"{name} must be {dtype} of shape [{num_queries}, {k}]; got {describe(target)}")
        if is_numpy and isinstance(target, np.ma.MaskedArray):
            raise TypeError(f"{name} must be a plain array; got a masked array, whose mask would be left as it is")
        if is_numpy and not target.flags.writeable:
            raise ValueError(f"{name} must be writable; got a read-only array")
        if not is_numpy and target.device != device:
            raise ValueError(f"{name} must be on {device}, where queries is; got {target.device}")


def writable_targets(
    out: tuple[Any, Any], inputs: Iterable[torch.Tensor | None]
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The buffers as tensors that the native search on the CPU may write into while it reads its inputs.

    None where the result must be copied after the search: strided or unaligned buffers, other devices, traced or fake
    tensors, and buffers that share memory with each other or with an input.
    """
    if torch.compiler.is_compiling():
        return None
    targets = []
    for target in out:
        if isinstance(target, np.ndarray):
            if not (target.flags.c_contiguous and target.flags.aligned):
                return None
            target = torch.from_numpy(target)
        if type(target) is not torch.Tensor or target.device.type != "cpu":
            return None
        if not target.is_contiguous() or target.is_neg():
            return None
        targets.append(target)
    inputs = [tensor for tensor in inputs if tensor is not None]
    if any(type(tensor) is not torch.Tensor for tensor in inputs):
        return None
    distances, indices = targets
    if any(_share_memory(target, other) for target in targets for other in inputs) or _share_memory(distances, indices):
        return None
    return distances, indices


def copy_to(out: tuple[Any, Any], result: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Write a finished result into the buffers, whatever their strides."""
    with torch.no_grad():
        for target, values in zip(out, result, strict=True):
            if isinstance(target, torch.Tensor):
                target.copy_(values)
            else:
                np.copyto(target, values.numpy())


def mark_written(out: tuple[Any, Any]) -> None:
    """Tell autograd and every `rote.Index` of these tensors that they changed behind torch's back."""
    for target in out:
        if isinstance(target, torch.Tensor) and not target.is_inference():
            torch.autograd.graph.increment_version(target)


def _share_memory(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether the extents of two tensors in memory overlap."""
    if a.numel() == 0 or b.numel() == 0:
        return False
    (a_begin, a_end), (b_begin, b_end) = _extent(a), _extent(b)
    return a_begin < b_end and b_begin < a_end


def _extent(tensor: torch.Tensor) -> tuple[int, int]:
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()
