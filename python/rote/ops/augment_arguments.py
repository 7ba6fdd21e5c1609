"""What every operator of the augmentation engine is given: a recipe's program, seeds, and columns of numbers.

A recipe travels as one string, its operations as JSON: a constant for torch.compile, and the key under which the
native program is kept. A seed is the signed 64-bit number of the same bits, for a schema has no unsigned one.
"""

from __future__ import annotations

import functools
import json
import os

import torch

from rote import _native

OUTPUT_DTYPES = (torch.float32, torch.float16, torch.bfloat16)
MAX_IMAGES, MAX_VIEWS = 1 << 40, 1 << 48


def signed64(seed: int) -> int:
    """The int64 with the bits of a seed in [0, 2^64)."""
    return seed - (1 << 64) if seed >= 1 << 63 else seed


@functools.lru_cache(maxsize=256)
def native_program(program: str, channels: int, image_size: tuple[int, int], size: tuple[int, int]):
    """The native program of a recipe for one geometry: immutable, shared by all threads."""
    operations = [(code, occurrence, constants) for code, occurrence, constants in json.loads(program)]
    return _native.AugmentProgram(operations, channels, *image_size, *size)


def require_column(name, tensor, dtype, shape, device) -> None:
    if tensor.dtype != dtype or tensor.shape != shape or tensor.device != device:
        raise ValueError(
            f"{name}: wanted {dtype} {list(shape)} on {device}, "
            f"got {tensor.dtype} {list(tensor.shape)} on {tensor.device}"
        )


def contiguous(tensor: torch.Tensor | None) -> torch.Tensor | None:
    return None if tensor is None else tensor.contiguous()


def check_on_device(**columns: tuple[torch.Tensor | None, int]) -> None:
    """With ROTE_CHECK=1: the checks 0 <= values < end that would otherwise cost a synchronization."""
    if os.environ.get("ROTE_CHECK") != "1":
        return
    for name, (values, end) in columns.items():
        if values is not None and values.numel() > 0:
            low, high = (int(v) for v in values.aminmax())
            if low < 0 or high >= end:
                raise ValueError(f"{name}: wanted 0 <= {name} < {end}, got values from {low} to {high}")
