"""Searches of parts of the references, and their exact merge by float64 keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

import rote.ops.knn  # noqa: F401  (registers the operators)
from rote.neighbors.arrays import as_tensor, describe, like
from rote.neighbors.restrictions import Restrictions
from rote.neighbors.search import checked_count, checked_metric

LAST_INDEX = torch.iinfo(torch.int64).max


def merge(parts: Iterable[tuple[Any, Any]], k: int) -> tuple[Any, Any]:
    """The k nearest of several searches of different references, ordered by (key, index).

    Keys are the float64 numbers that one search orders its neighbours by (`rote.neighbors.knn_keys`), so searching the
    parts and merging gives the same bits as one search of everything, ties included, in whatever order the parts
    come. No reference may lie in two parts; indices are those of the whole.

    Args:
        parts: pairs (keys float64 [Q, m], indices int64 [Q, m]), all numpy or all torch tensors of one device; m >= 0
            may differ from part to part. Index -1 (with key inf) is no neighbour. A key NaN says that the query is not
            finite, whatever the other parts say.
        k: number of neighbours, at least 1.

    Returns:
        (keys float64 [Q, k], indices int64 [Q, k]) in the kind of the first part's keys. Where the parts hold fewer
        than k neighbours the tail is inf and -1; a query that is not finite gets NaN and -1.
        `rote.neighbors.distances_from_keys` turns keys into distances.

    Raises:
        TypeError: an element is no pair, or has another kind or dtype.
        ValueError: no parts, mismatched shapes or devices, k < 1.

    Example:
        >>> import numpy as np, rote
        >>> x = np.array([[0.0], [1.0], [2.0], [4.0]])
        >>> (keys_a, a), (keys_b, b) = (rote.neighbors.knn_keys(x, part, 2) for part in (x[:2], x[2:]))
        >>> keys, indices = rote.neighbors.merge([(keys_a, a), (keys_b, b + 2)], k=2)
        >>> (indices == rote.knn(x, x, 2)[1]).all()
        np.True_
    """
    k = checked_count(k, "k")
    keys, indices, first = [], [], None
    for number, part in enumerate(parts):
        if not isinstance(part, (tuple, list)) or len(part) != 2:
            raise TypeError(f"parts[{number}] must be a pair (keys, indices); got {describe(part)}")
        first = part[0] if first is None else first
        for tensors, value, dtype, name in (
            (keys, part[0], torch.float64, f"parts[{number}][0] (keys)"),
            (indices, part[1], torch.int64, f"parts[{number}][1] (indices)"),
        ):
            wanted = f"{str(dtype).removeprefix('torch.')} of shape [Q, m]"
            tensor = as_tensor(value, name, (dtype,), wanted)
            if tensor.dim() != 2:
                raise ValueError(f"{name} must be {wanted}; got {describe(value)}")
            tensors.append(tensor)
        if keys[-1].shape != indices[-1].shape or keys[-1].shape[0] != keys[0].shape[0]:
            raise ValueError(
                f"parts[{number}] must hold keys and indices of one shape, with Q = {keys[0].shape[0]} rows; "
                f"got {describe(part[0])} and {describe(part[1])}"
            )
        if keys[-1].device != keys[0].device or indices[-1].device != keys[0].device:
            raise ValueError(
                f"parts[{number}] must be on {keys[0].device}, where parts[0] is; "
                f"got {keys[-1].device} and {indices[-1].device}"
            )
    if not keys:
        raise ValueError("parts must hold at least one pair (keys, indices); got none")
    merged = merge_columns(torch.cat(keys, 1), torch.cat(indices, 1), k)
    return like(merged[0], first), like(merged[1], first)


def merge_columns(keys: torch.Tensor, indices: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k first of every row by (key, index): [Q, m] to [Q, k]. Nothing synchronizes."""
    if k > keys.shape[1]:
        missing = (keys.shape[0], k - keys.shape[1])
        keys = torch.cat((keys, keys.new_full(missing, torch.inf)), 1)
        indices = torch.cat((indices, indices.new_full(missing, -1)), 1)
    # Two stable sorts, the lesser criterion first. No neighbour (-1) comes after every neighbour whose key is inf too.
    order = torch.where(indices < 0, LAST_INDEX, indices).argsort(dim=1, stable=True)
    # + 0.0: -0.0 equals 0.0 in the order of keys, also where a sort goes by bits.
    order = order.gather(1, (keys.gather(1, order) + 0.0).argsort(dim=1, stable=True)[:, :k])
    not_a_query = keys.isnan().any(1, keepdim=True)
    return (
        torch.where(not_a_query, torch.nan, keys.gather(1, order)),
        torch.where(not_a_query, -1, indices.gather(1, order)),
    )


def distances_from_keys(keys: Any, metric: str, *, dtype: torch.dtype = torch.float32) -> Any:
    """The distances that `rote.knn` returns for its keys.

    Args:
        keys: float64, any shape, numpy or torch: squared distances for "l2" and "sqeuclidean", minus the cosine or the
            inner product for "cosine" and "ip"; inf for no neighbour, NaN for a query that is not finite.
        metric: "l2" (its square root is taken), "sqeuclidean", "cosine" or "ip".
        dtype: torch.float32, the dtype of `rote.knn`, or torch.float64, which is not rounded again.

    Returns:
        Distances of the same shape and kind; for "ip" inner products, and -inf for no neighbour.

    Raises:
        TypeError: keys are not float64.
        ValueError: an unknown metric or another dtype.

    Example:
        >>> import numpy as np, rote
        >>> rote.neighbors.distances_from_keys(np.array([4.0, np.inf]), "l2").tolist()
        [2.0, inf]
    """
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64; got {dtype!r}")
    checked_metric(metric)
    values = as_tensor(keys, "keys", (torch.float64,), "float64")
    if metric == "l2":
        values = _square_root(values)
    elif metric == "cosine":
        values = 1.0 + values
    elif metric == "ip":
        values = 0.0 - values
    return like(values.to(dtype), keys)


def _square_root(values: torch.Tensor) -> torch.Tensor:
    if torch.compiler.is_compiling() or type(values) is not torch.Tensor or values.device.type != "cpu":
        return values.sqrt()
    return torch.from_numpy(np.sqrt(values.numpy()))  # the processor's; torch's may be a vector library's


def search_part(
    queries: torch.Tensor, part: torch.Tensor, first: int, k: int, metric: str, restrictions: Restrictions
) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest of references [first, first + n) of a whole, as keys and as indices of the whole.

    Args:
        queries: float64, float32, float16 or bfloat16 [Q, d].
        part: any of these dtypes, [n, d], on the same device.
        first: index of the part's first row.
        k: number of neighbours; of a part with fewer rows come all of them.
        metric: as `rote.knn`.
        restrictions: `exclude` in indices of the whole; `reference_groups` and `mask` those of the part.

    Returns:
        keys float64 [Q, min(k, n)] and indices int64 [Q, min(k, n)].
    """
    common = torch.promote_types(queries.dtype, part.dtype)
    k = min(k, part.shape[0])
    if k == 0:
        return queries.new_empty((queries.shape[0], 0), dtype=torch.float64), queries.new_empty(
            (queries.shape[0], 0), dtype=torch.int64
        )
    exclude = restrictions.exclude
    if exclude is not None:
        exclude = torch.where((exclude >= first) & (exclude < first + part.shape[0]), exclude - first, -1)
    keys, indices = torch.ops.rote.knn_search_keys(
        queries.to(common), part.to(common), k, metric, *restrictions._replace(exclude=exclude)
    )
    return keys, torch.where(indices < 0, -1, indices + first)
