"""Trains networks on subsets, a few at a time, and packs what they answer."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.network_seeds import network_seed
from rote.experiments.base.saving import Saving
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.inputs.loading import Inputs, architecture, build_model, load_inputs
from rote.experiments.memorization.subsets import SubsetModel, subset_mask, subset_models, subset_size
from rote.experiments.probing.probes import probe_statistics
from rote.metrics import packed_bits
from rote.metrics.accuracy import clean_correct
from rote.runs.folder import CHECKPOINTS
from rote.runs.whole_files import write_with
from rote.train import (
    LabelSource,
    Progress,
    ReplicaTrainer,
    Seeds,
    TrainConfig,
    TrainingDiverged,
    TrainingStream,
    corrupt_labels,
)

if TYPE_CHECKING:
    from rote.experiments.memorization.experiment import MemorizationConfig

CELLS = "cells"


class SubsetTraining:
    """What every network of a sweep is made from.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        num_classes: classes of the labels.

    Attributes:
        label_used: int64 [N], labels trained on.
        planted: bool [N], those that were not taken from the data.
    """

    def __init__(self, config: MemorizationConfig, inputs: Inputs, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.num_classes = num_classes
        seed, ids = config.seeds().label, inputs.image_ids
        self.label_used, self.planted = corrupt_labels(
            inputs.label_true, ids, num_classes, seed, p=config.noise, kind=config.noise_kind
        )
        for share in (config.share, *config.profile_shares):
            subset_mask(config.seeds().data, 0, len(ids), share)  # raises where a share leaves none in or none out

    @property
    def models(self) -> list[SubsetModel]:
        """All networks of the sweep."""
        own = self.config
        return subset_models(own.runs, own.share, own.profile_shares, own.profile_runs)

    def mask(self, model: SubsetModel) -> Tensor:
        """bool [N], the images that a network is trained on."""
        return subset_mask(self.config.seeds().data, model.run, len(self.inputs.image_ids), model.share)

    def network(self, model: SubsetModel) -> nn.Module:
        """A network at its initialization."""
        config = dataclasses.replace(self.config, init_seed=network_seed(self.config.seeds().init, model.run))
        return build_model(architecture(config, self.inputs.bank, self.num_classes), None, None, self.inputs.bank)

    def stream(self, model: SubsetModel) -> TrainingStream:
        """The samples of a network."""
        rows = self.mask(model)
        ids = self.inputs.image_ids[rows]
        labels = LabelSource.fixed(self.label_used[rows], num_classes=self.num_classes, image_ids=ids)
        own = self.config.seeds()
        seeds = Seeds(own.data, own.label, own.init, network_seed(own.order, model.run), own.view)
        return TrainingStream(
            self.inputs.bank.train.images, ids, labels, self.inputs.recipe, self.config.batch_size, seeds
        )

    def training(self, share: float) -> TrainConfig:
        """How networks of a share are trained: all shares get the update steps of the main one, to a whole epoch."""
        wanted = self.config.epochs * self.steps_per_epoch(self.config.share)
        return self.config.training(epochs=math.ceil(wanted / self.steps_per_epoch(share)))

    def train(self, batch: Sequence[SubsetModel], folder: Path, stop: StopRequest, description: str) -> None:
        """Trains networks of one share together, and stores what they answer in cells/.

        A network whose loss is not finite is marked as diverged; the others go on.

        Args:
            batch: the networks.
            folder: the run folder; a checkpoint in it is gone on from.
            stop: whether Ctrl-C was pressed.
            description: what progress says.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        name = cell_name(batch)
        state = folder / CHECKPOINTS / f"{name}.safetensors"
        fleet = Fleet(
            [self.network(model) for model in batch],
            [self.stream(model) for model in batch],
            [self.training(batch[0].share)] * len(batch),
            state,
        )
        steps = fleet.trainer.total_steps

        def save(seconds: float) -> None:
            fleet.notes = {"seconds": seconds}
            fleet.save()

        saving = Saving(save, fleet.notes.get("seconds", 0.0))
        with Progress(steps, self.config.batch_size * len(batch), description, start=fleet.step) as progress:

            def on_step() -> None:
                progress.update(fleet.step)
                saving.after_step(stop.made, lambda: Stopped(folder, fleet.step, steps))

            fleet.train_until(steps, on_step)
            answers = [self.answers(fleet.model(member), model) for member, model in enumerate(batch)]
            train, test = (torch.stack(part).numpy() for part in zip(*answers, strict=True))
            progress.update(steps, accuracy=float(train.mean()))
        arrays = {
            "correct_train": packed_bits.pack(train),
            "correct_test": packed_bits.pack(test),
            "diverged": np.array([step is not None for step in fleet.diverged]),
            "seconds": np.array(saving.seconds),
        }
        write_with(cell_file(folder, batch), lambda file: np.savez(file, **arrays))
        state.unlink(missing_ok=True)

    def answers(self, network: nn.Module, model: SubsetModel) -> tuple[Tensor, Tensor]:
        """(bool [N], bool [T]): which training images, by the label used, and which test images a network answers
        rightly: eval mode, un-augmented, batch-norm statistics from its own training images alone.
        """
        train, test, ids = self.inputs.bank.train.images, self.inputs.bank.test, self.inputs.image_ids
        own = train[ids[self.mask(model)].to(train.device)]
        with probe_statistics(network, own, self.config.bn):
            return (
                clean_correct(network, train, self.label_used, image_ids=ids),
                clean_correct(network, test.images, test.labels),
            )

    def steps_per_epoch(self, share: float) -> int:
        """Update steps of one visit of every image of a share."""
        return max(1, subset_size(len(self.inputs.image_ids), share) // self.config.batch_size)


def cell_name(batch: Sequence[SubsetModel]) -> str:
    """The name of a batch's files."""
    return f"runs={batch[0].run:05d}-{batch[-1].run:05d}"


def cell_file(folder: Path, batch: Sequence[SubsetModel]) -> Path:
    """Where the answers of a batch lie."""
    return folder / CELLS / f"{cell_name(batch)}.npz"


def trained_again(config: MemorizationConfig, run: int) -> tuple[nn.Module, Tensor]:
    """One network of a sweep, trained by itself: the same images, initialization and order as in the sweep.

    Args:
        config: the sweep's options, e.g. `MemorizationConfig.from_dict(rote.load_run(folder).config)`.
        run: its index.

    Returns:
        (network, bool [N]: the images it was trained on). The weights are those of the sweep up to rounding, since
        networks that train together round otherwise than one alone.

    Raises:
        ValueError: there is no such run.
        TrainingDiverged: its loss is not finite.
    """
    training = _loaded(config.resolved())
    models = training.models
    if not 0 <= run < len(models):
        raise ValueError(f"run must be in [0, {len(models)}); got {run}")
    model = models[run]
    trainer = ReplicaTrainer([training.network(model)], [training.stream(model)], [training.training(model.share)])
    trainer.train_until(trainer.total_steps)
    if trainer.diverged[0] is not None:
        raise TrainingDiverged(trainer.diverged[0], 0)
    return trainer.model(0), training.mask(model)


def train_elsewhere(config: MemorizationConfig, num_classes: int, batch: tuple[SubsetModel, ...], folder: str) -> Any:
    """What an actor does: one batch of a sweep whose folder another process holds. Data are loaded once a process.

    Raises:
        Stopped: it was told to stop; the state is saved.
        ValueError: the data here have other classes.
    """
    with stop_requests() as stop:
        training = _loaded(config)
        if training.num_classes != num_classes:
            raise ValueError(f"data must have {num_classes} classes here as well; got {training.num_classes}")
        training.train(batch, Path(folder), stop, cell_name(batch))


@functools.lru_cache(maxsize=2)
def _loaded(config: MemorizationConfig) -> SubsetTraining:
    inputs = load_inputs(config)
    classes = config.num_label_classes(len(inputs.image_ids), inputs.bank.num_classes)
    return SubsetTraining(config, inputs, classes)
