"""rote/metrics/record_state.py: the tensors of a recorder, and how they are saved and loaded."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rote.metrics.example_scores import EPOCHS
from rote.ops.record import COUNTS, RecordTensors, record_tensors

_COUNT = {name: column for column, name in enumerate(COUNTS)}
# Of a saved state; "logits" where they are kept. Those of the rank's own rows have "own_" before the name.
_TENSORS = ("counts", "sums", "values", "logits")


class RecordState:
    """What is recorded of n examples.

    Args:
        n: number of examples.
        device: where it lies.
        num_classes: columns of the logits, where they are kept.
        rank: (rank, number of ranks) where several record together.

    Attributes:
        whole: of a process that stands alone, all up to now; of several ranks, all that any of them saw up to the last
            end of an epoch, the same on every rank.
        own: of several ranks, what this one saw in the running epoch, recorded from nothing; None: it stands alone.
        epochs: int32 [n, 5], columns `EPOCHS`.
        rank: as given.
    """

    def __init__(
        self, n: int, device: torch.device, num_classes: int | None = None, *, rank: tuple[int, int] | None = None
    ) -> None:
        self.whole = record_tensors(n, device, num_classes=num_classes)
        self.own = None if rank is None else record_tensors(n, device, num_classes=num_classes)
        self.epochs = torch.zeros(n, len(EPOCHS), dtype=torch.int32, device=device)
        self.rank = rank

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self.whole.counts.device

    @property
    def recording(self) -> RecordTensors:
        """What an update changes."""
        return self.whole if self.own is None else self.own

    def last(self) -> tuple[Tensor, Tensor]:
        """bool [n]: which examples were shown in this epoch, and which were right at their last presentation."""
        counts = self.whole.counts
        shown = counts[:, _COUNT["presentations"]]
        ever_wrong = shown > counts[:, _COUNT["correct"]]
        wrong = ever_wrong & (counts[:, _COUNT["last_incorrect"]] == shown - 1)
        return counts[:, _COUNT["seen"]] > 0, (shown > 0) & ~wrong

    def begin_epoch_(self) -> None:
        """Nothing was shown yet in the epoch that begins."""
        self.whole.counts[:, _COUNT["seen"]] = 0
        self.clear_own_()

    def clear_own_(self) -> None:
        """Forgets what this rank alone saw."""
        for tensor in self.own[:3] if self.own is not None else ():
            tensor.zero_()

    def clear_(self) -> None:
        """Forgets everything."""
        for tensor in (*self.whole[:3], self.epochs):
            tensor.zero_()
        self.clear_own_()

    def to(self, device: torch.device) -> RecordState:
        """A copy on another device."""
        n, kept = len(self.epochs), self.whole.logits
        moved = RecordState(n, device, None if kept is None else kept.shape[1], rank=self.rank)
        for name, tensor in moved._parts().items():
            tensor.copy_(self._parts()[name])
        return moved

    def named(self) -> dict[str, Tensor]:
        """The live tensors, to be saved by name."""
        if self.own is None:
            return self._parts()
        return {**self._parts(), "rank": torch.tensor(self.rank)}

    def load_(self, state: Mapping[str, Tensor]) -> None:
        """Goes back to tensors of `named`, in place, since a captured graph goes on with the same memory.

        Raises:
            ValueError: a shape is not the one wanted, or the state holds what another rank alone saw.
        """
        parts = self._parts()
        own_rows = "own_counts" in state and bool(state["own_counts"].any())
        if own_rows and self.rank != (saved := tuple(state["rank"].tolist())):
            here = "one process" if self.rank is None else "rank {} of {}".format(*self.rank)
            raise ValueError(
                "own_counts: wanted a state that this rank saved, or one of an epoch's end; got one with what "
                "rank {} of {} alone saw of an epoch, on {}".format(*saved, here)
            )
        loaded = {name for name in parts if name in state} if own_rows else parts.keys() & set(_TENSORS) | {"epochs"}
        for name in sorted(loaded & state.keys()):
            if parts[name].shape != state[name].shape:
                raise ValueError(f"{name}: wanted shape {list(parts[name].shape)}, got {list(state[name].shape)}")
        self.clear_own_()
        for name in loaded & state.keys():
            parts[name].copy_(state[name])

    def _parts(self) -> dict[str, Tensor]:
        found = {name: getattr(self.whole, name) for name in _TENSORS} | {"epochs": self.epochs}
        if self.own is not None:
            found |= {f"own_{name}": getattr(self.own, name) for name in _TENSORS}
        return {name: tensor for name, tensor in found.items() if tensor is not None}
