"""How long a `sensitivity` run takes: one epoch there and one back of every condition are timed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rote.experiments.base.launch import launch
from rote.experiments.sensitivity.run import CLASSES, SensitivityRun
from rote.experiments.sensitivity.small_grey import small_grey
from rote.metrics import loss_sensitivity

if TYPE_CHECKING:
    from rote.experiments.forecasting.benign import BenignMeter
    from rote.experiments.sensitivity import SensitivityConfig


@dataclass(frozen=True)
class SensitivityCosts:
    """What a run takes: steps and samples of its trainings, seconds of those and of going back over them."""

    steps: int
    samples: int
    training: float
    going_back: float
    epochs_back: int


def sensitivity_costs(config: SensitivityConfig, meter: BenignMeter) -> SensitivityCosts | None:
    """Times an epoch of each condition in both directions; None where the run is finished.

    Raises:
        ValueError: an option that does not fit the data or the network.
    """
    start = launch(config, model=None, data=small_grey(meter.bank(config), config.side), taps=None, fields={})
    if start.finished:
        return None
    run = SensitivityRun(start.config, start.inputs, None)
    back = sum(config.look_epochs())
    steps = samples = 0
    training = going_back = 0.0
    for condition in run.conditions:
        course = run.course(condition)
        classes = start.inputs.bank.num_classes if condition.labels == CLASSES else None
        begin = time.perf_counter()
        course.train_until(1)
        middle = time.perf_counter()
        loss_sensitivity(course, 1, num_classes=classes)  # waits for the device
        training += config.epochs * (middle - begin)
        going_back += back * (time.perf_counter() - middle)
        steps += config.epochs * course.steps_per_epoch
        samples += config.epochs * len(course.labels)
    return SensitivityCosts(steps, samples, training, going_back, back * len(run.conditions))
