"""Trains networks on one pool of views, at each learning rate, for as long as the doubling rule says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.saving import Saving
from rote.experiments.capacity.doubling import Look, Outcome, outcome
from rote.metrics import PoolScore, bits, pool_accuracy
from rote.train import LabelSource, Progress, TrainConfig, TrainingDiverged, TrainingStream


@dataclass(frozen=True)
class Pool:
    """Exactly N x B samples.

    Attributes:
        images: the bank, uint8 [M, C, H, W].
        image_ids: int64 [N].
        views: B.
        labels: fixed, or per view.
        recipe: the augmentation.
        view_seed: of the views.
    """

    images: Tensor
    image_ids: Tensor
    views: int
    labels: LabelSource
    recipe: Callable[..., Tensor]
    view_seed: int

    def score(self, model: nn.Module) -> PoolScore:
        """How well a network fits the pool, in eval mode."""
        return pool_accuracy(
            model,
            self.images,
            self.labels,
            self.recipe,
            views=self.views,
            seed=self.view_seed,
            image_ids=self.image_ids,
        )


@dataclass(frozen=True)
class Trained:
    """What came of one learning rate.

    Attributes:
        lr: the learning rate.
        looks: in the order of their steps.
        diverged: the first step whose loss was not finite, or None.
    """

    lr: float
    looks: tuple[Look, ...]
    diverged: int | None

    def outcome(self, steps: Sequence[int], num_classes: int) -> Outcome | None:
        """Where it ended under the budget of a ladder; None where another rate had fitted the pool before."""
        looks = {look.step: look for look in self.looks if look.step in steps}
        found = outcome(steps, looks, bits.code_length_from_cost(0.0, num_classes, 1))
        if isinstance(found, Outcome):
            return found
        if self.diverged is None or not looks:
            return None
        # A network that broke down had not finished learning; what it knew before counts.
        *before, last = (looks[step] for step in sorted(looks))
        return Outcome(last, before[-1] if before else None, True)

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"lr": self.lr, "looks": [look._asdict() for look in self.looks], "diverged": self.diverged}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Trained:
        """From the values of `as_dict`."""
        return cls(stored["lr"], tuple(Look(**look) for look in stored["looks"]), stored["diverged"])


def best_of(trained: Sequence[Trained], steps: Sequence[int], num_classes: int) -> tuple[Trained, Outcome]:
    """The learning rate that fits the pool best under the budget of a ladder, the fastest among equals, and its end.

    Raises:
        TrainingDiverged: none came as far as a first look.
    """
    ended = [(one, found) for one in trained if (found := one.outcome(steps, num_classes)) is not None]
    if not ended:
        raise TrainingDiverged(min(one.diverged for one in trained if one.diverged is not None), 0)
    return max(ended, key=lambda pair: (pair[1].look.accuracy, -pair[1].look.step, -pair[1].look.cost_bits))


def train_on_pool(
    network: nn.Module,
    pool: Pool,
    stream: Callable[[], TrainingStream],
    configs: Sequence[TrainConfig],
    ladders: Sequence[Sequence[int]],
    folder: Path,
    *,
    after_step: Callable[[], None],
    description: str,
    enough: float = 1.0,
) -> tuple[list[Trained], float]:
    """Trains a copy of the network per config until every ladder has its outcome, or goes on with what was stopped.

    Args:
        network: at its initialization; left as it is.
        pool: what is to be stored.
        stream: makes a stream of the pool's samples.
        configs: one per learning rate.
        ladders: the steps of the looks, one ladder per budget (`doubling.ladder`).
        folder: where checkpoints lie while training is under way; the caller removes it once the result is stored.
        after_step: called after every update, and saved before if it raises.
        description: what progress calls it.
        enough: trainings end where one of them has this accuracy.

    Returns:
        What came of each config, and the seconds it took.
    """
    like = stream()
    streams = [stream() for _ in configs]
    fleet = Fleet([network] * len(configs), streams, configs, folder / "newest.safetensors")
    if not like.mixes:  # else they hold other images than the pool
        pool = dataclasses.replace(pool, images=streams[0].images)  # its views are rendered where the networks are
    label_bits = bits.code_length_from_cost(0.0, like.num_classes, 1)
    looks: list[dict[int, Look]] = [{} for _ in configs]
    for member, stored in enumerate(fleet.notes.get("looks", [])):
        looks[member] = {look["step"]: Look(**look) for look in stored}
    budget = max(steps[-1] for steps in ladders)

    def next_look(member: int) -> int | None:
        found = []
        for steps in ladders:
            step = outcome(steps, looks[member], label_bits)
            if isinstance(step, int):
                # Told from the looks alone: wherever a stopped run goes on, each training gets the same ones.
                reached = [at for other in looks for at in steps if at in other and other[at].accuracy >= enough]
                if not reached or step <= min(reached):
                    found.append(step)
        return min(found, default=None)

    def save(seconds: float) -> None:
        stored = [[look._asdict() for look in own.values()] for own in looks]
        fleet.notes = {"looks": stored, "seconds": seconds}
        fleet.save()

    saving = Saving(save, fleet.notes.get("seconds", 0.0))
    with Progress(budget, like.batch_size * len(configs), description, start=fleet.step) as progress:

        def on_step() -> None:
            progress.update(fleet.step)
            try:
                after_step()
            except BaseException:
                saving.now()
                raise
            saving.if_due()

        while wanted := {member: step for member in fleet.active if (step := next_look(member)) is not None}:
            for member in [member for member in fleet.active if member not in wanted]:
                fleet.stop(member)
            step = min(wanted.values())
            fleet.train_until(step, on_step)
            running = fleet.take_running()
            for member in fleet.active:
                if wanted[member] == step:
                    score = pool.score(fleet.model(member))
                    own = running[member]
                    looks[member][step] = Look(step, score.accuracy, score.cost_bits, own.loss, own.accuracy)
                    progress.update(step, pool=score.accuracy)
    trained = [
        Trained(config.lr, tuple(looks[member].values()), fleet.diverged[member])
        for member, config in enumerate(configs)
    ]
    return trained, round(saving.seconds, 3)
