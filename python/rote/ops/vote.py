"""The operators `rote::knn_vote` and `rote::knn_vote_winners`: the vote of the k nearest neighbours over classes.

Neighbours vote as the search finds them: no lists of neighbours are made on the CPU, and on CUDA those of a block of
queries at a time. The public functions (`rote.knn_vote`, `rote.knn_accuracy`, `rote.KNNProbe`) end here.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import torch

from rote import _native
from rote.ops.knn_problem import check_problem, native_problem
from rote.ops.library import register

#: rote::VoteWeights in csrc/include/rote/knn.h.
WEIGHT_CODES = {"uniform": 0, "distance": 1, "softmax": 2}

ARGUMENTS = (
    "(Tensor queries, Tensor references, Tensor labels, SymInt num_classes, SymInt[] ks, str metric, "
    "str weights, float temperature, Tensor? exclude=None, Tensor? query_groups=None, "
    "Tensor? reference_groups=None, Tensor? mask=None) -> Tensor"
)


def knn_vote(
    queries: torch.Tensor,
    references: torch.Tensor,
    labels: torch.Tensor,
    num_classes: int,
    ks: Sequence[int],
    metric: str = "cosine",
    weights: str = "uniform",
    temperature: float = 0.07,
    *,
    exclude: torch.Tensor | None = None,
    query_groups: torch.Tensor | None = None,
    reference_groups: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """The votes of every query's k nearest references for every class, several k in one search.

    Args:
        queries, references, metric, exclude, query_groups, reference_groups, mask: as `rote.ops.knn.knn_search`.
        labels: int64 [N], the class of every reference, in [0, num_classes).
        num_classes: number of classes C, at least 1.
        ks: numbers of neighbours, increasing, each in [1, N].
        weights: "uniform", "distance" or "softmax"; see `rote.knn_vote`.
        temperature: of "softmax", positive and finite.

    Returns:
        float64 [len(ks), Q, C], sums of weights in neighbour order; zeros where a query has no neighbours.

    Raises:
        TypeError: a dtype is not the one wanted.
        ValueError: a shape, device, k, metric or weighting is not the one wanted, or a label is no class (on CUDA only
            with the environment variable ROTE_CHECK=1, since looking synchronizes; without it such a reference is a
            neighbour that does not vote).
    """
    return torch.ops.rote.knn_vote(
        queries, references, labels, num_classes, ks, metric, weights, temperature,
        exclude=exclude, query_groups=query_groups, reference_groups=reference_groups, mask=mask,
    )  # fmt: skip


def knn_vote_winners(
    queries: torch.Tensor,
    references: torch.Tensor,
    labels: torch.Tensor,
    num_classes: int,
    ks: Sequence[int],
    metric: str = "cosine",
    weights: str = "uniform",
    temperature: float = 0.07,
    *,
    exclude: torch.Tensor | None = None,
    query_groups: torch.Tensor | None = None,
    reference_groups: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """The class with the most votes, without the votes: arguments and errors are those of `knn_vote`.

    Returns:
        int64 [len(ks), Q]: the smaller class of a tie; -1 where no neighbour has a vote that counts.
    """
    return torch.ops.rote.knn_vote_winners(
        queries, references, labels, num_classes, ks, metric, weights, temperature,
        exclude=exclude, query_groups=query_groups, reference_groups=reference_groups, mask=mask,
    )  # fmt: skip


def _check_vote(queries, references, labels, num_classes, ks, metric, weights, temperature, *restrictions) -> None:
    if len(ks) == 0:
        raise ValueError("ks: wanted at least one number of neighbours, got none")
    check_problem(queries, references, ks[-1], metric, *restrictions)
    if ks[0] < 1:
        raise ValueError(f"ks: wanted at least 1, got {ks[0]}")
    for smaller, larger in itertools.pairwise(ks):
        if larger <= smaller:
            raise ValueError(f"ks: wanted increasing numbers of neighbours, got {larger} after {smaller}")
    if labels.dtype != torch.int64:
        raise TypeError(f"labels: wanted torch.int64, got {labels.dtype}")
    if labels.dim() != 1 or labels.shape[0] != references.shape[0]:
        raise ValueError(f"labels: wanted shape ({references.shape[0]},), got {tuple(labels.shape)}")
    if labels.device != queries.device:
        raise ValueError(f"labels: wanted device {queries.device} like queries, got {labels.device}")
    if num_classes < 1:
        raise ValueError(f"num_classes: wanted at least 1, got {num_classes}")
    if weights not in WEIGHT_CODES:
        raise ValueError(f"weights: wanted one of {', '.join(WEIGHT_CODES)}, got {weights!r}")
    if weights == "distance" and metric == "ip":
        raise ValueError("weights: 'distance' needs a distance, got the metric 'ip'")
    if not 0 < temperature < float("inf"):
        raise ValueError(f"temperature: wanted positive and finite, got {temperature}")


def _check_labels_if_asked(labels: torch.Tensor, num_classes: int) -> None:
    """With ROTE_CHECK=1: the range check that would otherwise cost a synchronization."""
    if os.environ.get("ROTE_CHECK") == "1":
        low, high = (int(value) for value in labels.aminmax())
        if low < 0 or high >= num_classes:
            raise ValueError(f"labels: wanted classes in [0, {num_classes}), got values from {low} to {high}")


def _native_vote(queries, references, labels, num_classes, ks, metric, weights, temperature, restrictions, output):
    """The native descriptions of a search and its vote, and the tensors that must outlive them."""
    # Empty tensors have null pointers: the search writes no neighbours.
    nothing = torch.empty(0), torch.empty(0, dtype=torch.int64)
    problem, keep = native_problem(queries, references, ks[-1], metric, *restrictions, *nothing)
    labels = labels.contiguous()
    pointers = (output.data_ptr(), 0) if output.dtype == torch.float64 else (0, output.data_ptr())
    vote = _native.KnnVote(
        labels.data_ptr(), num_classes, WEIGHT_CODES[weights], float(temperature), list(ks), *pointers, queries.shape[0]
    )
    return problem, vote, (keep, labels)


def vote_cpu(queries, references, labels, num_classes, ks, metric, weights, temperature, output, *, exclude=None,
             query_groups=None, reference_groups=None, mask=None, level="auto", path="auto") -> None:  # fmt: skip
    """Votes into `output`: contiguous float64 [len(ks), Q, C] for scores, int64 [len(ks), Q] for winners."""
    restrictions = (exclude, query_groups, reference_groups, mask)
    _check_vote(queries, references, labels, num_classes, ks, metric, weights, temperature, *restrictions)
    problem, vote, keep = _native_vote(
        queries, references, labels, num_classes, ks, metric, weights, temperature, restrictions, output
    )
    _native.knn_vote(problem, vote, torch.get_num_threads(), level, path)
    del keep


def _allocate_scores(queries: torch.Tensor, num_classes: int, ks: Sequence[int]) -> torch.Tensor:
    return torch.empty((len(ks), queries.shape[0], num_classes), dtype=torch.float64, device=queries.device)


def _allocate_winners(queries: torch.Tensor, num_classes: int, ks: Sequence[int]) -> torch.Tensor:
    return torch.empty((len(ks), queries.shape[0]), dtype=torch.int64, device=queries.device)


def _implementations(allocate):
    """The operator's CPU, CUDA and fake implementation; `allocate` makes its result."""

    def cpu(queries, references, labels, num_classes, ks, metric, weights, temperature, exclude=None,
            query_groups=None, reference_groups=None, mask=None):  # fmt: skip
        restrictions = (exclude, query_groups, reference_groups, mask)
        _check_vote(queries, references, labels, num_classes, ks, metric, weights, temperature, *restrictions)
        output = allocate(queries, num_classes, ks)
        vote_cpu(
            queries, references, labels, num_classes, ks, metric, weights, temperature, output,
            exclude=exclude, query_groups=query_groups, reference_groups=reference_groups, mask=mask,
        )  # fmt: skip
        return output

    def cuda(queries, references, labels, num_classes, ks, metric, weights, temperature, exclude=None,
             query_groups=None, reference_groups=None, mask=None):  # fmt: skip
        restrictions = (exclude, query_groups, reference_groups, mask)
        _check_vote(queries, references, labels, num_classes, ks, metric, weights, temperature, *restrictions)
        _check_labels_if_asked(labels, num_classes)
        output = allocate(queries, num_classes, ks)
        with torch.cuda.device(queries.device):
            path = os.environ.get("ROTE_KNN_PATH") or "auto"
            size = _native.knn_vote_workspace_bytes(
                queries.shape[0], references.shape[0], queries.shape[1], ks[-1], num_classes,
                output.dtype == torch.float64, path,
            )  # fmt: skip
            workspace = torch.empty(size, dtype=torch.uint8, device=queries.device)
            problem, vote, keep = _native_vote(
                queries, references, labels, num_classes, ks, metric, weights, temperature, restrictions, output
            )
            stream = torch.cuda.current_stream().cuda_stream
            _native.knn_vote_cuda(problem, vote, workspace.data_ptr(), stream, path)
            del keep  # freed in stream order by torch's caching allocator
        return output

    def fake(queries, references, labels, num_classes, ks, metric, weights, temperature, exclude=None,
             query_groups=None, reference_groups=None, mask=None):  # fmt: skip
        restrictions = (exclude, query_groups, reference_groups, mask)
        _check_vote(queries, references, labels, num_classes, ks, metric, weights, temperature, *restrictions)
        return allocate(queries, num_classes, ks)

    return {"cpu": cpu, "cuda": cuda, "fake": fake}


register("knn_vote" + ARGUMENTS, **_implementations(_allocate_scores))
register("knn_vote_winners" + ARGUMENTS, **_implementations(_allocate_winners))
