"""rote/train/replica_solo.py: R networks trained one after another, where a batch of them is slower or impossible."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from rote.train.config import TrainConfig
from rote.train.divergence import TrainingDiverged
from rote.train.running import Running
from rote.train.stream import TrainingStream
from rote.train.trainer import Trainer


class SoloReplicas:
    """The way of `ReplicaTrainer` by one `Trainer` each, whose docstring has the words."""

    def __init__(
        self,
        models: Sequence[nn.Module],
        streams: Sequence[TrainingStream],
        configs: Sequence[TrainConfig],
        check_every: int,
    ) -> None:
        self.trainers = [
            Trainer(copy.deepcopy(model), stream, config, check_every=check_every)
            for model, stream, config in zip(models, streams, configs, strict=True)
        ]
        self.total_steps = self.trainers[0].total_steps
        self.step = 0
        self.members = list(range(len(models)))
        self.diverged: list[int | None] = [None] * len(models)

    def train_until(self, step: int, on_step: Callable[[], None] | None) -> None:
        if on_step is None:
            self._advance(step, look_at_end=True)
        while self.step < step and self.members:
            self._advance(self.step + 1, look_at_end=self.step + 1 == step)
            on_step()
        self.step = max(self.step, step)

    def _advance(self, step: int, look_at_end: bool) -> None:
        self._each_member(lambda trainer: trainer.train_until(step, look_at_end=look_at_end))
        self.step = step

    def check(self) -> None:
        self._each_member(Trainer.check)

    def _each_member(self, act: Callable[[Trainer], None]) -> None:
        for r in list(self.members):
            try:
                act(self.trainers[r])
            except TrainingDiverged as error:
                self.diverged[r] = error.step
                self.members.remove(r)

    def take_running(self) -> list[Running]:
        for trainer in self.trainers:
            trainer.take_epochs()  # nobody asks for them here
        return [trainer.take_running() for trainer in self.trainers]

    def model(self, replica: int) -> nn.Module:
        return copy.deepcopy(self.trainers[replica].model)

    def stop(self, replica: int) -> None:
        if replica in self.members:
            self.members.remove(replica)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        scores = []
        for r, images in zip(self.members, x, strict=True):
            trainer = self.trainers[r]
            trainer.model.eval()
            with torch.autocast(trainer.device.type, torch.bfloat16, enabled=trainer.precision == torch.bfloat16):
                scores.append(trainer.model(images.to(trainer.device, trainer.precision)))
        return torch.stack(scores)

    def state_dict(self) -> dict[str, Tensor]:
        diverged = [-1 if step is None else step for step in self.diverged]
        state = {
            "step": torch.tensor(self.step),
            "members": torch.tensor(self.members, dtype=torch.int64),
            "diverged": torch.tensor(diverged),
        }
        for r, trainer in enumerate(self.trainers):
            for name, value in _flat(trainer.state_dict()).items():
                state[f"solo/{r}/{name}"] = value.clone() if isinstance(value, Tensor) else torch.tensor(value)
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.step = int(state["step"])
        self.members = state["members"].tolist()
        self.diverged = [None if step < 0 else step for step in state["diverged"].tolist()]
        for r, trainer in enumerate(self.trainers):
            prefix = f"solo/{r}/"
            trainer.load_state_dict(
                _nested({n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)})
            )


def _flat(state: dict) -> dict:
    """{"model/weight": ..., "optimizer/0/exp_avg": ..., "step": ...} of a trainer's state."""
    flat = {}
    for key, value in state.items():
        if isinstance(value, dict):
            flat |= {f"{key}/{name}": item for name, item in _flat(value).items()}
        else:
            flat[str(key)] = value
    return flat


def _nested(flat: dict[str, Tensor]) -> dict:
    """The inverse of `_flat` for a trainer's state."""
    state: dict = {"model": {}, "optimizer": {}}
    for name, value in flat.items():
        part, _, rest = name.partition("/")
        if part == "model":
            state["model"][rest] = value
        elif part == "optimizer":
            index, _, field = rest.partition("/")
            state["optimizer"].setdefault(int(index), {})[field] = value
        else:
            state[name] = int(value) if name == "step" else value
    return state
