"""k-NN accuracies of an embedding: on a test set, and leaving one out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rote.neighbors.arrays import describe
from rote.neighbors.restrictions import Restrictions, resolve, vector
from rote.neighbors.search import checked_metric, matrix
from rote.neighbors.votes import cast_votes, check_same_space, check_weighting, checked_ks, in_order, label_tensor


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

    One search at the largest k serves every k, and the neighbours vote as they are found: no lists of neighbours are
    held. Votes are summed in float64 in neighbour order; ties go to the smaller class. A test embedding without an
    admissible neighbour (it holds NaN or inf, or `groups` leave none) counts as wrong; where fewer than k neighbours
    are admissible, those vote.

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
    check_same_space(references, queries, ("embeddings", "test_embeddings"))
    if queries.shape[0] == 0:
        raise ValueError(f"test_embeddings must hold at least one row; got {describe(test_embeddings)}")
    check_weighting(weights, checked_metric(metric), temperature)
    ks = checked_ks(k, references.shape[0], "the number of embeddings")
    found = _checked_labels(labels, "labels", references, num_classes)
    expected = _checked_labels(test_labels, "test_labels", queries, num_classes)
    restrictions = resolve(None, groups, None, queries.shape[0], references.shape[0], queries.device)
    result = _accuracies(queries, references, found, expected, ks, metric, weights, temperature, restrictions)
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
    ks = checked_ks(k, tensor.shape[0] - 1, "the number of other embeddings")
    classes = _checked_labels(labels, "labels", tensor, num_classes)
    if groups is not None:
        own = vector(groups, "groups", torch.int64, "N", tensor.shape[0], tensor.device)
        groups = (own, own)
    restrictions = resolve("self", groups, None, tensor.shape[0], tensor.shape[0], tensor.device)
    result = _accuracies(tensor, tensor, classes, classes, ks, metric, weights, temperature, restrictions)
    return result if isinstance(k, Sequence) else result[ks[0]]


def _accuracies(
    queries: torch.Tensor,
    references: torch.Tensor,
    labels: torch.Tensor,
    expected: torch.Tensor,
    ks: list[int],
    metric: str,
    weights: str,
    temperature: float,
    restrictions: Restrictions,
) -> dict[int, float]:
    names, classes = torch.unique(labels, return_inverse=True)  # sorted, so the smaller class stays the smaller
    increasing = in_order(ks)
    winners = cast_votes(
        queries,
        references,
        classes,
        len(names),
        increasing,
        metric,
        weights,
        temperature,
        restrictions,
        winners=True,
    )
    right = (names[winners.clamp(min=0)] == expected) & (winners >= 0)
    correct = dict(zip(increasing, right.sum(1).tolist(), strict=True))
    return {size: correct[size] / queries.shape[0] for size in ks}


def _checked_labels(labels: Any, name: str, rows: torch.Tensor, num_classes: int | None) -> torch.Tensor:
    tensor = label_tensor(labels, name, rows)
    if num_classes is not None and tensor.numel():
        low, high = (int(value) for value in tensor.aminmax())
        if low < 0 or high >= num_classes:
            raise ValueError(f"{name} must lie in [0, num_classes={num_classes}); got values from {low} to {high}")
    return tensor
