"""rote/metrics/vote.py: k-NN accuracy of one layer where neither queries nor references need to fit memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor

from rote.metrics.features import Features
from rote.neighbors import knn_streamed


def vote_correct(
    queries: Features,
    references: Features | Sequence[Features],
    query_labels: Tensor,
    reference_labels: Tensor,
    k: int,
    *,
    groups: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Which queries the uniform vote of their k nearest references, by cosine, classifies right.

    Exact search by `rote.knn_streamed`; ties of votes go to the smaller class. Where fewer than k references are
    admissible those vote; a query without any counts as wrong.

    Args:
        queries: Q rows.
        references: N rows of the same layer, in one part or several.
        query_labels: int64 [Q].
        reference_labels: int64 [N], from 0 on.
        k: neighbours that vote, at most N.
        groups: (int64 [Q], int64 [N]); a query gets no reference of its own group.

    Returns:
        bool [Q] on the CPU.

    Raises:
        ValueError: lengths or k that do not fit.
    """
    parts = [references] if isinstance(references, Features) else list(references)
    count = sum(len(part) for part in parts)
    for name, labels, rows in (
        ("query_labels", query_labels, len(queries)),
        ("reference_labels", reference_labels, count),
    ):
        if labels.dtype != torch.int64 or labels.shape != (rows,):
            raise ValueError(f"{name} must be int64 [{rows}]; got {labels.dtype} {tuple(labels.shape)}")
    if not 1 <= k <= count:
        raise ValueError(f"k must be between 1 and the number of references, {count}; got {k}")
    answers = []
    start = 0
    for chunk in queries.blocks():
        own = None
        if groups is not None:
            own = (groups[0][start : start + len(chunk)].to(chunk.device), groups[1])
        _, indices = knn_streamed(chunk, chain.from_iterable(part.chunks() for part in parts), k, "cosine", groups=own)
        answers.append(majority(reference_labels, indices.cpu()))
        start += len(chunk)
    return torch.cat(answers) == query_labels.cpu()


def majority(labels: Tensor, indices: Tensor) -> Tensor:
    """The most frequent label among neighbours, the smallest of those where several are; -1 where there are none.

    Args:
        labels: int64 [N], from 0 on.
        indices: int64 [Q, k] of neighbours, -1 for none.

    Returns:
        int64 [Q].
    """
    found = indices >= 0
    voted = torch.where(found, labels.cpu()[indices.clamp(min=0)], -1)
    # Votes of a label are counted in the columns where it stands, so that labels may be many (one for every image).
    votes = torch.zeros_like(voted)
    for column in range(voted.shape[1]):
        votes += voted == voted[:, column : column + 1]
    votes = torch.where(found, votes, 0)
    best = votes == votes.max(1, keepdim=True).values
    winner = torch.where(best & found, voted, torch.iinfo(torch.int64).max).min(1).values
    return torch.where(found.any(1), winner, -1)
