"""A search as its operators and votes are given it: the checks, and the description that the native core reads."""

from __future__ import annotations

import torch

from rote import _native
from rote.ops.library import DTYPE_CODES

#: rote::KnnMetric in csrc/include/rote/knn.h.
METRIC_CODES = {"l2": 0, "sqeuclidean": 1, "cosine": 2, "ip": 3}

#: Element types of queries and references.
FLOAT_DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def check_problem(queries, references, k, metric, exclude, query_groups, reference_groups, mask) -> None:
    """Raises TypeError or ValueError for arguments that are not as `rote.ops.knn.knn_search` wants them."""
    for name, tensor in (("queries", queries), ("references", references)):
        if tensor.dtype not in FLOAT_DTYPES:
            raise TypeError(f"{name}: wanted float64, float32, float16 or bfloat16, got {tensor.dtype}")
        if tensor.dim() != 2:
            raise ValueError(f"{name}: wanted a matrix of rows, got shape {tuple(tensor.shape)}")
    if references.dtype != queries.dtype:
        raise TypeError(f"references: wanted {queries.dtype} like queries, got {references.dtype}")
    if references.shape[1] != queries.shape[1]:
        raise ValueError(
            f"references: wanted {queries.shape[1]} columns like queries, got shape {tuple(references.shape)}"
        )
    if queries.shape[1] < 1:
        raise ValueError(f"queries: wanted at least one column, got shape {tuple(queries.shape)}")
    if metric not in METRIC_CODES:
        raise ValueError(f"metric: wanted one of {', '.join(METRIC_CODES)}, got {metric!r}")
    if k < 1:
        raise ValueError(f"k: wanted at least 1, got {k}")
    if k > references.shape[0]:
        raise ValueError(f"k: wanted at most the {references.shape[0]} references, got {k}")
    if (query_groups is None) != (reference_groups is None):
        given, missing = (
            ("query_groups", "reference_groups") if reference_groups is None else ("reference_groups", "query_groups")
        )
        raise ValueError(f"{missing}: wanted together with {given}, got None")
    for name, tensor, dtype, rows in (
        ("exclude", exclude, torch.int64, queries.shape[0]),
        ("query_groups", query_groups, torch.int64, queries.shape[0]),
        ("reference_groups", reference_groups, torch.int64, references.shape[0]),
        ("mask", mask, torch.bool, references.shape[0]),
    ):
        if tensor is None:
            continue
        if tensor.dtype != dtype:
            raise TypeError(f"{name}: wanted {dtype}, got {tensor.dtype}")
        if tensor.dim() != 1 or tensor.shape[0] != rows:
            raise ValueError(f"{name}: wanted shape ({rows},), got {tuple(tensor.shape)}")
    for name, tensor in (
        ("references", references),
        ("exclude", exclude),
        ("query_groups", query_groups),
        ("reference_groups", reference_groups),
        ("mask", mask),
    ):
        if tensor is not None and tensor.device != queries.device:
            raise ValueError(f"{name}: wanted device {queries.device} like queries, got {tensor.device}")


def contiguous_rows(matrix: torch.Tensor) -> torch.Tensor:
    """Any row stride will do; elements of a row must be neighbours in memory."""
    plain = matrix.resolve_neg()
    return plain if plain.stride(1) == 1 or plain.shape[1] == 1 else plain.contiguous()


def native_problem(queries, references, k, metric, exclude, query_groups, reference_groups, mask, values, indices):
    """The native description of a search, and the tensors that must outlive it."""
    queries, references = contiguous_rows(queries), contiguous_rows(references)
    vectors = [None if v is None else v.contiguous() for v in (exclude, query_groups, reference_groups, mask)]
    # 0 says absent; an empty tensor is there, though its pointer is null. Nobody looks behind it.
    pointers = [0 if v is None else v.data_ptr() or 1 for v in vectors]
    problem = _native.KnnProblem(
        queries.data_ptr(),
        queries.shape[0],
        queries.stride(0),
        references.data_ptr(),
        references.shape[0],
        references.stride(0),
        queries.shape[1],
        DTYPE_CODES[queries.dtype],
        k,
        METRIC_CODES[metric],
        *pointers,
        values.data_ptr() if values.dtype == torch.float32 else 0,
        indices.data_ptr(),
        values.data_ptr() if values.dtype == torch.float64 else 0,
    )
    return problem, (queries, references, *vectors)
