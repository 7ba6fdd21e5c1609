"""`rote.knn_vote`: class scores by the vote of the k nearest neighbours, without lists of neighbours."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import torch

from rote.neighbors.arrays import INTEGER_DTYPES, as_tensor, describe, like
from rote.neighbors.restrictions import Restrictions, resolve
from rote.neighbors.search import checked_metric, matrix
from rote.ops.vote import WEIGHT_CODES


def knn_vote(
    queries: Any,
    references: Any,
    labels: Any,
    k: int | Sequence[int] = (1, 5, 20),
    metric: str = "cosine",
    weights: str = "uniform",
    *,
    num_classes: int,
    temperature: float = 0.07,
    exclude: Any = None,
    groups: tuple[Any, Any] | None = None,
    mask: Any = None,
) -> Any:
    """The votes of every query's k nearest references for every class, several k in one search.

    A neighbour's vote is a float64 number from its float64 distance (before the rounding to float32), and a class's
    score the sum of its neighbours' votes, added in neighbour order: the same bits on every run, instruction set and
    number of threads. No neighbours are written. Scores are sums, not shares: divide by their sum over classes for
    probabilities. The predicted class is the smallest of those with the largest score, `scores.argmax(1)`.

    Where fewer than k references are admissible, those vote; a query without any (it holds NaN or inf, or everything is
    excluded) has scores of 0.

    Args:
        queries: [Q, d], array kinds and dtypes as for `rote.knn`.
        references: [N, d], on the same device.
        labels: integers [N], the class of every reference, in [0, num_classes).
        k: one number of neighbours, or several, each in [1, N].
        metric: "cosine", "l2", "sqeuclidean" or "ip".
        weights: what a neighbour's vote counts. "uniform": 1. "distance": 1 / distance; where a neighbour is at
            distance 0 such neighbours count 1 and all others 0, as in scikit-learn; not for "ip". "softmax":
            exp((s - s_max) / temperature), s the cosine for "cosine", the product for "ip" and minus the distance for
            the L2 forms, s_max the row's largest. (DINO, Caron et al. 2021, arXiv 2104.14294, sums exp(cos / T), which
            differs by one factor per query.)
        num_classes: number of classes C; never inferred from the labels.
        temperature: of "softmax"; 0.07 is DINO's.
        exclude, groups, mask: as for `rote.knn`. With exclude="self" and queries as references, every row is scored by
            the vote of the others.

    Returns:
        float64 [Q, C] if `k` is an int, else {k: float64 [Q, C]} in the order of `k`; arrays in the kind of `queries`.
        Not differentiable.

    Raises:
        TypeError: a wrong kind or dtype.
        ValueError: mismatched shapes or devices, a k outside [1, N], unknown metric or weights, a temperature that is
            not positive and finite, or a label outside [0, num_classes) (on CUDA only with the environment variable
            ROTE_CHECK=1, since looking synchronizes; without it such a reference is a neighbour that does not vote).

    Example:
        >>> import numpy as np, rote
        >>> references, labels = np.array([[0.0], [1.0], [3.0]]), np.array([0, 2, 2])
        >>> scores = rote.knn_vote(np.array([[0.2]]), references, labels, k=(1, 3), metric="l2", num_classes=3)
        >>> scores[1].tolist(), scores[3].tolist()
        ([[1.0, 0.0, 0.0]], [[1.0, 0.0, 2.0]])
    """
    query_rows, reference_rows = matrix(queries, "queries", "Q"), matrix(references, "references", "N")
    check_same_space(query_rows, reference_rows, ("queries", "references"))
    check_weighting(weights, checked_metric(metric), temperature)
    num_references = reference_rows.shape[0]
    ks = checked_ks(k, num_references, "the number of references")
    classes = label_tensor(labels, "labels", reference_rows)
    restrictions = resolve(exclude, groups, mask, query_rows.shape[0], num_references, query_rows.device)
    count = _checked_num_classes(num_classes)
    increasing = in_order(ks)
    scores = cast_votes(
        query_rows, reference_rows, classes, count, increasing, metric, weights, temperature, restrictions
    )
    if not isinstance(k, Sequence):
        return like(scores[0], queries)
    return {size: like(scores[increasing.index(size)], queries) for size in ks}


def cast_votes(
    queries: torch.Tensor,
    references: torch.Tensor,
    labels: torch.Tensor,
    num_classes: int,
    ks: Sequence[int],
    metric: str,
    weights: str,
    temperature: float,
    restrictions: Restrictions,
    *,
    winners: bool = False,
) -> torch.Tensor:
    """Scores float64 [len(ks), Q, C], or winners int64 [len(ks), Q], of checked arguments of any two float dtypes."""
    if queries.dtype != references.dtype:
        common = torch.promote_types(queries.dtype, references.dtype)
        queries, references = queries.to(common), references.to(common)
    vote = torch.ops.rote.knn_vote_winners if winners else torch.ops.rote.knn_vote
    return vote(
        queries, references, labels, num_classes, ks, metric, weights, float(temperature), **restrictions._asdict()
    )


def check_weighting(weights: str, metric: str, temperature: float) -> None:
    """Raise ValueError unless the weighting exists, fits the metric and has a positive temperature."""
    if not isinstance(weights, str) or weights not in WEIGHT_CODES:
        raise ValueError(f"weights must be one of {', '.join(map(repr, WEIGHT_CODES))}; got {weights!r}")
    if weights == "distance" and metric == "ip":
        raise ValueError("weights='distance' needs a distance; metric='ip' is a similarity (use 'softmax')")
    if not 0 < float(temperature) < float("inf"):
        raise ValueError(f"temperature must be positive and finite; got {temperature!r}")


def check_same_space(queries: torch.Tensor, references: torch.Tensor, names: tuple[str, str]) -> None:
    """Raise ValueError unless two matrices have equal width and stand on one device."""
    if references.shape[1] != queries.shape[1]:
        raise ValueError(
            f"{names[0]} and {names[1]} must have the same number of columns d; "
            f"got {describe(queries)} and {describe(references)}"
        )
    if references.device != queries.device:
        raise ValueError(
            f"{names[0]} and {names[1]} must be on the same device; got {queries.device} and {references.device}"
        )


def checked_ks(k: int | Sequence[int], available: int, what: str) -> list[int]:
    """The numbers of neighbours as given, each an integer in [1, available]."""
    given = list(k) if isinstance(k, Sequence) and not isinstance(k, str) else [k]
    if not given:
        raise ValueError("k must hold at least one number of neighbours; got none")
    ks = []
    for value in given:
        if isinstance(value, bool):
            raise TypeError(f"k must be an integer or a sequence of integers; got {k!r}")
        size = value
        if not isinstance(value, (int, torch.SymInt)):  # a symbolic size stays symbolic
            try:
                size = operator.index(value)
            except TypeError:
                raise TypeError(f"k must be an integer or a sequence of integers; got {k!r}") from None
        if size < 1 or size > available:
            raise ValueError(f"k must lie between 1 and {what}, {available}; got {size}")
        ks.append(size)
    return ks


def in_order(ks: list[int]) -> list[int]:
    """Increasing, each once, as the operators want them."""
    return ks if len(ks) == 1 else sorted(set(ks))


def label_tensor(labels: Any, name: str, rows: torch.Tensor) -> torch.Tensor:
    """Integer labels of the rows of a matrix, as int64 on its device."""
    # The number of rows may be symbolic, so it is put into words only where it is wrong.
    tensor = as_tensor(labels, name, INTEGER_DTYPES, "integers of one dimension")
    if tensor.dim() != 1 or tensor.shape[0] != rows.shape[0]:
        raise ValueError(
            f"{name} must be integers of shape [{rows.shape[0]}], one for each embedding; got {describe(labels)}"
        )
    return tensor.to(rows.device, torch.int64)


def _checked_num_classes(num_classes: int) -> int:
    if isinstance(num_classes, bool):
        raise TypeError(f"num_classes must be an integer; got {num_classes!r}")
    count = num_classes
    if not isinstance(num_classes, (int, torch.SymInt)):  # a symbolic size stays symbolic
        try:
            count = operator.index(num_classes)
        except TypeError:
            raise TypeError(f"num_classes must be an integer; got {num_classes!r}") from None
    if count < 1:
        raise ValueError(f"num_classes must be at least 1; got {count}")
    return count
