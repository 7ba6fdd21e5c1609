"""How long a `transfer` run takes: all its trainings are known before, and a step of each kind is timed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rote.experiments.transfer import TransferConfig
from rote.experiments.transfer_run import TransferRun
from rote.train import Trainer, random_labels

if TYPE_CHECKING:
    from rote.experiments.forecast_benign import BenignMeter

WARM_UP_STEPS, TIMED_STEPS = 5, 20


@dataclass(frozen=True)
class CostOfTransfer:
    """What a run takes.

    Attributes:
        steps: updates of all networks.
        samples: images shown in them.
        training, evaluations: seconds.
        trainings: number of networks trained.
        looks: number of evaluations.
        device: where it runs.
    """

    steps: int
    samples: int
    training: float
    evaluations: float
    trainings: int
    looks: int
    device: str


def cost_of_transfer(config: TransferConfig, meter: BenignMeter) -> CostOfTransfer | None:
    """Adds up all trainings, those of a stopped run from the beginning; None where the run is finished."""
    start = meter.start(config)
    if start.finished:
        return None
    run = TransferRun(start.config, start.inputs, start.place.record["architecture"], None)
    trainer = run.pretraining(0)
    step = _seconds_of_step(trainer)
    stream = trainer.stream
    begin = time.perf_counter()
    run.accuracies(trainer.model, run.second, random_labels(run.second, start.num_classes, 0))
    look = time.perf_counter() - begin
    epochs = config.networks * config.pretrain_epochs + len(run.cells) * config.epochs
    looks = len(run.cells) * len(config.evaluation_epochs())
    steps = epochs * stream.steps_per_epoch
    return CostOfTransfer(
        steps=steps,
        samples=steps * stream.batch_size,
        training=steps * step,
        evaluations=looks * look,
        trainings=config.networks + len(run.cells),
        looks=looks,
        device=meter.device(config),
    )


def _seconds_of_step(trainer: Trainer) -> float:
    trainer.train_until(WARM_UP_STEPS)
    trainer.take_running()  # waits for the device
    begin = time.perf_counter()
    trainer.train_until(WARM_UP_STEPS + TIMED_STEPS)
    trainer.take_running()
    return (time.perf_counter() - begin) / TIMED_STEPS
