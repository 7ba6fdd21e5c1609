"""`rote.knn`: the exact k nearest neighbours of every query."""

from __future__ import annotations

import operator
from typing import Any

import torch

import rote.ops.knn
from rote.neighbors.arrays import FLOAT_DTYPES, as_tensor, describe, like
from rote.neighbors.outputs import check_out, copy_to, mark_written, writable_targets
from rote.neighbors.packed import PackedRows
from rote.neighbors.restrictions import resolve

METRICS = ("l2", "sqeuclidean", "cosine", "ip")


def knn(
    queries: Any,
    references: Any,
    k: int,
    metric: str = "l2",
    *,
    exclude: Any = None,
    groups: tuple[Any, Any] | None = None,
    mask: Any = None,
    out: tuple[Any, Any] | None = None,
) -> tuple[Any, Any]:
    """The true k nearest references of every query, nearest first, the same bits on every run and device.

    Each pair has one float64 key: sum (q - r)^2 for "l2" and "sqeuclidean", dot / sqrt(qq * rr) clamped to [-1, 1] for
    "cosine" (a zero vector has distance 1 to everything), the dot product for "ip". Neighbours are ordered by
    (key, reference index); the square root and the one rounding to float32 come after.

    Queries and references may be of different kinds and dtypes; both are then promoted to the smallest dtype that
    holds each of them exactly (float16 with bfloat16: float32). A row that holds NaN or inf is never a neighbour; a
    query that does gets indices -1 and distances NaN. Where fewer than k references are admissible the tail holds
    index -1 and the metric's worst value (inf; -inf for "ip").

    Args:
        queries: [Q, d], float64, float32, float16 or bfloat16: a numpy array (any strides), a torch tensor, or anything
            with `__dlpack__`, on the CPU or a CUDA device. Q = 0 is allowed.
        references: [N, d], the same choice of kinds and dtypes, on the same device.
        k: number of neighbours, 1 <= k <= N.
        metric: "l2" (Euclidean distance), "sqeuclidean" (its square), "cosine" (1 - cos) or "ip" (inner product, the
            largest first).
        exclude: "self" (queries and references are the same rows: none is its own neighbour), or int64 [Q], one
            reference id that a query never gets, -1 for none.
        groups: (int64 [Q], int64 [N]); a query never gets a reference of its own group.
        mask: bool [N]; only references where it is True can be neighbours.
        out: a pair (float32 [Q, k], int64 [Q, k]) to write into and return: numpy arrays for numpy queries, torch
            tensors on the queries' device otherwise.

    Returns:
        (distances float32 [Q, k], indices int64 [Q, k]) in the kind of `queries`: numpy for numpy, torch for torch;
        other objects through their `__array_namespace__().from_dlpack`, or torch tensors if they have none. Not
        differentiable.

    Raises:
        TypeError: an argument of a wrong kind or dtype; nothing is converted silently.
        ValueError: mismatched shapes or devices, k outside [1, N], an unknown metric, an excluded id outside [-1, N)
            (on CUDA only with the environment variable ROTE_CHECK=1, since looking synchronizes).

    Example:
        >>> import numpy as np, rote
        >>> x = np.array([[0.0], [1.0], [3.0]], dtype=np.float32)
        >>> distances, indices = rote.knn(x, x, 1, exclude="self")
        >>> indices.ravel().tolist(), distances.ravel().tolist()
        ([1, 0, 1], [1.0, 1.0, 2.0])
    """
    distances, indices, _ = search(
        queries, matrix(references, "references", "N"), k, metric, exclude=exclude, groups=groups, mask=mask, out=out
    )
    return distances, indices


def knn_keys(
    queries: Any,
    references: Any,
    k: int,
    metric: str = "l2",
    *,
    exclude: Any = None,
    groups: tuple[Any, Any] | None = None,
    mask: Any = None,
) -> tuple[Any, Any]:
    """`rote.knn` with the float64 key of every neighbour in the place of its distance.

    Keys grow with distance whatever the metric: sum (q - r)^2 for both L2 forms, minus the cosine, minus the inner
    product. Neighbours are ordered by (key, index), and results of different parts of the references are put together
    by `rote.neighbors.merge` without losing a bit; `rote.neighbors.distances_from_keys` gives the distances.

    Args:
        queries, references, k, metric, exclude, groups, mask: as `rote.knn`.

    Returns:
        (keys float64 [Q, k], indices int64 [Q, k]) in the kind of `queries`. Where fewer than k references are
        admissible the tail is inf and -1; a query that holds NaN or inf gets NaN and -1.

    Raises:
        TypeError, ValueError: as `rote.knn`.

    Example:
        >>> import numpy as np, rote
        >>> keys, indices = rote.neighbors.knn_keys(np.array([[3.0]]), np.array([[0.0], [1.0]]), 2)
        >>> keys.tolist(), indices.tolist()
        ([[4.0, 9.0]], [[1, 0]])
    """
    keys, indices, _ = search(
        queries,
        matrix(references, "references", "N"),
        k,
        metric,
        exclude=exclude,
        groups=groups,
        mask=mask,
        values=torch.float64,
    )
    return keys, indices


