"""Networks that are trained together, and go on after kill -9 with the same bits."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from rote.runs import CorruptRunFile
from rote.runs.whole_files import write_bytes
from rote.train import Running, TrainConfig, TrainingStream
from rote.train.replicas import ReplicaTrainer

# Begins the names of the caller's tensors in a checkpoint.
_OWN = "own/"


class Fleet:
    """A `ReplicaTrainer` with a checkpoint, in which what the caller noted of the trainings lies as well.

    State, notes and tensors are one file, so that they never disagree.

    Args:
        models: networks of one architecture at their initialization.
        streams: their samples, of equal batch size and length.
        configs: how each is trained; they differ in lr alone.
        path: the checkpoint; trainings that have one go on from it.

    Attributes:
        notes: JSON values of the caller's own, by name.
        tensors: tensors of the caller's own, by name; saved as they are then, loaded on the CPU.
        steps_per_epoch, batch_size: of every stream.

    Raises:
        CorruptRunFile: the checkpoint is damaged.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        streams: Sequence[TrainingStream],
        configs: Sequence[TrainConfig],
        path: Path,
    ) -> None:
        self.trainer = ReplicaTrainer(models, streams, configs)
        self.path = path
        self.steps_per_epoch = streams[0].steps_per_epoch
        self.batch_size = streams[0].batch_size
        self.notes: dict[str, Any] = {}
        self.tensors: dict[str, Tensor] = {}
        if path.exists():
            self._load()

    @property
    def step(self) -> int:
        """Number of updates done."""
        return self.trainer.step

    @property
    def active(self) -> list[int]:
        """The trainings that are not stopped, in ascending order."""
        return self.trainer.active

    @property
    def diverged(self) -> list[int | None]:
        """Of each training the first step whose loss was not finite, or None."""
        return self.trainer.diverged

    def model(self, member: int) -> nn.Module:
        """A copy of a training's network."""
        return self.trainer.model(member)

    def take_running(self) -> list[Running]:
        """Of each training running loss and accuracy since the last call."""
        return self.trainer.take_running()

    def stop(self, member: int) -> None:
        """Leaves a training where it is."""
        self.trainer.stop(member)

    def train_until(self, step: int, on_step: Callable[[], None]) -> None:
        """Brings the active trainings to a step; those whose loss is not finite stop, and stand in `diverged`.

        Args:
            step: number of updates to have been done.
            on_step: called after every update of them all; may save, or raise to stop.
        """
        self.trainer.train_until(step, lambda _: on_step())

    def save(self) -> None:
        """Writes the trainings' state and the notes, in one file that appears whole."""
        from safetensors.torch import save

        own = {_OWN + name: value for name, value in self.tensors.items()}
        state = {name: value.cpu().contiguous() for name, value in (self.trainer.state_dict() | own).items()}
        write_bytes(self.path, save(state, metadata={"notes": json.dumps(self.notes)}))

    def _load(self) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="pt") as file:
                self.notes = json.loads((file.metadata() or {})["notes"])
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise CorruptRunFile(f"{self.path} is not a checkpoint of trainings: {error}") from error
        self.tensors = {name.removeprefix(_OWN): state.pop(name) for name in list(state) if name.startswith(_OWN)}
        self.trainer.load_state_dict(state)
