"""Checks of what a recipe is called with: each names the argument, what was wanted and what was given."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import torch

from rote.augment.interception import tensors_are_plain
from rote.augment.operation import Size
from rote.ops.augment_arguments import OUTPUT_DTYPES, signed64

__all__ = [
    "address",
    "addresses",
    "count",
    "from_numpy",
    "images",
    "may_read_values",
    "output",
    "output_dtype",
    "same_batch",
    "seed",
    "size",
]


def size(value: Any, name: str = "size") -> Size | None:
    """(H, W) of an int, a pair of ints or None."""
    if value is None:
        return None
    pair = (value, value) if isinstance(value, int) else tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(pair) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) for v in pair):
        raise TypeError(f"{name}: wanted an int or (H, W), got {value!r}")
    if min(pair) < 1:
        raise ValueError(f"{name}: wanted at least 1 x 1, got {pair[0]} x {pair[1]}")
    return pair


def seed(value: Any, name: str = "seed") -> int:
    """A seed in [0, 2^64) as the int64 of the same bits, which operators take."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer, torch.SymInt)):
        raise TypeError(f"{name}: wanted an int, got {type(value).__name__}")
    if not 0 <= value < 1 << 64:
        raise ValueError(f"{name}: wanted 0 <= {name} < 2^64, got {value}")
    return signed64(value)


def count(value: Any, name: str, most: int | None = None) -> int:
    """A number of things: an int of at least 1, and at most `most`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer, torch.SymInt)):
        raise TypeError(f"{name}: wanted an int, got {type(value).__name__}")
    if value < 1 or (most is not None and value > most):
        raise ValueError(f"{name}: wanted at least 1{'' if most is None else f' and at most {most}'}, got {value}")
    return value


def images(value: Any) -> torch.Tensor:
    """A bank uint8 [N, C, H, W]; a numpy array is shared, or copied where torch cannot hold its strides."""
    if isinstance(value, np.ndarray):
        value = from_numpy(value)
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"images: wanted a tensor uint8 [N, C, H, W], got {type(value).__name__}")
    if value.dtype != torch.uint8:
        raise TypeError(f"images: wanted uint8, got {value.dtype}")
    if value.ndim != 4 or value.shape[1] not in (1, 3) or 0 in value.shape[2:]:
        raise ValueError(f"images: wanted shape [N, C, H, W] with C 1 or 3 and H, W >= 1, got {list(value.shape)}")
    if value.device.type not in ("cpu", "cuda"):
        raise ValueError(f"images: wanted device cpu or cuda, got {value.device}")
    return value


def addresses(value: Any, name: str, max_ndim: int, length: str = "B") -> torch.Tensor:
    """int64 ids or views [B], or [B, V] where `max_ndim` is 2; errors call the length by the name given."""
    if isinstance(value, np.ndarray):
        value = from_numpy(value)
    shapes = f"[{length}]" if max_ndim == 1 else f"[{length}] or [{length}, V]"
    if not isinstance(value, torch.Tensor) or value.dtype != torch.int64:
        given = value.dtype if isinstance(value, torch.Tensor) else type(value).__name__
        raise TypeError(f"{name}: wanted a tensor int64 {shapes}, got {given}")
    if not 1 <= value.ndim <= max_ndim:
        raise ValueError(f"{name}: wanted shape {shapes}, got {list(value.shape)}")
    return value


def address(value: Any, name: str, bits: int = 48) -> int:
    """One id or view below 2^bits."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}: wanted an int, got {type(value).__name__}")
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{name}: wanted 0 <= {name} < 2^{bits}, got {value}")
    return int(value)


def same_batch(ids: torch.Tensor, other: torch.Tensor, name: str) -> None:
    if other.shape[0] != ids.shape[0]:
        raise ValueError(f"{name}: wanted {ids.shape[0]} rows as ids has, got {list(other.shape)}")
    if other.device != ids.device:
        raise ValueError(f"{name}: wanted device {ids.device} of ids, got {other.device}")


def output_dtype(dtype: torch.dtype | None) -> torch.dtype:
    if dtype is None:
        return torch.float32
    if dtype not in OUTPUT_DTYPES:
        raise TypeError(f"dtype: wanted torch.float32, torch.float16 or torch.bfloat16, got {dtype!r}")
    return dtype


def output(
    out: Any, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype | None, channels_last: bool
) -> torch.Tensor:
    """`out` as [n, C, h, w] of the same memory, once it fits everything else that was asked for."""
    if not isinstance(out, torch.Tensor):
        raise TypeError(f"out: wanted a tensor, got {type(out).__name__}")
    if out.dtype not in OUTPUT_DTYPES or (dtype is not None and dtype != out.dtype):
        raise TypeError(f"out: wanted {dtype or 'float32, float16 or bfloat16'}, got {out.dtype}")
    if tuple(out.shape) != shape:
        raise ValueError(f"out: wanted shape {list(shape)}, got {list(out.shape)}")
    if out.device != device:
        raise ValueError(f"out: wanted device {device} of the images, got {out.device}")
    if out.requires_grad:
        raise ValueError("out: wanted a tensor that does not require a gradient; detach it")
    if any(stride == 0 and length > 1 for stride, length in zip(out.stride(), shape, strict=True)):
        raise ValueError(f"out: wanted own memory for every pixel, got an expanded tensor of strides {out.stride()}")
    try:
        flat = out.view(-1, *shape[-3:]) if len(shape) == 5 and 0 not in shape else out.reshape(-1, *shape[-3:])
    except RuntimeError as error:
        raise ValueError(f"out: wanted batch and views mergeable without a copy, got strides {out.stride()}") from error
    if channels_last and not flat.is_contiguous(memory_format=torch.channels_last):
        raise ValueError(f"out: wanted channels-last memory, got strides {out.stride()}")
    return flat


def may_read_values(tensor: torch.Tensor) -> bool:
    """Whether there are values, and looking at them synchronizes no device, or ROTE_CHECK=1 asks for that."""
    return tensors_are_plain() and (tensor.device.type == "cpu" or os.environ.get("ROTE_CHECK") == "1")


def from_numpy(array: np.ndarray) -> torch.Tensor:
    """The array's memory as a tensor, or a copy where torch cannot hold its strides."""
    if any(stride < 0 for stride in array.strides):
        array = np.ascontiguousarray(array)
    if array.flags.writeable:
        return torch.from_numpy(array)
    with warnings.catch_warnings():  # a memory-mapped bank is read-only, and rendering only reads
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(array)
