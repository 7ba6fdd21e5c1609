"""Experiments that train many networks of their own, each for a known number of steps: `transfer`, `size`, ..."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from rote.augment import CenterCrop, Recipe
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import Launch
from rote.experiments.csr.conditions import RAND_X, conditions_of
from rote.experiments.inputs.loading import architecture, build_model
from rote.experiments.noise.cells import cells_of
from rote.experiments.regularize.settings import settings
from rote.metrics import clean_accuracy
from rote.train import LabelSource, Trainer, TrainingStream, random_labels

if TYPE_CHECKING:
    from rote.experiments.forecasting.benign import BenignMeter

WARM_UP_STEPS, TIMED_STEPS = 5, 30


@dataclass(frozen=True)
class Trainings:
    """Alike trainings.

    Attributes:
        name: what they are.
        networks: how many.
        images: images each is trained on.
        epochs: visits of each.
        looks: evaluations along each.
        width: width dial where it differs from the config's.
        built: arguments of `rote.models.build` that differ from the config's.
        step_cost: what a step takes, in plain steps of the network.
    """

    name: str
    networks: int
    images: int
    epochs: int
    looks: int = 1
    width: int | None = None
    built: Mapping[str, Any] = field(default_factory=dict)
    step_cost: float = 1.0


@dataclass(frozen=True)
class TrainingsCosts:
    """What alike trainings take: steps of all networks, samples, seconds of training and of evaluations."""

    trainings: Trainings
    steps: int
    samples: int
    training: float
    evaluations: float


def trainings_of(config: Any, images: int) -> list[Trainings]:
    """The trainings of a run on so many images; none for an experiment that is not made of such."""
    if config.name_of_experiment == "transfer":
        half, cells = images // 2, config.transfer_networks * len(config.tasks) * len(config.starts)
        return [
            Trainings("pre-training", config.networks, half, config.pretrain_epochs),
            Trainings("training", cells, half, config.epochs, looks=len(config.evaluation_epochs())),
        ]
    if config.name_of_experiment == "memorization":
        main = round(config.share * images)
        shares = {config.share: config.runs, **dict.fromkeys(config.profile_shares, config.profile_runs)}
        return [
            # Every share gets the update steps of the main one.
            Trainings(f"share {share:g}", runs, round(share * images), round(config.epochs * main / (share * images)))
            for share, runs in shares.items()
        ]
    if config.name_of_experiment == "size" and config.study != "memorization":
        return _under_noise(config, images)
    if config.name_of_experiment == "regularize":
        found = settings(config)
        searched = sum(setting.adversarial > 0 for setting in found)
        about = {"images": images, "epochs": config.epochs, "looks": config.evaluations}
        # A pass on the points found, and about a step for each of the search.
        cost = 2.0 + config.adversarial_iterations
        plain = Trainings("networks", 2 * (len(found) - searched), **about)
        adversarial = Trainings("with adversarial points", 2 * searched, **about, step_cost=cost)
        return [plain, adversarial] if searched else [plain]
    if config.name_of_experiment == "size":
        return [Trainings(f"width {w}", config.replicas, images // 2, config.epochs, width=w) for w in config.widths]
    if config.name_of_experiment == "noise":
        looks = len(config.evaluation_epochs())
        return [Trainings("training", len(cells_of(config)), images, config.epochs, looks=looks)]
    if config.name_of_experiment == "csr":
        looks, found = len(config.look_epochs()), conditions_of(config)
        # An iteration of a search is a step's pass and one more forward; randX is asked about two kinds of inputs.
        kinds = sum(2 if condition.kind == RAND_X else 1 for condition in found)
        searched = looks * kinds * config.queries * config.iterations * 4 / 3
        cost = 1 + searched / (len(found) * config.epochs * images)
        return [Trainings("networks and searches", len(found), images, config.epochs, looks=looks, step_cost=cost)]
    if config.name_of_experiment == "easy":
        cnn = {"name": config.filter_model, "width": config.filter_width, "depth": None, "norm": "batch"}
        filters = Trainings("filters", 2, images, config.filter_epochs, built=cnn)
        networks = Trainings("networks", config.runs * len(config.kinds), images, config.epochs)
        return [networks, filters] if config.filter_epochs else [networks]
    if config.name_of_experiment == "trajectories":
        networks = config.networks * len(config.noise)
        return [Trainings("networks", networks, _not_held_out(config, images), config.epochs, config.epochs)]
    if config.name_of_experiment == "depth":
        networks = len(config.equal) * len(config.norms) * len(config.lr)
        own, epochs = _not_held_out(config, images), config.epochs + config.true_epochs
        return [Trainings(f"depth {d}", networks, own, epochs, built={"depth": d}) for d in config.depths]
    return []


def _under_noise(config: Any, images: int) -> list[Trainings]:
    """The trainings of the two studies of noise; networks of `convergence` may be done before."""
    conditions = 1 + len(config.kinds) * len(config.levels)
    if config.study == "noise":
        networks = config.networks * (conditions + len(config.levels))
        return [Trainings(f"width {w}", networks, images, config.epochs, width=w) for w in config.widths]
    networks, own = config.networks * conditions, config.width_of_counts
    points = dict.fromkeys([(w, images) for w in config.widths] + [(own, n) for n in config.counts_up_to(images)])
    return [
        Trainings(f"width {w}, {n} images", networks, n, config.epochs, looks=config.epochs, width=w) for w, n in points
    ]


def _not_held_out(config: Any, images: int) -> int:
    """Images trained on: with all of a data set, those that the validation part leaves."""
    return images if config.images is not None else max(images - config.validation, 1)


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
