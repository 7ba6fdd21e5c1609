"""Experiments that train many networks of their own, each for a known number of steps: `transfer`, `size`, ..."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import time
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

from rote.augment import CenterCrop, Recipe
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import Launch
from rote.experiments.base.trainings import Trainings
from rote.experiments.inputs.loading import architecture, build_model
from rote.metrics import clean_accuracy
from rote.train import LabelSource, Trainer, TrainingStream, random_labels

if TYPE_CHECKING:
    from rote.experiments.forecasting.benign import BenignMeter

WARM_UP_STEPS, TIMED_STEPS = 5, 30


@dataclass(frozen=True)
class TrainingsCosts:
    """What alike trainings take: steps of all networks, samples, seconds of training and of evaluations."""

    trainings: Trainings
    steps: int
    samples: int
    training: float
    evaluations: float


def trainings_of(config: ExperimentConfig, images: int) -> list[Trainings]:
    """The trainings of a run on so many images; none for an experiment that has no `trainings.py`."""
    own = _own(config)
    return own.trainings_of(config, images) if own else []


def together(config: ExperimentConfig) -> bool:
    """Whether its networks train together, which takes less than one after another."""
    return getattr(_own(config), "TOGETHER", False)


def _own(config: ExperimentConfig) -> ModuleType | None:
    name = f"rote.experiments.{config.name_of_experiment}.trainings"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def trainings_costs(config: ExperimentConfig, meter: BenignMeter) -> list[TrainingsCosts] | None:
    """Times a few steps of each kind of training, one network at a time; None where the run is finished."""
    start = meter.start(config)
    if start.finished:
        return None
    return [_costs(start, each) for each in trainings_of(start.config, len(start.inputs.image_ids))]


def _costs(start: Launch, trainings: Trainings) -> TrainingsCosts:
    config = start.config
    if trainings.width is not None:
        config = dataclasses.replace(config, width=trainings.width)
    bank, ids = start.inputs.bank, start.inputs.image_ids[: trainings.images]
    built = {**architecture(config, bank, start.num_classes), **trainings.built}
    network = build_model(built, None, None, bank)
    # A network that sees crops is timed on central ones.
    crop = Recipe(CenterCrop(), size=tuple(built["image_size"]))
    recipe = start.inputs.recipe if crop.size == tuple(bank.image_size) else crop
    drawn = random_labels(ids, start.num_classes, config.seeds().label)
    labels = LabelSource.fixed(drawn, num_classes=start.num_classes, image_ids=ids)
    stream = TrainingStream(bank.train.images, ids, labels, recipe, config.batch_size, config.seeds())
    # Long enough for the timed steps, however short the run is.
    trainer = Trainer(network, stream, config.training(epochs=config.epochs + WARM_UP_STEPS + TIMED_STEPS))
    trainer.train_until(WARM_UP_STEPS)
    seconds = _timed(trainer, lambda: trainer.train_until(WARM_UP_STEPS + TIMED_STEPS)) / TIMED_STEPS

    def look() -> None:
        shown = None if recipe is start.inputs.recipe else recipe
        clean_accuracy(trainer.model, bank.train.images, drawn, image_ids=ids, recipe=shown)
        if trainings.looks > 1:
            clean_accuracy(trainer.model, bank.test.images, bank.test.labels, recipe=shown)

    steps = trainings.networks * trainings.epochs * stream.steps_per_epoch
    looks = trainings.networks * trainings.looks
    return TrainingsCosts(
        trainings,
        steps,
        steps * stream.batch_size,
        steps * seconds * trainings.step_cost,
        looks * _timed(trainer, look),
    )


def _timed(trainer: Trainer, action: Any) -> float:
    if trainer.device.type == "cuda":
        torch.cuda.synchronize(trainer.device)
    begin = time.perf_counter()
    action()
    if trainer.device.type == "cuda":
        torch.cuda.synchronize(trainer.device)
    return time.perf_counter() - begin
