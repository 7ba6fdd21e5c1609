"""rote/train/running.py: running loss and accuracy, summed where the network runs and read when somebody asks."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

_NEVER = torch.iinfo(torch.int64).max
# What is summed up: since the last look, and since the epoch began.
_LOOK, _EPOCH = 0, 1


class Running(NamedTuple):
    """Means over some steps, in train mode on the augmented batches."""

    loss: float
    accuracy: float
    samples: int


class RunningEpoch(NamedTuple):
    """Means over one epoch; `epoch` counts from 1, so it is the number of epochs done at its end."""

    epoch: int
    loss: float
    accuracy: float
    samples: int


class RunningSums:
    """Sums of loss x samples, of correct predictions and of samples: since the last look, and of each epoch.

    On the CPU numbers are read at once, which costs less than adding tensors. On a device they are added up there: no
    step waits, and what an epoch came to is put aside and read later.

    Args:
        device: where the network runs.
    """

    def __init__(self, device: torch.device) -> None:
        self._sums = _HostSums() if device.type == "cpu" else _DeviceSums(device)
        self._epochs: list[tuple[int, Tensor]] = []

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Counts a step in.

        Args:
            loss: scalar, the mean over the batch.
            logits: float [B, C].
            labels: int64 [B], the images' own.
        """
        correct = (logits.detach().argmax(1) == labels).sum()
        self._sums.add(loss.detach(), correct, len(labels))

    def end_epoch(self, epoch: int) -> None:
        """Puts the sums of an epoch aside; `epoch` counts from 1."""
        self._epochs.append((epoch, self._sums.row(_EPOCH)))
        self._sums.clear(_EPOCH)

    @property
    def bad_step_seen(self) -> bool:
        """Whether a loss that is not finite is known of without waiting; on a device that is never so."""
        return isinstance(self._sums, _HostSums) and self._sums.bad_step is not None

    def bad_step(self) -> int | None:
        """The first step whose loss was not finite; waits for the device."""
        return self._sums.bad_step

    def take(self) -> Running:
        """The means since the last call, and starts anew; waits for the device."""
        means = _means(self._sums.row(_LOOK).tolist())
        self._sums.clear(_LOOK)
        return Running(*means)

    def take_epochs(self) -> list[RunningEpoch]:
        """The means of every epoch that ended since the last call; waits for the device."""
        if not self._epochs:
            return []
        sums = torch.stack([row for _, row in self._epochs]).tolist()
        epochs = [RunningEpoch(epoch, *_means(row)) for (epoch, _), row in zip(self._epochs, sums, strict=True)]
        self._epochs = []
        return epochs

    def state_dict(self) -> dict[str, Tensor]:
        """`sums` float64 [2, 3]; `epochs` float64 [E, 3] and `epoch_numbers` int64 [E] of those not taken yet."""
        rows = [row for _, row in self._epochs]
        return {
            "sums": torch.stack((self._sums.row(_LOOK), self._sums.row(_EPOCH))),
            "epochs": torch.stack(rows) if rows else torch.zeros(0, 3, dtype=torch.float64),
            "epoch_numbers": torch.tensor([epoch for epoch, _ in self._epochs], dtype=torch.int64),
        }

    def load_state_dict(self, state: dict[str, Any], step: int) -> None:
        """Goes back to a state of `state_dict`, in front of `step`."""
        self._sums.restart(state["sums"], step)
        # To where the epochs to come will be put: a checkpoint is read to the CPU.
        rows = state["epochs"].to(self._sums.row(_EPOCH).device, copy=True).unbind()
        self._epochs = list(zip(state["epoch_numbers"].tolist(), rows, strict=True))


class _HostSums:
    """The sums as Python numbers."""

    def __init__(self) -> None:
        self._rows = [[0.0, 0, 0], [0.0, 0, 0]]
        self._step = 0
        self.bad_step: int | None = None

    def add(self, loss: Tensor, correct: Tensor, samples: int) -> None:
        mean, hits = loss.item(), correct.item()
        for row in self._rows:
            row[0] += mean * samples
            row[1] += hits
            row[2] += samples
        # Only the first such step counts: the weights of all later ones follow from it.
        if self.bad_step is None and not math.isfinite(mean):
            self.bad_step = self._step
        self._step += 1

    def row(self, index: int) -> Tensor:
        return torch.tensor(self._rows[index], dtype=torch.float64)

    def clear(self, index: int) -> None:
        self._rows[index] = [0.0, 0, 0]

    def restart(self, sums: Tensor, step: int) -> None:
        self._rows = [[loss, int(correct), int(samples)] for loss, correct, samples in sums.tolist()]
        self._step = step
        self.bad_step = None


class _DeviceSums:
    """The sums on a device. `add` runs there as a whole, the number of the step too, so it can be captured."""

    def __init__(self, device: torch.device) -> None:
        self._rows = torch.zeros(2, 3, dtype=torch.float64, device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._bad_step = torch.full_like(self._step, _NEVER)

    def add(self, loss: Tensor, correct: Tensor, samples: int) -> None:
        self._rows += torch.stack((loss.double() * samples, correct, torch.full_like(correct, samples)))
        # Filled in, not chosen by torch.where, which would copy the number to the device and wait for it.
        self._bad_step.clamp_(max=self._step.masked_fill(loss.isfinite(), _NEVER))
        self._step.add_(1)

    @property
    def bad_step(self) -> int | None:
        step = int(self._bad_step)
        return None if step == _NEVER else step

    def row(self, index: int) -> Tensor:
        return self._rows[index].clone()

    def clear(self, index: int) -> None:
        self._rows[index].zero_()

    def restart(self, sums: Tensor, step: int) -> None:
        self._rows.copy_(sums)
        self._step.fill_(step)
        self._bad_step.fill_(_NEVER)


def _means(sums: list[float]) -> tuple[float, float, int]:
    loss, correct, samples = sums
    if samples == 0:
        return math.nan, math.nan, 0
    return loss / samples, correct / samples, int(samples)