def matrix(value: Any, name: str, rows: str) -> torch.Tensor:
    """A floating point matrix argument as a tensor [rows, d]."""
    wanted = f"float64, float32, float16 or bfloat16 of shape [{rows}, d]"
    tensor = as_tensor(value, name, FLOAT_DTYPES, wanted)
    if tensor.dim() != 2:
        raise ValueError(f"{name} must be {wanted}; got {describe(value)}")
    return tensor


def checked_metric(metric: str) -> str:
    """The metric's name, if it is one."""
    if not isinstance(metric, str) or metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(map(repr, METRICS))}; got {metric!r}")
    return metric


def search(
    queries: Any,
    references: torch.Tensor,
    k: int,
    metric: str,
    *,
    exclude: Any,
    groups: Any,
    mask: Any,
    out: Any = None,
    with_stats: bool = False,
    values: torch.dtype = torch.float32,
    packed: PackedRows | None = None,
) -> tuple[Any, Any, dict[str, int] | None]:
    """What `knn` and `Index.search` share: checks, promotion, the operator and the result's kind.

    Args:
        values: float32 for distances, float64 for keys (then without `out`).
        packed: the references packed ahead, used where that helps.

    Returns:
        Distances or keys, indices and, `with_stats`, what the search counted.
    """
    checked_metric(metric)
    tensor = matrix(queries, "queries", "Q")
    if tensor.shape[1] != references.shape[1]:
        raise ValueError(
            f"queries and references must have the same number of columns d; got {describe(queries)} "
            f"and {describe(references)}"
        )
    if tensor.device != references.device:
        raise ValueError(
            "queries and references must be on the same device; "
            f"got queries on {tensor.device} and references on {references.device}"
        )
    num_queries, num_references = tensor.shape[0], references.shape[0]
    k = checked_k(k, num_references)
    restrictions = resolve(exclude, groups, mask, num_queries, num_references, tensor.device)
    if out is not None:
        check_out(out, queries, num_queries, k, tensor.device)
    if tensor.dtype != references.dtype:
        common = torch.promote_types(tensor.dtype, references.dtype)
        tensor, references = tensor.to(common), references.to(common)
    targets = None if out is None else writable_targets(out, (tensor, references, *restrictions))
    stats = index = None
    if packed is not None and packed.serves(tensor, references):
        index, references = packed.get()
    if with_stats and tensor.device.type == "cuda":
        result = _allocate(num_queries, k, values, tensor.device)
        counts = torch.zeros(len(rote.ops.knn.CUDA_STATS), dtype=torch.int64, device=tensor.device)
        rote.ops.knn.search_cuda(tensor, references, k, metric, result, **restrictions._asdict(), stats=counts)
        stats = dict(zip(rote.ops.knn.CUDA_STATS, counts.unbind(), strict=True))
    elif targets is not None or with_stats or index is not None:
        if tensor.device.type != "cpu":  # targets lie on the CPU alone
            raise NotImplementedError(f"return_stats=True: the search on {tensor.device.type} keeps no statistics")
        result = targets or _allocate(num_queries, k, values, tensor.device)
        stats = rote.ops.knn.search_cpu(tensor, references, k, metric, result, **restrictions._asdict(), index=index)
    elif values == torch.float64:
        result = torch.ops.rote.knn_search_keys(tensor, references, k, metric, *restrictions)
    else:
        result = torch.ops.rote.knn_search(tensor, references, k, metric, *restrictions)
    if out is None:
        return like(result[0], queries), like(result[1], queries), stats
    if targets is None:
        copy_to(out, result)
    else:
        mark_written(out)
    return out[0], out[1], stats


def _allocate(num_queries: int, k: int, values: torch.dtype, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.empty((num_queries, k), dtype=dtype, device=device) for dtype in (values, torch.int64))


def checked_count(value: Any, name: str) -> int:
    """An integer of at least 1."""
    value = _integer(value, name)
    if value < 1:
        raise ValueError(f"{name} must be at least 1; got {value}")
    return value


def checked_k(k: Any, num_references: int) -> int:
    """The number of neighbours, if there are so many references."""
    k = _integer(k, "k")
    if k < 1 or k > num_references:
        raise ValueError(f"k must lie between 1 and the number of references, {num_references}; got {k}")
    return k


def _integer(value: Any, name: str) -> int:
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer; got {value!r}")
    if isinstance(value, (int, torch.SymInt)):
        return value  # a symbolic size stays symbolic, so that it does not retrace a graph
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer; got {value!r}") from None
