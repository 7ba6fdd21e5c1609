"""The vote of the neighbours: their weights, and the classes' sums in float64 in neighbour order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

WEIGHTS = ("uniform", "distance", "softmax")

# Votes are float64 [rows, classes]; a block of rows keeps them at 32 MiB however many queries and classes there are.
VOTES_IN_A_BLOCK = 1 << 22


def check_weighting(weights: str, metric: str, temperature: float) -> None:
    """Raise ValueError unless the weighting exists, fits the metric and has a positive temperature."""
    if not isinstance(weights, str) or weights not in WEIGHTS:
        raise ValueError(f"weights must be one of {', '.join(map(repr, WEIGHTS))}; got {weights!r}")
    if weights == "distance" and metric == "ip":
        raise ValueError("weights='distance' needs a distance; metric='ip' is a similarity (use 'softmax')")
    if not 0 < float(temperature) < float("inf"):
        raise ValueError(f"temperature must be positive and finite; got {temperature!r}")


def neighbour_weights(
    distances: torch.Tensor, indices: torch.Tensor, metric: str, weights: str, temperature: float
) -> torch.Tensor:
    """The weight of every neighbour, float64 [Q, k]; 0 where there is no neighbour (index -1).

    "uniform": 1. "distance": 1 / distance, and where a neighbour has distance 0 those count 1 and the others 0 (as
    scikit-learn). "softmax": exp((s - s_max) / T) with s = cos for "cosine", the inner product for "ip" and minus the
    distance for the L2 forms; s_max is the row's maximum (Caron et al. 2021, arXiv 2104.14294, use exp(cos / T), which
    differs by a factor per row and so not in the vote's winner).

    Args:
        distances: float32 [Q, k] as `rote.knn` returns them, nearest first.
        indices: int64 [Q, k].
    """
    present = indices >= 0
    distance = distances.to(torch.float64)
    if weights == "uniform":
        values = torch.ones_like(distance)
    elif weights == "distance":
        at_zero = (distance == 0) & present
        values = torch.where(at_zero.any(1, keepdim=True), at_zero.to(torch.float64), 1.0 / distance)
    else:
        similarity = distance if metric == "ip" else -distance  # cos = 1 - distance: the 1 cancels below
        values = torch.exp((similarity - similarity[:, :1]) / temperature)  # the first is the nearest
    return torch.where(present, values, 0.0)


def cast_votes(
    weights: torch.Tensor, neighbour_classes: torch.Tensor, num_classes: int, ks: Sequence[int]
) -> Iterator[torch.Tensor]:
    """The votes of the first k neighbours for each k of `ks` (increasing): float64 [Q, num_classes].

    The same tensor is yielded again and again, grown in place. Neighbours are added one after another, so a sum does
    not depend on the device or on how many queries stand beside it.

    Args:
        weights: float64 [Q, k].
        neighbour_classes: int64 [Q, k], each in [0, num_classes); anything where the weight is 0.
    """
    votes = weights.new_zeros(weights.shape[0], num_classes)
    wanted = set(ks)
    for rank in range(weights.shape[1]):
        column = neighbour_classes[:, rank : rank + 1]
        # No two writes meet: a column holds one class for each row.
        votes.scatter_(1, column, votes.gather(1, column) + weights[:, rank : rank + 1])
        if rank + 1 in wanted:
            yield votes


def blocks(num_queries: int, num_classes: int) -> Iterator[slice]:
    """Slices of queries whose votes fit `VOTES_IN_A_BLOCK`."""
    rows = max(1, VOTES_IN_A_BLOCK // max(1, num_classes))
    for start in range(0, num_queries, rows):
        yield slice(start, min(start + rows, num_queries))


def winners(votes: torch.Tensor) -> torch.Tensor:
    """The class with the most votes, int64 [Q], the smaller one of a tie; -1 where no neighbour voted."""
    return torch.where(votes.sum(1) > 0, votes.argmax(1), -1)
