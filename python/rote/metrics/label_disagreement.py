"""rote/metrics/label_disagreement.py: how many of an example's nearest neighbours carry another label than its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from rote.neighbors import knn_vote
from rote.neighbors.search import matrix
from rote.neighbors.votes import label_tensor


class Disagreement(NamedTuple):
    """What the neighbours of every example say of its label.

    Attributes:
        score: float64 [N] in [0, 1], the share of votes for other labels; NaN without an admissible neighbour.
        suggested: int64 [N], the label with the most votes, the smallest of equals; -1 without a neighbour.
        share: float64 [N], the share of the votes for it; NaN without a neighbour.
    """

    score: Tensor
    suggested: Tensor
    share: Tensor


def knn_disagreement(
    embeddings: Any,
    labels: Any,
    k: int = 20,
    metric: str = "cosine",
    weights: str = "uniform",
    *,
    num_classes: int | None = None,
    temperature: float = 0.07,
    groups: Any = None,
) -> Disagreement:
    """The share of each example's k nearest others that carry another label: a score of suspicion of its label.

    score_i = 1 - sum_{j in N_k(i)} w_ij [y_j = y_i] / sum_{j in N_k(i)} w_ij, N_k(i) the k nearest examples other than
    i itself by exact search (ties of distance go to the lower index). The example is left out by its identity: an exact
    duplicate of it is a neighbour at distance 0 and votes.

    Args:
        embeddings: [N, d], N > k, array kinds and dtypes as for `rote.knn`.
        labels: integers [N], at least 0: the labels under suspicion.
        k: number of neighbours.
        metric: "cosine", "l2", "sqeuclidean" or "ip".
        weights: of a neighbour's vote, "uniform", "distance" or "softmax" as for `rote.knn_vote`. The uniform score
            takes k + 1 values; a weighted one tells equals apart.
        num_classes: number of classes; None counts the labels that occur, however large their numbers are.
        temperature: of "softmax".
        groups: int64 [N]: nothing of an example's own group is its neighbour (other views of it, the same patient).

    Raises:
        TypeError, ValueError: as `rote.knn_vote`; a k above N - 1.
    """
    rows = matrix(embeddings, "embeddings", "N")
    own = label_tensor(labels, "labels", rows)
    if len(rows) < 2 or not 1 <= k <= len(rows) - 1:
        raise ValueError(f"k must lie between 1 and the number of other embeddings, {len(rows) - 1}; got {k}")
    if int(own.min()) < 0:
        raise ValueError(f"labels must be at least 0; got {int(own.min())}")
    # Labels may be any numbers (years, WordNet offsets): votes get a column for each that occurs, in their order.
    names = None
    if num_classes is None:
        names, own = torch.unique(own, return_inverse=True)
        num_classes = len(names)
    votes = knn_vote(
        rows,
        rows,
        own,
        k,
        metric,
        weights,
        num_classes=num_classes,
        temperature=temperature,
        exclude="self",
        groups=None if groups is None else (groups, groups),
    )
    total = votes.sum(1)
    agreeing = votes.gather(1, own[:, None])[:, 0]
    most, suggested = votes.max(1)
    nothing = total == 0
    if names is not None:
        suggested = names[suggested]
    return Disagreement(
        torch.where(nothing, torch.nan, (total - agreeing) / total).cpu(),
        torch.where(nothing, -1, suggested).cpu(),
        torch.where(nothing, torch.nan, most / total).cpu(),
    )
