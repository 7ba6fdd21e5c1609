"""The meaning of `rote.knn` in numpy: brute force over all pairs, one float64 key a pair, ordered by (key, index)."""

from __future__ import annotations

import numpy as np


def eight_sums(terms: np.ndarray) -> np.ndarray:
    """Sum over the last axis as eight interleaved float64 sums by i mod 8, then a fixed tree."""
    padding = -terms.shape[-1] % 8
    widths = [(0, 0)] * (terms.ndim - 1) + [(0, padding)]
    lanes = np.pad(terms, widths).reshape(*terms.shape[:-1], (terms.shape[-1] + padding) // 8, 8)
    sums = np.zeros((*terms.shape[:-1], 8))
    for block in range(lanes.shape[-2]):
        sums = sums + lanes[..., block, :]
    while sums.shape[-1] > 1:
        half = sums.shape[-1] // 2
        sums = sums[..., :half] + sums[..., half:]
    return sums[..., 0]


def keys(queries: np.ndarray, references: np.ndarray, metric: str) -> np.ndarray:
    """The key of every pair, float64 [Q, N]."""
    q, r = queries.astype(np.float64), references.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        if metric in ("l2", "sqeuclidean"):
            return eight_sums((q[:, None] - r[None]) ** 2)
        dot = eight_sums(q[:, None] * r[None])
        if metric == "ip":
            return dot
        squares = eight_sums(q * q)[:, None] * eight_sums(r * r)[None]
        return np.where(squares > 0, np.clip(dot / np.sqrt(squares), -1.0, 1.0), 0.0)


def knn(
    queries: np.ndarray,
    references: np.ndarray,
    k: int,
    metric: str = "l2",
    exclude: np.ndarray | None = None,
    groups: tuple[np.ndarray, np.ndarray] | None = None,
    mask: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """(distances float32 [Q, k], indices int64 [Q, k]) by the rules of `rote.knn`, row by row."""
    num_queries, num_references = len(queries), len(references)
    key = keys(queries, references, metric)
    largest_first = metric in ("cosine", "ip")
    admissible = np.broadcast_to(np.isfinite(references.astype(np.float64)).all(1), key.shape).copy()
    if mask is not None:
        admissible &= mask
    if groups is not None:
        admissible &= groups[0][:, None] != groups[1][None]
    if exclude is not None:
        admissible &= np.arange(num_references)[None] != exclude[:, None]
    distances = np.full((num_queries, k), -np.inf if metric == "ip" else np.inf, dtype=np.float32)
    indices = np.full((num_queries, k), -1, dtype=np.int64)
    for row in range(num_queries):
        if not np.isfinite(queries[row].astype(np.float64)).all():
            distances[row] = np.nan
            continue
        ids = np.flatnonzero(admissible[row])
        order = np.lexsort((ids, -key[row, ids] if largest_first else key[row, ids]))[:k]
        found, values = ids[order], key[row, ids[order]]
        if metric == "l2":
            values = np.sqrt(values)
        elif metric == "cosine":
            values = 1.0 - values
        with np.errstate(over="ignore"):
            distances[row, : len(found)] = values.astype(np.float32)
        indices[row, : len(found)] = found
    return distances, indices
