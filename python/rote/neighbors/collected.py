"""Rows that arrive batch by batch: embeddings, labels and groups of one role, joined here and across ranks."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.distributed as dist

from rote.neighbors.arrays import INTEGER_DTYPES, as_tensor, describe
from rote.neighbors.ranks import Ranks
from rote.neighbors.restrictions import vector
from rote.neighbors.search import matrix


class Rows(NamedTuple):
    """Embeddings [N, d], labels int64 [N] and groups int64 [N], the last None where none were given."""

    embeddings: torch.Tensor
    labels: torch.Tensor
    groups: torch.Tensor | None


class Shape(NamedTuple):
    """What other ranks must know of a rank's rows; all but the number is meaningless where there are none."""

    rows: int = 0
    columns: int = 0
    dtype: str = ""
    device: str = ""
    grouped: bool = False


class Roles(NamedTuple):
    """A rank's rows that may be neighbours, and those that are classified."""

    train: Shape
    test: Shape


class CollectedRows:
    """The batches of one role. They are copied, so that no caller's buffer is held or watched."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shape = Shape()
        self._batches: list[Rows] = []

    def add(
        self, embeddings: Any, labels: Any, groups: Any, device: torch.device | None, num_classes: int | None
    ) -> None:
        """Check a batch against those before it and keep a copy on `device`."""
        given = matrix(embeddings, "embeddings", "B")
        size = given.shape[0]
        wanted = f"integers of shape [{size}]"
        classes = as_tensor(labels, "labels", INTEGER_DTYPES, wanted)
        if tuple(classes.shape) != (size,):
            raise ValueError(f"labels must be {wanted}, one for each embedding; got {describe(labels)}")
        if num_classes is not None and size:
            low, high = int(classes.min()), int(classes.max())
            if low < 0 or high >= num_classes:
                raise ValueError(f"labels must lie in [0, num_classes={num_classes}); got values from {low} to {high}")
        if groups is not None:
            ids = as_tensor(groups, "groups", (torch.int64,), "int64 of shape [B]")
            groups = vector(ids, "groups", torch.int64, "B", size, ids.device)
        if not size:
            return
        dtype = str(given.dtype).removeprefix("torch.")
        device = given.device if device is None else device
        shape = Shape(size, given.shape[1], dtype, str(device), groups is not None)
        if self._batches:
            shape = self._continued(shape)
        batch = _allocate(shape._replace(rows=size), device)
        _put(batch, 0, Rows(given, classes, groups))
        self._batches.append(batch)
        self.shape = shape

    def joined(self) -> Rows:
        """All batches as one, kept in their place; each is freed as soon as it is copied."""
        if len(self._batches) > 1:
            whole = _allocate(self.shape, self._batches[0].embeddings.device)
            start = 0
            self._batches.reverse()
            while self._batches:
                start = _put(whole, start, self._batches.pop())
            self._batches = [whole]
        return self._batches[0] if self._batches else Rows(torch.empty(0, 0), torch.empty(0, dtype=torch.int64), None)

    def of_all_ranks(self, shapes: list[Shape], ranks: Ranks, device: torch.device) -> Rows:
        """The rows of every rank in the order of the ranks, on `device`; this rank's own stay as they are.

        Each rank sends its rows straight to their place, as many as it has; nothing is padded.
        """
        known = next(shape for shape in shapes if shape.rows)
        whole = _allocate(known._replace(rows=sum(shape.rows for shape in shapes)), device)
        start = 0
        for rank, shape in enumerate(shapes):
            place = _slice(whole, start, shape.rows)
            start += shape.rows
            if not shape.rows:
                continue
            if rank == ranks.rank:
                _put(place, 0, self.joined())
            for part in place:
                if part is not None:
                    _broadcast(part, rank, ranks)
        return whole

    def _continued(self, batch: Shape) -> Shape:
        """The shape of all batches with one more, which must be of the same kind."""
        for what in ("columns", "dtype", "device"):
            had, has = getattr(self.shape, what), getattr(batch, what)
            if had != has:
                raise ValueError(f"embeddings must have the {what} of the {self.name} batches before, {had}; got {has}")
        if self.shape.grouped != batch.grouped:
            those, this = ("have", "has none") if self.shape.grouped else ("have none", "has")
            raise ValueError(
                f"groups must be given with all {self.name} batches or with none; those before {those}, this one {this}"
            )
        return batch._replace(rows=self.shape.rows + batch.rows)


def checked_together(ranks: list[Roles], leave_one_out: bool) -> tuple[int, int]:
    """The number of rows that may be neighbours and of rows to classify, on all ranks.

    Every rank checks the same list, so that all raise where one would.

    Raises:
        ValueError: no rows in a role, roles or ranks that do not fit together.
    """
    role = "row" if leave_one_out else "test row"
    sums = tuple(sum(shapes[position].rows for shapes in ranks) for position in (0, 1))
    if not sums[0] and not leave_one_out:
        raise ValueError("compute needs at least one train row; got none")
    if not sums[1]:
        raise ValueError(f"compute needs at least one {role}; got none")
    filled = [shape for shapes in ranks for shape in shapes if shape.rows]
    for what, values in (
        ("number of columns", {shape.columns for shape in filled}),
        ("kind of device", {shape.device.partition(":")[0] for shape in filled}),
        ("answer whether groups are given", {shape.grouped for shape in filled}),
    ):
        if len(values) > 1:
            raise ValueError(
                f"train and test rows of all ranks must have the same {what}; got {', '.join(map(str, sorted(values)))}"
            )
    for position, name in enumerate(Roles._fields):
        dtypes = {shapes[position].dtype for shapes in ranks if shapes[position].rows}
        if len(dtypes) > 1:
            raise ValueError(f"{name} rows of all ranks must have the same dtype; got {', '.join(sorted(dtypes))}")
    for rank, (train, test) in enumerate(ranks):
        if train.rows and test.rows and train.device != test.device:
            raise ValueError(
                f"train and test rows of a rank must be on the same device; got {train.device} and {test.device} "
                f"on rank {rank}"
            )
    return sums


def _allocate(shape: Shape, device: torch.device) -> Rows:
    def ids() -> torch.Tensor:
        return torch.empty(shape.rows, dtype=torch.int64, device=device)

    embeddings = torch.empty(shape.rows, shape.columns, dtype=getattr(torch, shape.dtype), device=device)
    return Rows(embeddings, ids(), ids() if shape.grouped else None)


def _slice(rows: Rows, start: int, length: int) -> Rows:
    return Rows(*(None if part is None else part[start : start + length] for part in rows))


def _put(whole: Rows, start: int, batch: Rows) -> int:
    """Copy a batch to its place; the place after it."""
    for target, source in zip(_slice(whole, start, len(batch.labels)), batch, strict=True):
        if target is not None:
            target.copy_(source)
    return start + len(batch.labels)


def _broadcast(part: torch.Tensor, source: int, ranks: Ranks) -> None:
    """Contiguous rows from a rank into their place on all, as bytes, since not every backend carries every dtype.

    Rows on a device that no backend of the group serves (the host under "nccl") pass through one that is served.
    """
    served = [entry.partition(":")[0] for entry in dist.get_backend_config(ranks.group).split(",")]
    data = part.view(torch.uint8)
    wire = data if part.device.type in served else data.to(served[0])
    dist.broadcast(wire, group=ranks.group, group_src=source)
    if wire is not data:
        data.copy_(wire)
