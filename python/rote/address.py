"""Random numbers by address: pure functions of (seed, image, view, stream, slot), nothing stateful.

The layout is version 1 of docs/addressing.md. Every draw that is not a pixel (labels, pools, orders, subsets) uses a
stream from 0x8000 on; streams below belong to the operations of `rote.augment`.
"""

from __future__ import annotations

from enum import IntEnum

import torch

from rote import _native

__all__ = ["FRESH_VIEWS", "MAX_IMAGES", "MAX_VIEWS", "Stream", "integers", "permutation", "uniform", "words"]

MAX_IMAGES = 1 << 40
MAX_VIEWS = 1 << 48
#: Views from here on are never trained on: evaluations on fresh views start at this id.
FRESH_VIEWS = 1 << 47
#: Feistel rounds of `permutation`.
ROUNDS = 8


class Stream(IntEnum):
    """Streams of draws that are not pixels."""

    LABELS = 0x8000
    FRESH_LABELS = 0x8001
    POOL_VIEWS = 0x8002
    ORDER = 0x8003
    SUBSET = 0x8004
    CORRUPTION = 0x8005
    DIGITS = 0x8006
    VIEW_LABELS = 0x8007
    SUBSTITUTES = 0x8008
    PIXELS = 0x8009
    SEARCH = 0x800A
    TIED_CHANNELS = 0x800B
    THRESHOLD = 0x800C


def words(seed: int, images: torch.Tensor | int, views: torch.Tensor | int, stream: int, slot: int = 0) -> torch.Tensor:
    """The raw 32-bit word at each address.

    Args:
        seed: key, 0 <= seed < 2^64.
        images: ids in [0, 2^40), int64 tensor or int; broadcast against `views`.
        views: ids in [0, 2^48), int64 tensor or int.
        stream: 0 <= stream < 2^16.
        slot: 0 <= slot < 2^26.

    Returns:
        int64 tensor of the broadcast shape with values in [0, 2^32), on the CPU.

    Raises:
        ValueError: a seed, id, stream or slot is out of range; nothing is ever wrapped.
        TypeError: ids are not integers.

    Example:
        >>> words(0, torch.arange(2), 0, Stream.LABELS).shape
        torch.Size([2])
    """
    _require_seed(seed)
    images, views = torch.broadcast_tensors(_ids(images, "images"), _ids(views, "views"))
    images, views = images.contiguous(), views.contiguous()
    out = torch.empty(images.shape, dtype=torch.int64)
    _native.address_words(
        seed,
        images.data_ptr(),
        views.data_ptr(),
        images.numel(),
        int(stream),
        slot,
        out.data_ptr(),
        torch.get_num_threads(),
    )
    return out


def uniform(seed: int, images, views, stream: int, slot: int = 0) -> torch.Tensor:
    """float64 in [0, 1): the top 24 bits of the word times 2^-24. Arguments and errors as `words`."""
    return (words(seed, images, views, stream, slot) >> 8).double() * 2.0**-24


def integers(seed: int, images, views, stream: int, high: int, slot: int = 0) -> torch.Tensor:
    """int64 uniform in [0, high): (word * high) >> 32. 1 <= high <= 2^31; else as `words`."""
    if not 1 <= high <= 1 << 31:
        raise ValueError(f"high: wanted 1 <= high <= 2^31, got {high}")
    return (words(seed, images, views, stream, slot) * high) >> 32


def permutation(seed: int, n: int, epoch: int = 0, stream: int = Stream.ORDER) -> torch.Tensor:
    """A keyed permutation of 0..n-1: the order of one epoch, addressable position by position.

    A Feistel network of eight rounds over the smallest even number of bits that holds n, whose round function is the
    word at (seed, half, epoch, stream, round), walked until it falls below n (cycle walking; Black and Rogaway, 2002).

    Args:
        seed: key, 0 <= seed < 2^64.
        n: length, 0 <= n <= 2^40.
        epoch: which permutation, 0 <= epoch < 2^48.
        stream: separates orders of different use.

    Returns:
        int64 tensor [n].

    Raises:
        ValueError: an argument is out of range.
    """
    if not 0 <= n <= MAX_IMAGES:
        raise ValueError(f"n: wanted 0 <= n <= 2^40, got {n}")
    half_bits = max(1, ((max(n, 2) - 1).bit_length() + 1) // 2)
    values = _feistel(torch.arange(n), seed, epoch, stream, half_bits)
    while (outside := values >= n).any():
        values[outside] = _feistel(values[outside], seed, epoch, stream, half_bits)
    return values


def _feistel(values: torch.Tensor, seed: int, epoch: int, stream: int, half_bits: int) -> torch.Tensor:
    mask = (1 << half_bits) - 1
    left, right = values >> half_bits, values & mask
    for round_ in range(ROUNDS):
        left, right = right, left ^ (words(seed, right, epoch, stream, round_) & mask)
    return (left << half_bits) | right


def _require_seed(seed: int) -> None:
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed: wanted 0 <= seed < 2^64, got {seed}")


def _ids(value: torch.Tensor | int, name: str) -> torch.Tensor:
    if isinstance(value, int):
        if not 0 <= value < 1 << 48:
            raise ValueError(f"{name}: wanted ids in [0, 2^{40 if name == 'images' else 48}), got {value}")
        return torch.tensor(value)
    if not isinstance(value, torch.Tensor) or value.is_floating_point() or value.dtype == torch.bool:
        raise TypeError(f"{name}: wanted an int or an int64 tensor, got {getattr(value, 'dtype', type(value))}")
    return value.to("cpu", torch.int64)
