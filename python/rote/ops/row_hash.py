"""The operator `rote::row_hash`: a 64-bit hash of every row of a tensor's bytes, CPU alone."""

from __future__ import annotations

import torch

from rote import _native
from rote.ops.augment_arguments import signed64
from rote.ops.library import register


def row_hash(rows: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """A 64-bit hash of the bytes of every row, e.g. of the pixels of every view of a batch.

    Equal rows have equal hashes; others agree by chance once in 2^64 (`csrc/include/rote/row_hash.h` has the
    definition). Bytes count, not values: 0.0 and -0.0 differ.

    Args:
        rows: [n, ...] of any dtype on the CPU, each row contiguous (a batch in channels-last memory is not: its bytes
            lie in another order). There is no CUDA kernel; bring rendered views to the CPU.
        seed: 0 <= seed < 2^64.

    Returns:
        int64 [n], the bits of the unsigned hash.

    Raises:
        ValueError: rows are not on the CPU, not contiguous or without elements, or the seed is out of range.
    """
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed: wanted 0 <= seed < 2^64, got {seed}")
    return torch.ops.rote.row_hash.default(rows, signed64(seed))


def _cpu(rows, seed):
    if rows.dim() < 2 or (rows.shape[0] > 0 and rows[0].numel() == 0):
        raise ValueError(f"rows: wanted [n, ...] with elements in a row, got {list(rows.shape)}")
    if rows.shape[0] > 0 and not rows[0].is_contiguous():
        raise ValueError(f"rows: wanted contiguous rows, got {list(rows.shape)} with strides {list(rows.stride())}")
    out = _fake(rows, seed)
    if rows.shape[0] == 0:
        return out
    size = rows.element_size()
    row_bytes = rows[0].numel() * size
    stride = rows.stride(0) * size if rows.shape[0] > 1 else row_bytes
    if stride < row_bytes:
        raise ValueError(f"rows: wanted rows that do not overlap, got strides {list(rows.stride())}")
    _native.row_hashes(
        rows.data_ptr(),
        rows.shape[0],
        row_bytes,
        stride,
        seed & 0xFFFFFFFFFFFFFFFF,
        out.data_ptr(),
        torch.get_num_threads(),
    )
    return out


def _cuda(rows, seed):
    raise ValueError(f"rows: wanted a tensor on the CPU, got one on {rows.device}; bring it there first")


def _fake(rows, seed):
    return torch.empty(rows.shape[0], dtype=torch.int64, device=rows.device)


register("row_hash(Tensor rows, SymInt seed) -> Tensor", cpu=_cpu, cuda=_cuda, fake=_fake)
