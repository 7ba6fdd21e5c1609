"""Which references a query may get: `exclude`, `groups` and `mask`, checked and turned into tensors."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import torch

from rote.neighbors.arrays import as_tensor, describe


class Restrictions(NamedTuple):
    """The last four arguments of `torch.ops.rote.knn_search`, in its order and under its names."""

    exclude: torch.Tensor | None
    query_groups: torch.Tensor | None
    reference_groups: torch.Tensor | None
    mask: torch.Tensor | None


def resolve(
    exclude: Any, groups: Any, mask: Any, num_queries: int, num_references: int, device: torch.device
) -> Restrictions:
    """Check the restrictions against the number of queries and references.

    Raises:
        TypeError: a wrong kind or dtype.
        ValueError: a wrong shape or device, or an excluded id outside [-1, N).
    """
    query_groups = reference_groups = None
    if groups is not None:
        if not isinstance(groups, (tuple, list)) or len(groups) != 2:
            raise TypeError(f"groups must be a pair (query_groups, reference_groups); got {describe(groups)}")
        query_groups = vector(groups[0], "groups[0]", torch.int64, "Q", num_queries, device)
        reference_groups = vector(groups[1], "groups[1]", torch.int64, "N", num_references, device)
    if mask is not None:
        mask = vector(mask, "mask", torch.bool, "N", num_references, device)
    if exclude is not None:
        exclude = _excluded(exclude, num_queries, num_references, device)
    return Restrictions(exclude, query_groups, reference_groups, mask)


def _excluded(exclude: Any, num_queries: int, num_references: int, device: torch.device) -> torch.Tensor:
    if isinstance(exclude, str):
        if exclude != "self":
            raise ValueError(f"exclude must be 'self' or int64 of shape [Q]; got {exclude!r}")
        if num_queries != num_references:
            raise ValueError(
                "exclude='self' needs queries and references that are the same rows; "
                f"got {num_queries} queries and {num_references} references"
            )
        return torch.arange(num_queries, dtype=torch.int64, device=device)
    ids = vector(exclude, "exclude", torch.int64, "Q", num_queries, device)
    if may_read(ids):
        bad = (ids < -1) | (ids >= num_references)
        if bool(bad.any()):
            row = int(bad.nonzero()[0, 0])
            raise ValueError(
                f"exclude must hold reference ids in [0, {num_references}), or -1 for none; "
                f"got {int(ids[row])} for query {row}"
            )
    return ids


def may_read(tensor: torch.Tensor) -> bool:
    """Whether values can be looked at: on CUDA that synchronizes, so only when ROTE_CHECK=1 asks for it."""
    if torch.compiler.is_compiling() or type(tensor) is not torch.Tensor or tensor.device.type == "meta":
        return False  # traced, fake and meta tensors have no values
    return tensor.device.type == "cpu" or os.environ.get("ROTE_CHECK") == "1"


def vector(
    value: Any, name: str, dtype: torch.dtype, length_name: str, length: int, device: torch.device
) -> torch.Tensor:
    """A vector argument as a tensor, its dtype, length and device checked."""
    wanted = f"{str(dtype).removeprefix('torch.')} of shape [{length_name}]"
    tensor = as_tensor(value, name, (dtype,), wanted)
    if tensor.dim() != 1 or tensor.shape[0] != length:
        raise ValueError(f"{name} must be {wanted} with {length_name} = {length}; got {describe(value)}")
    if tensor.device != device:
        raise ValueError(f"{name} must be on {device}, where queries and references are; got {tensor.device}")
    return tensor
