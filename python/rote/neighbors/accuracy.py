"""k-NN accuracies of an embedding: on a test set, and leaving one out."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import torch

from rote.neighbors.arrays import INTEGER_DTYPES, as_tensor, describe
from rote.neighbors.restrictions import vector
from rote.neighbors.search import checked_metric, knn, matrix
from rote.neighbors.votes import blocks, cast_votes, check_weighting, neighbour_weights, winners


def knn_accuracy(
    embeddings: Any,
    labels: Any,
    test_embeddings: Any,
    test_labels: Any,
    k: int | Sequence[int] = (1, 5, 20, 200),
    metric: str = "cosine",
    weights: str = "uniform",
    *,
    temperature: float = 0.07,
    num_classes: int | None = None,
    groups: tuple[Any, Any] | None = None,
) -> dict[int, float] | float:
    """The share of test embeddings that their k nearest embeddings classify right, for several k in one search.

    One search at the largest k serves every k. Votes are summed in float64 in neighbour order; ties go to the smaller
    class. A test embedding without an admissible neighbour (it holds NaN or inf, or `groups` leave none) counts as
    wrong; where fewer than k neighbours are admissible, those vote.

    Args:
        embeddings: [N, d], array kinds and dtypes as for `rote.knn`.
        labels: integers [N], numpy, torch or DLPack; moved to the embeddings' device if they lie elsewhere.
        test_embeddings: [Q, d], Q >= 1.
        test_labels: integers [Q]. A label that no embedding has is never predicted.
        k: one number of neighbours, or several.
        metric: "cosine", "l2", "sqeuclidean" or "ip".
        weights: "uniform", "distance" (1 / distance) or "softmax" (exp(cos / temperature)); see `rote.KNNProbe`.
        temperature: of "softmax".
        num_classes: if given, all labels must lie in [0, num_classes); by default any integers are labels.
        groups: (int64 [Q], int64 [N]): a test embedding never gets a neighbour of its own group.

    Returns:
        {k: accuracy in [0, 1]} in the order of `k`, or one float if `k` is an int.

    Raises:
        TypeError: a wrong kind or dtype.
        ValueError: mismatched shapes or devices, no test embeddings, a k outside [1, N], unknown metric or weights.

    Example:
        >>> import numpy as np, rote
        >>> x, y = np.array([[0.0], [0.1], [1.0], [1.1]]), np.array([0, 0, 1, 1])
        >>> rote.knn_accuracy(x, y, np.array([[0.2], [0.9]]), np.array([0, 1]), k=(1, 2), metric="l2")
        {1: 1.0, 2: 1.0}
    """
    references = matrix(embeddings, "embeddings", "N")
    queries = matrix(test_embeddings, "test_embeddings", "Q")
    if references.shape[1] != queries.shape[1]:
        raise ValueError(
            "embeddings and test_embeddings must have the same number of columns d; "
            f"got {describe(embeddings)} and {describe(test_embeddings)}"
        )
    if references.device != queries.device:
        raise ValueError(
            f"embeddings and test_embeddings must be on the same device; got {references.device} and {queries.device}"
        )
    if queries.shape[0] == 0:
        raise ValueError(f"test_embeddings must hold at least one row; got {describe(test_embeddings)}")
    check_weighting(weights, checked_metric(metric), temperature)
    ks = _checked_ks(k, references.shape[0], "the number of embeddings")
    found = _label_tensor(labels, "labels", references, num_classes)
    expected = _label_tensor(test_labels, "test_labels", queries, num_classes)
    distances, indices = knn(queries, references, max(ks), metric, groups=groups)
    result = _accuracies(distances, indices, found, expected, ks, metric, weights, temperature)
    return result if isinstance(k, Sequence) else result[ks[0]]


def leave_one_out_accuracy(
    embeddings: Any,
    labels: Any,
    k: int | Sequence[int] = 20,
    metric: str = "cosine",
    weights: str = "uniform",
    *,
    temperature: float = 0.07,
    num_classes: int | None = None,
    groups: Any = None,
) -> dict[int, float] | float:
    """The share of embeddings that the vote of their k nearest others classifies right.

    An embedding is left out by its identity, not by its distance: a duplicate of it stays a neighbour. With `groups`,
    everything of its own group (other views of the same image, the same patient) is left out as well.

    Args:
        embeddings: [N, d], N >= 2, array kinds and dtypes as for `rote.knn`.
        labels: integers [N].
        k: one number of neighbours, or several; each at most N - 1.
        metric: "cosine", "l2", "sqeuclidean" or "ip".
        weights: "uniform", "distance" or "softmax"; see `rote.KNNProbe`.
        temperature: of "softmax".
        num_classes: if given, all labels must lie in [0, num_classes).
        groups: int64 [N], the group of every embedding.

    Returns:
        One float if `k` is an int, else {k: accuracy} in the order of `k`. An embedding without an admissible neighbour
        counts as wrong.

    Raises:
        TypeError: a wrong kind or dtype.
        ValueError: mismatched shapes or devices, a k outside [1, N - 1], unknown metric or weights.

    Example:
        >>> import torch, rote
        >>> x = torch.tensor([[0.0], [0.1], [1.0], [1.1]])
        >>> rote.leave_one_out_accuracy(x, torch.tensor([0, 0, 1, 1]), k=1, metric="l2")
        1.0
    """
    tensor = matrix(embeddings, "embeddings", "N")
    check_weighting(weights, checked_metric(metric), temperature)
    ks = _checked_ks(k, tensor.shape[0] - 1, "the number of other embeddings")
    classes = _label_tensor(labels, "labels", tensor, num_classes)
    if groups is not None:
        own = vector(groups, "groups", torch.int64, "N", tensor.shape[0], tensor.device)
        groups = (own, own)
    distances, indices = knn(tensor, tensor, max(ks), metric, exclude="self", groups=groups)
    result = _accuracies(distances, indices, classes, classes, ks, metric, weights, temperature)
    return result if isinstance(k, Sequence) else result[ks[0]]


def _accuracies(
    distances: torch.Tensor,
    indices: torch.Tensor,
    labels: torch.Tensor,
    expected: torch.Tensor,
    ks: list[int],
    metric: str,
    weights: str,
    temperature: float,
) -> dict[int, float]:
    names, classes = torch.unique(labels, return_inverse=True)  # sorted, so the smaller class stays the smaller
    increasing = sorted(set(ks))
    correct = dict.fromkeys(increasing, 0)
    for rows in blocks(indices.shape[0], len(names)):
        values = neighbour_weights(distances[rows], indices[rows], metric, weights, temperature)
        votes = cast_votes(values, classes[indices[rows].clamp(min=0)], len(names), increasing)
        for size, sums in zip(increasing, votes, strict=True):
            winner = winners(sums)
            right = (names[winner.clamp(min=0)] == expected[rows]) & (winner >= 0)
            correct[size] += int(right.sum())
    return {size: correct[size] / indices.shape[0] for size in ks}


def _checked_ks(k: int | Sequence[int], available: int, what: str) -> list[int]:
    given = list(k) if isinstance(k, Sequence) and not isinstance(k, str) else [k]
    if not given:
        raise ValueError("k must hold at least one number of neighbours; got none")
    ks = []
    for value in given:
        try:
            size = operator.index(value)
        except TypeError:
            raise TypeError(f"k must be an integer or a sequence of integers; got {k!r}") from None
        if isinstance(value, bool):
            raise TypeError(f"k must be an integer or a sequence of integers; got {k!r}")
        if size < 1 or size > available:
            raise ValueError(f"k must lie between 1 and {what}, {available}; got {size}")
        ks.append(size)
    return ks


def _label_tensor(labels: Any, name: str, rows: torch.Tensor, num_classes: int | None) -> torch.Tensor:
    wanted = f"integers of shape [{rows.shape[0]}]"
    tensor = as_tensor(labels, name, INTEGER_DTYPES, wanted)
    if tuple(tensor.shape) != (rows.shape[0],):
        raise ValueError(f"{name} must be {wanted}, one for each embedding; got {describe(labels)}")
    tensor = tensor.to(rows.device, torch.int64)
    if num_classes is not None and tensor.numel():
        low, high = int(tensor.min()), int(tensor.max())
        if low < 0 or high >= num_classes:
            raise ValueError(f"{name} must lie in [0, num_classes={num_classes}); got values from {low} to {high}")
    return tensor
