"""The meaning of a k-NN search without its code: exact in integers, and within the rounding of a key in `math.fsum`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

#: Largest magnitude that float64 holds together with all smaller integers.
EXACT = 2**53


def integer_keys(queries: np.ndarray, references: np.ndarray, metric: str) -> np.ndarray:
    """Keys float64 [Q, N], smaller first, of int64 rows: every sum is an integer below 2^53, so there is one answer."""
    dot = queries @ references.T
    query_squares, reference_squares = (queries * queries).sum(1), (references * references).sum(1)
    assert int(query_squares.max(initial=0)) + int(reference_squares.max()) < EXACT // 2, "sums must be exact"
    if metric in ("l2", "sqeuclidean"):
        return (query_squares[:, None] + reference_squares - 2 * dot).astype(np.float64)
    if metric == "ip":
        return -dot.astype(np.float64)
    norms = np.sqrt(query_squares[:, None].astype(np.float64) * reference_squares.astype(np.float64))
    return -np.clip(np.divide(dot, norms, out=np.zeros(dot.shape), where=norms > 0), -1, 1)


def distances_of(keys: np.ndarray, metric: str) -> np.ndarray:
    """Keys to float32 distances, one rounding at the end."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = {"l2": np.sqrt, "sqeuclidean": lambda x: x, "ip": lambda x: 0.0 - x, "cosine": lambda x: 1.0 + x}
        return values[metric](keys).astype(np.float32)


def nearest(keys: np.ndarray, admissible: np.ndarray, finite_queries: np.ndarray, k: int) -> tuple:
    """Keys float64 [Q, k], indices int64 [Q, k] by (key, index); (inf, -1) in the tail, (NaN, -1) for no query."""
    ordered = np.where(admissible, keys, np.inf)
    indices = np.argsort(ordered, axis=1, kind="stable")[:, :k]
    values = np.take_along_axis(ordered, indices, 1)
    tail = np.arange(k) >= admissible.sum(1)[:, None]
    values[tail], indices[tail] = np.inf, -1
    values[~finite_queries], indices[~finite_queries] = np.nan, -1
    return values, indices


def _sums(terms: np.ndarray) -> np.ndarray:
    return np.fromiter(map(math.fsum, terms.tolist()), np.float64, len(terms))


def true_keys(query: np.ndarray, references: np.ndarray, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Keys [N] of one float64 row from correctly rounded sums, and how far a float64 sum in blocks may be off."""
    relative = (len(query) / 8 + 16) * 2.0**-52
    if metric in ("l2", "sqeuclidean"):
        sums = _sums((query - references) ** 2)
        return sums, relative * sums + 1e-320
    products = query * references
    dot, weight = _sums(products), np.abs(products).sum(1)
    if metric == "ip":
        return -dot, relative * weight + 1e-320
    norms = math.sqrt(math.fsum((query * query).tolist())) * np.sqrt(_sums(references * references))
    cosine = np.divide(dot, norms, out=np.zeros(len(dot)), where=norms > 0)
    return -np.clip(cosine, -1, 1), np.full(len(dot), 2 * relative)


def faults(
    query: np.ndarray,
    references: np.ndarray,
    metric: str,
    admissible: np.ndarray,
    distances: np.ndarray,
    indices: np.ndarray,
) -> Iterator[str]:
    """What is wrong with one query's neighbours beyond a float32 ulp and a key's rounding: nothing if all is well."""
    ids = np.flatnonzero(admissible)
    found = min(len(indices), len(ids))
    if (indices[found:] != -1).any() or (indices[:found] < 0).any():
        yield f"{len(ids)} references are admissible, the tail is wrong"
        return
    chosen = indices[:found]
    if len(np.unique(chosen)) != found or not admissible[chosen].all():
        yield "a neighbour twice, or one that is not admissible"
        return
    keys, slack = np.full(len(references), np.inf), np.zeros(len(references))
    keys[ids], slack[ids] = true_keys(query, references[ids], metric)
    if (keys[chosen][:-1] - slack[chosen][:-1] > keys[chosen][1:] + slack[chosen][1:]).any():
        yield "neighbours out of order"
    left = np.setdiff1d(ids, chosen)
    if found and len(left) and ((keys + slack)[left] < (keys - slack)[chosen].max()).any():
        yield "a nearer reference was left out"
    low, high = keys[chosen] - slack[chosen], keys[chosen] + slack[chosen]
    if metric == "l2":
        low = np.maximum(low, 0)
    bounds = np.sort(np.stack([distances_of(low, metric), distances_of(high, metric)]), axis=0)
    below, above = np.nextafter(bounds[0], -np.float32(np.inf)), np.nextafter(bounds[1], np.float32(np.inf))
    if not ((below <= distances[:found]) & (distances[:found] <= above)).all():
        yield "a distance is off by more than a float32 ulp"
