"""Networks that learn the same pool at different learning rates, and go on after kill -9 with the same bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from rote.train import (
    Running,
    TrainConfig,
    Trainer,
    TrainingDiverged,
    TrainingStream,
    load_checkpoint,
    save_checkpoint,
)


class Fleet:
    """Trainings that are brought to the same steps, each with a checkpoint of its own.

    What a caller notes of a training lies in its checkpoint, so that state and notes never disagree.

    Args:
        models: networks at their initialization, trained in place.
        stream: makes a stream of the samples; each training has its own.
        configs: how each is trained.
        folder: where the checkpoints lie; trainings that have one go on from it.

    Attributes:
        notes: of each training, JSON values of the caller's own.
        diverged: the first step whose loss was not finite, by training.
        active: trainings that `train_until` still moves.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        stream: Callable[[], TrainingStream],
        configs: Sequence[TrainConfig],
        folder: Path,
    ) -> None:
        self.trainers = [Trainer(model, stream(), config) for model, config in zip(models, configs, strict=True)]
        self.folder = folder
        self.notes: list[list[Any]] = [[] for _ in self.trainers]
        self.diverged: dict[int, int] = {}
        self.active = list(range(len(self.trainers)))
        self._saved: list[Any] = [None] * len(self.trainers)
        for member, trainer in enumerate(self.trainers):
            if self._file(member).exists():
                extra = load_checkpoint(self._file(member), trainer)
                self.notes[member] = extra["notes"]
                if extra["diverged"] is not None:
                    self.diverged[member] = extra["diverged"]
                    self.stop(member)

    def step(self, member: int) -> int:
        """Number of updates that a training has done."""
        return self.trainers[member].step

    def model(self, member: int) -> nn.Module:
        """A training's network."""
        return self.trainers[member].model

    def take_running(self, member: int) -> Running:
        """Running loss and accuracy of a training since the last call."""
        return self.trainers[member].take_running()

    def stop(self, member: int) -> None:
        """Leaves a training where it is."""
        if member in self.active:
            self.active.remove(member)

    def train_until(self, step: int, on_step: Callable[[], None]) -> None:
        """Brings the active trainings to a step; those whose loss is not finite are stopped and noted in `diverged`.

        Args:
            step: number of updates to have been done.
            on_step: called after each update of a training; may save, or raise to stop.
        """
        for member in list(self.active):
            try:
                self.trainers[member].train_until(step, lambda _: on_step())
            except TrainingDiverged as error:
                self.diverged[member] = error.step
                self.stop(member)

    def save(self) -> None:
        """Writes the state and the notes of every training that moved since the last time, a file each."""
        for member, trainer in enumerate(self.trainers):
            now = (trainer.step, len(self.notes[member]), member in self.diverged)
            if now != self._saved[member]:
                extra = {"notes": self.notes[member], "diverged": self.diverged.get(member)}
                save_checkpoint(self._file(member), trainer, extra)
                self._saved[member] = now

    def _file(self, member: int) -> Path:
        return self.folder / f"training={member}.safetensors"
