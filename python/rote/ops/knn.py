"""The operator `rote::knn_search`: exact k nearest neighbours of torch tensors, CPU and CUDA.

The public functions (`rote.knn`, `rote.Index`) convert arrays and mixed dtypes and end here. The operator checks its
arguments, allocates outputs and workspace, and hands pointers to the native core.
"""

from __future__ import annotations

import os

import torch

from rote import _native
from rote.ops.knn_problem import FLOAT_DTYPES, METRIC_CODES, check_problem, contiguous_rows, native_problem
from rote.ops.library import DTYPE_CODES, register

__all__ = ["CUDA_STATS", "FLOAT_DTYPES", "METRIC_CODES", "knn_search", "pack", "search_cpu", "search_cuda"]

#: rote::KnnDeviceStat: what the places of a `stats` tensor count.
CUDA_STATS = (
    "rows_float16",
    "rows_float64",
    "overflowed_rows",
    "exact_keys",
    "compactions",
    "exact_compactions",
    "unbounded_references",
)

ARGUMENTS = (
    "(Tensor queries, Tensor references, SymInt k, str metric, Tensor? exclude=None, "
    "Tensor? query_groups=None, Tensor? reference_groups=None, Tensor? mask=None) -> (Tensor, Tensor)"
)


def knn_search(
    queries: torch.Tensor,
    references: torch.Tensor,
    k: int,
    metric: str = "l2",
    *,
    exclude: torch.Tensor | None = None,
    query_groups: torch.Tensor | None = None,
    reference_groups: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k nearest references of every query, ordered by (distance, index), the same bits from every executor.

    Args:
        queries: float64, float32, float16 or bfloat16 [Q, d].
        references: the same dtype and device [N, d].
        k: neighbours per query, 1 <= k <= N.
        metric: "l2" (Euclidean distance), "sqeuclidean" (its square), "cosine" (1 - cos, 1 where a vector is zero) or
            "ip" (inner product, largest first).
        exclude: int64 [Q], one reference that a query never gets; -1 excludes nothing.
        query_groups: int64 [Q]; a query never gets a reference of its own group. Needs `reference_groups`.
        reference_groups: int64 [N].
        mask: bool [N]; references where it is False are nobody's neighbours.

    Returns:
        Distances float32 [Q, k] and indices int64 [Q, k], not differentiable. Where fewer than k references are
        admissible, indices are -1 and distances the worst value of the metric (inf, -inf for "ip"). References that
        hold NaN or inf are never neighbours; queries that do get -1 and NaN.

    Raises:
        TypeError: a dtype is not the one wanted.
        ValueError: a shape, device, k or metric is not the one wanted.
    """
    return torch.ops.rote.knn_search(
        queries,
        references,
        k,
        metric,
        exclude=exclude,
        query_groups=query_groups,
        reference_groups=reference_groups,
        mask=mask,
    )


def _allocate(queries: torch.Tensor, k: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Room for float32 distances or float64 keys, and for indices."""
    rows = queries.shape[0]
    return (
        torch.empty((rows, k), dtype=dtype, device=queries.device),
        torch.empty((rows, k), dtype=torch.int64, device=queries.device),
    )


def pack(references: torch.Tensor, metric: str) -> tuple[_native.KnnIndex, torch.Tensor]:
    """References in the form that CPU searches read, and the tensor that such searches must be given.

    The tensor must stay as it is: results come from it, the packed form only says where to look.
    """
    rows = contiguous_rows(references)
    packed = _native.KnnIndex(
        rows.data_ptr(),
        rows.shape[0],
        rows.stride(0),
        rows.shape[1],
        DTYPE_CODES[rows.dtype],
        METRIC_CODES[metric],
        torch.get_num_threads(),
    )
    return packed, rows


def search_cpu(queries, references, k, metric, outputs, *, exclude=None, query_groups=None, reference_groups=None,
               mask=None, level="auto", path="auto", fallback=True, index=None) -> dict[str, int | str]:  # fmt: skip
    """Searches into `outputs` (contiguous; float32 distances or float64 keys, and indices); returns rote::KnnStats."""
    check_problem(queries, references, k, metric, exclude, query_groups, reference_groups, mask)
    problem, keep = native_problem(
        queries, references, k, metric, exclude, query_groups, reference_groups, mask, *outputs
    )
    stats = _native.knn_search(problem, torch.get_num_threads(), level, path, fallback, index)
    del keep
    return stats


def search_cuda(queries, references, k, metric, outputs, *, exclude=None, query_groups=None, reference_groups=None,
                mask=None, path=None, stats=None) -> None:  # fmt: skip
    """Searches on the queries' device into `outputs`, as `search_cpu` does, without a synchronization.

    Args:
        path: "simple", "sm80", "sm90" or "auto"; None: the environment's ROTE_KNN_PATH, or "auto".
        stats: int64 [len(CUDA_STATS)] on the device, added to.

    Raises:
        ValueError: no such path.
        RuntimeError: the device cannot run it.
    """
    check_problem(queries, references, k, metric, exclude, query_groups, reference_groups, mask)
    path = path or os.environ.get("ROTE_KNN_PATH") or "auto"
    with torch.cuda.device(queries.device):
        size = _native.knn_workspace_bytes(queries.shape[0], references.shape[0], queries.shape[1], k, path)
        workspace = torch.empty(size, dtype=torch.uint8, device=queries.device)
        problem, keep = native_problem(
            queries, references, k, metric, exclude, query_groups, reference_groups, mask, *outputs
        )
        stream = torch.cuda.current_stream().cuda_stream
        _native.knn_search_cuda(problem, workspace.data_ptr(), stream, path, 0 if stats is None else stats.data_ptr())
        del keep  # freed in stream order by torch's caching allocator


def _implementations(dtype: torch.dtype):
    """The operator's CPU, CUDA and fake implementation; its first result has `dtype` (see `_allocate`)."""

    def by(search):
        def implementation(
            queries, references, k, metric, exclude=None, query_groups=None, reference_groups=None, mask=None
        ):
            check_problem(queries, references, k, metric, exclude, query_groups, reference_groups, mask)
            outputs = _allocate(queries, k, dtype)
            search(
                queries,
                references,
                k,
                metric,
                outputs,
                exclude=exclude,
                query_groups=query_groups,
                reference_groups=reference_groups,
                mask=mask,
            )
            return outputs

        return implementation

    def fake(queries, references, k, metric, exclude=None, query_groups=None, reference_groups=None, mask=None):
        check_problem(queries, references, k, metric, exclude, query_groups, reference_groups, mask)
        return _allocate(queries, k, dtype)

    return {"cpu": by(search_cpu), "cuda": by(search_cuda), "fake": fake}


register("knn_search" + ARGUMENTS, **_implementations(torch.float32))
# What searches of parts are merged by: float64 keys instead of distances; inf in the tail, NaN for a query without any.
register("knn_search_keys" + ARGUMENTS, **_implementations(torch.float64))
