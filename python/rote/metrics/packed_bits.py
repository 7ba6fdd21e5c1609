"""rote/metrics/packed_bits.py: truth values of many runs, eight to a byte: 2,000 runs x 50,000 examples in 12.5 MB.

Row r of a packed matrix is `numpy.packbits` of row r: example 8 b + i is bit 7 - i of byte b, and the unused bits of
the last byte are 0. So `numpy.unpackbits(packed, axis=1, count=N)` reads a file of Rote's without Rote.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# Bytes of a block of rows once it is unpacked; a bound on memory.
_BLOCK = 1 << 26
_ONES_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(1, dtype=np.int64)


def pack(values: np.ndarray) -> np.ndarray:
    """bool [R, N] -> uint8 [R, ceil(N / 8)].

    Raises:
        ValueError: not a matrix of truth values.
    """
    values = np.asarray(values)
    if values.ndim != 2 or values.dtype != np.bool_:
        raise ValueError(f"values must be bool [R, N]; got {values.dtype} {list(values.shape)}")
    return np.packbits(values, axis=1)


def unpack(packed: np.ndarray, examples: int) -> np.ndarray:
    """uint8 [R, ceil(N / 8)] -> bool [R, N].

    Raises:
        ValueError: not packed rows of so many examples.
    """
    check(packed, examples)
    return np.unpackbits(packed, axis=1, count=examples).view(np.bool_)


def check(packed: np.ndarray, examples: int) -> None:
    """Raises ValueError where `packed` is not uint8 [R, ceil(examples / 8)]."""
    wanted = (examples + 7) // 8
    if packed.ndim != 2 or packed.dtype != np.uint8 or packed.shape[1] != wanted:
        raise ValueError(
            f"packed rows of {examples} examples must be uint8 [R, {wanted}]; got {packed.dtype} {list(packed.shape)}"
        )


def ones(packed: np.ndarray) -> np.ndarray:
    """uint8 [R, bytes] -> int64 [R], the bits that are set in each row."""
    return _ONES_OF_BYTE[packed].sum(1)


def blocks(runs: int, examples: int) -> Iterator[slice]:
    """Slices of rows of which each, unpacked, takes at most 64 MB (one row at least)."""
    rows = max(1, _BLOCK // max(1, examples))
    for start in range(0, runs, rows):
        yield slice(start, min(start + rows, runs))
