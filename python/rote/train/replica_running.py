"""rote/train/replica_running.py: running loss and accuracy of R replicas, and the first step at which each broke."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rote.train.running import Running

_NEVER = torch.iinfo(torch.int64).max


class ReplicaSums:
    """Sums of loss x samples, of correct predictions and of samples, one row for each of all R replicas.

    On the CPU numbers are read at once, which costs less than adding tensors; on a device they are added up there, and
    no step waits.

    Args:
        replicas: R.
        device: where the networks run.
    """

    def __init__(self, replicas: int, device: torch.device) -> None:
        self._on_host = device.type == "cpu"
        self._device = device
        self._sums = torch.zeros(replicas, 3, dtype=torch.float64, device=device)
        self._rows = [[0.0, 0, 0] for _ in range(replicas)]
        self.restart(list(range(replicas)))

    def restart(self, members: list[int]) -> None:
        """Counts steps of these replicas from here on, none of which has broken."""
        self._members = members
        self._index = torch.tensor(members, dtype=torch.int64, device=self._device)
        self._bad = torch.full((len(members),), _NEVER, dtype=torch.int64, device=self._device)
        self._bad_on_host: dict[int, int] = {}

    def add(self, losses: Tensor, correct: Tensor, samples: int, step: int) -> None:
        """Counts a step of the members in: losses [A], correct predictions [A] out of `samples` each."""
        # Only the first step that is not finite counts: the weights of all later ones follow from it.
        if not self._on_host:
            found = torch.stack((losses.double() * samples, correct, torch.full_like(correct, samples)), 1)
            self._sums.index_add_(0, self._index, found)
            self._bad.clamp_(max=torch.full_like(self._bad, step).masked_fill_(losses.isfinite(), _NEVER))
            return
        for r, loss, hits in zip(self._members, losses.tolist(), correct.tolist(), strict=True):
            row = self._rows[r]
            row[0] += loss * samples
            row[1] += hits
            row[2] += samples
            if not math.isfinite(loss):
                self._bad_on_host.setdefault(r, step)

    @property
    def bad_step_seen(self) -> bool:
        """Whether a loss that is not finite is known of without waiting; on a device that is never so."""
        return bool(self._bad_on_host)

    def bad_steps(self) -> list[int | None]:
        """For each member the first step whose loss was not finite; waits for the device."""
        if self._on_host:
            return [self._bad_on_host.get(r) for r in self._members]
        return [None if step == _NEVER else step for step in self._bad.tolist()]

    def take(self) -> list[Running]:
        """The means of every replica since the last call, and starts anew; waits for the device."""
        rows, nan = self.rows().tolist(), math.nan
        self.load(torch.zeros_like(self._sums))
        return [Running(loss / n, correct / n, int(n)) if n else Running(nan, nan, 0) for loss, correct, n in rows]

    def rows(self) -> Tensor:
        """float64 [R, 3], a copy."""
        return torch.tensor(self._rows, dtype=torch.float64) if self._on_host else self._sums.clone()

    def load(self, rows: Tensor) -> None:
        """Goes back to `rows`."""
        self._sums.copy_(rows)
        self._rows = [[loss, int(correct), int(samples)] for loss, correct, samples in rows.tolist()]
