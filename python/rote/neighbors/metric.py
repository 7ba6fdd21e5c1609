"""`rote.KNNAccuracy`: k-NN accuracies of embeddings that arrive batch by batch, on one process or on many."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from rote.neighbors.accuracy import knn_accuracy, leave_one_out_accuracy
from rote.neighbors.collected import CollectedRows, Roles, Shape, checked_together
from rote.neighbors.ranks import Ranks
from rote.neighbors.search import checked_metric
from rote.neighbors.votes import check_weighting

ROLES = {True: "train", False: "test"}


class KNNAccuracy:
    """`rote.knn_accuracy` as an object with `reset`, `update` and `compute`, in the manner of torchmetrics.

    `update` copies the rows of a batch; `compute` searches once at the largest k. Nothing is converted: rows are kept
    in the dtype in which they come, N * d * itemsize bytes for each role, on `device`. Batches are kept apart until
    `compute`, which joins them; on the host a batch is freed as soon as it is copied, on a GPU both stand side by side
    for a moment.

    Where `torch.distributed` is initialized, every rank updates with rows of its own, as many as it has (also none),
    and `compute`, which all ranks must call, gathers the train rows on every rank, has each rank classify its own test
    rows and adds the counts up: all ranks return the accuracies of all rows. A row given to two ranks counts twice, so
    samplers that pad (`DistributedSampler` without drop_last) shift the result. Gathered rows stand in the order of the
    ranks; that order decides only between neighbours at exactly equal distances.

    Args:
        k: one number of neighbours, or several; all of them come from one search.
        num_classes: if given, labels must lie in [0, num_classes), which `update` checks (a synchronization, where they
            are on a GPU). By default any integers are labels.
        metric: "cosine", "l2", "sqeuclidean" or "ip".
        weights: "uniform", "distance" or "softmax"; see `rote.KNNProbe`.
        temperature: of "softmax".
        leave_one_out: there is one set of rows, each classified by the others as in `rote.leave_one_out_accuracy`.
        device: where the rows are kept and searched; by default where they come from.
        process_group: the ranks that `compute` joins; by default all of them.
        sync_on_compute: False for the accuracies of this rank's rows alone.

    Raises:
        TypeError, ValueError: a k below 1, an unknown metric or weighting, a temperature that is not positive.

    Example:
        >>> import torch, rote
        >>> accuracy = rote.KNNAccuracy(k=(1, 2), metric="l2")
        >>> accuracy.update(torch.tensor([[0.0], [0.1]]), torch.tensor([0, 0]), train=True)
        >>> accuracy.update(torch.tensor([[1.0], [1.1]]), torch.tensor([1, 1]), train=True)
        >>> accuracy.update(torch.tensor([[0.2], [0.9]]), torch.tensor([0, 1]), train=False)
        >>> accuracy.compute()
        {1: 1.0, 2: 1.0}
    """

    def __init__(
        self,
        k: int | Sequence[int] = (1, 5, 20),
        num_classes: int | None = None,
        metric: str = "cosine",
        weights: str = "uniform",
        *,
        temperature: float = 0.07,
        leave_one_out: bool = False,
        device: torch.device | str | None = None,
        process_group: dist.ProcessGroup | None = None,
        sync_on_compute: bool = True,
    ) -> None:
        check_weighting(weights, checked_metric(metric), temperature)
        self.k = k
        self._ks = _checked_ks(k)
        self.num_classes = num_classes
        self.metric = metric
        self.weights = weights
        self.temperature = temperature
        self.leave_one_out = leave_one_out
        self.device = None if device is None else torch.device(device)
        self.process_group = process_group
        self.sync_on_compute = sync_on_compute
        self.reset()

    def reset(self) -> None:
        """Forget all rows and give their memory back."""
        self._rows = {name: CollectedRows(name) for name in ROLES.values()}

    def update(self, embeddings: Any, labels: Any, train: bool | None = None, *, groups: Any = None) -> None:
        """Add a batch.

        Args:
            embeddings: [B, d], array kinds and dtypes as for `rote.knn`; B = 0 is allowed. d, dtype and device must be
                those of the role's first batch. Gradients are not followed.
            labels: integers [B], on any device.
            train: True for rows that may be neighbours, False for rows that are classified. Left out with
                `leave_one_out`, where every row is both.
            groups: int64 [B]: a row is never classified by rows of its own group (other views of the same image, the
                same patient, the same video), by ids that mean the same on all ranks. All batches have them, or none.

        Raises:
            TypeError: a wrong kind or dtype, or no role.
            ValueError: a wrong shape, or a label outside [0, num_classes).
        """
        if self.leave_one_out:
            if train is not None:
                raise TypeError(f"train must be left out with leave_one_out=True; got {train!r}")
            train = True
        elif not isinstance(train, bool):
            raise TypeError(f"train must be True (may be a neighbour) or False (is classified); got {train!r}")
        self._rows[ROLES[train]].add(embeddings, labels, groups, self.device, self.num_classes)

    def compute(self) -> dict[int, float] | float:
        """The accuracies of everything given since the last `reset`; more batches may follow.

        Returns:
            {k: accuracy in [0, 1]} in the order of `k`, or one float if `k` is an int; on all ranks the same.

        Raises:
            ValueError: no rows to classify, a k larger than the number of rows that may be neighbours, roles or ranks
                that differ in d or groups, or ranks that differ in dtype. Every rank raises the same.
        """
        ranks = self._other_ranks()
        own = Roles(self._rows["train"].shape, self._rows["train" if self.leave_one_out else "test"].shape)
        shapes = [own] if ranks is None else ranks.exchange(own)
        num_references, num_queries = checked_together(shapes, self.leave_one_out)
        available = num_references - self.leave_one_out
        if max(self._ks) > available:
            raise ValueError(
                f"k must lie between 1 and the number of {'other rows' if self.leave_one_out else 'train rows'}, "
                f"{available}; got {max(self._ks)}"
            )
        if ranks is None:
            return self._accuracy(list(self._ks) if isinstance(self.k, Sequence) else self._ks[0])
        correct = ranks.exchange(self._correct_of_own_rows([roles.train for roles in shapes], ranks, own))
        shares = {k: sum(counts[k] for counts in correct) / num_queries for k in self._ks}
        return shares if isinstance(self.k, Sequence) else shares[self._ks[0]]

    def __repr__(self) -> str:
        held = ", ".join(f"{rows.shape.rows} {name}" for name, rows in self._rows.items())
        return f"KNNAccuracy(k={self.k}, metric={self.metric!r}, weights={self.weights!r}; {held} rows)"

    def _other_ranks(self) -> Ranks | None:
        """The ranks to join; None where this process stands alone."""
        if not (self.sync_on_compute and dist.is_available() and dist.is_initialized()):
            return None
        ranks = Ranks(self.process_group)
        return ranks if ranks.count > 1 else None

    def _accuracy(self, k: int | list[int]) -> dict[int, float] | float:
        """The accuracies of the rows of this process."""
        voting = {"metric": self.metric, "weights": self.weights, "temperature": self.temperature}
        train = self._rows["train"].joined()
        if self.leave_one_out:
            return leave_one_out_accuracy(train.embeddings, train.labels, k, groups=train.groups, **voting)
        test = self._rows["test"].joined()
        groups = None if test.groups is None else (test.groups, train.groups)
        return knn_accuracy(train.embeddings, train.labels, test.embeddings, test.labels, k, groups=groups, **voting)

    def _correct_of_own_rows(self, shapes: list[Shape], ranks: Ranks, own: Roles) -> dict[int, int]:
        """How many of this rank's own rows the train rows of all ranks classify right, for each k."""
        train = self._rows["train"].of_all_ranks(shapes, ranks, self._search_device(own))
        test = self._rows["train" if self.leave_one_out else "test"].joined()
        if not len(test.labels):
            return dict.fromkeys(self._ks, 0)
        groups = None if test.groups is None else (test.groups, train.groups)
        if self.leave_one_out and groups is None:  # each row is its own group: its place among the rows of all ranks
            places = torch.arange(len(train.labels), device=train.embeddings.device)
            first = sum(shape.rows for shape in shapes[: ranks.rank])
            groups = (places[first : first + len(test.labels)], places)
        shares = knn_accuracy(
            train.embeddings,
            train.labels,
            test.embeddings,
            test.labels,
            self._ks,
            self.metric,
            self.weights,
            temperature=self.temperature,
            groups=groups,
        )
        return {k: round(share * len(test.labels)) for k, share in shares.items()}  # a count / its total, back again

    def _search_device(self, own: Roles) -> torch.device:
        """Where this rank's rows are, or would be."""
        if self.device is not None:
            return self.device
        return torch.device(next((shape.device for shape in own if shape.rows), "cpu"))


def _checked_ks(k: int | Sequence[int]) -> list[int]:
    """The numbers of neighbours as a list; how many rows there will be is not known yet."""
    ks = []
    for value in k if isinstance(k, Sequence) and not isinstance(k, str) else [k]:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"k must be an integer or a sequence of integers; got {k!r}")
        ks.append(operator.index(value))
        if ks[-1] < 1:
            raise ValueError(f"k must be at least 1; got {ks[-1]}")
    if not ks:
        raise ValueError("k must hold at least one number of neighbours; got none")
    return ks
