"""The course of one `sensitivity` run: four trainings, differentiated at several times, and the tables made of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rote import models
from rote.data.corruption import corrupted, pixel_statistics
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.inputs.loading import Inputs, architecture
from rote.experiments.sensitivity.results import REAL, Look, write_results
from rote.metrics import UnrolledSGD, loss_sensitivity
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.runs.whole_files import write_with
from rote.train import Progress

if TYPE_CHECKING:
    from rote.experiments.sensitivity import SensitivityConfig

INPUTS = (REAL, "random")
CLASSES, EXEMPLAR = "classes", "exemplar"
SETTINGS = (CLASSES, EXEMPLAR)


class Condition(NamedTuple):
    """One training: which inputs, which labels."""

    inputs: str
    labels: str


class SensitivityRun:
    """The run from wherever it stands to its summary. Every look is a file in cells/; trainings are made anew, which
    takes as long as one of the epochs that a look goes back over takes a few times.

    Args:
        config: the resolved options.
        inputs: the data, small and grey.
        folder: the open run folder.
    """

    def __init__(self, config: SensitivityConfig, inputs: Inputs, folder: RunFolder) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.device = config.training().resolved_device()
        self.conditions = [Condition(i, labels) for labels in config.settings for i in config.inputs]

    def to_the_end(self) -> None:
        """Makes what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; what is measured is saved.
            ValueError: a learning rate so high that a training's weights are not finite.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        looks = [(condition, epoch) for condition in self.conditions for epoch in self.config.look_epochs()]
        done = {self._name(*look) for look in looks if self._file(*look).exists()}
        self.folder.metrics.keep(lambda line: line["cell"] in done)
        with stop_requests() as stop:
            for number, condition in enumerate(self.conditions):
                missing = [e for e in self.config.look_epochs() if self._name(condition, e) not in done]
                if missing:
                    self._differentiate(condition, missing, stop, number)
        write_results(self.config, self.inputs, self.folder, [(c, list(self._looks(c))) for c in self.conditions])

    def samples(self, kind: str) -> Tensor:
        """float64 [N, 1, side, side]: the images or the noise, standardized by the moments of the training images.

        Raises:
            ValueError: all pixels of the training images are alike.
        """
        bank, ids = self.inputs.bank, self.inputs.image_ids
        images = bank.train.images[ids]
        if kind != REAL:
            images, _ = corrupted(bank, "gaussian", seed=self.config.seeds().label, ids=ids)
        moments = pixel_statistics(bank.train.images)
        if moments.std[0] == 0:
            raise ValueError(f"the images of {bank.name} must differ in some pixel; all are alike")
        return (images.double() - moments.mean[0]) / moments.std[0]

    def course(self, condition: Condition) -> UnrolledSGD:
        """The training of a condition at its beginning."""
        count = len(self.inputs.image_ids)
        exemplar = condition.labels == EXEMPLAR
        labels = torch.arange(count) if exemplar else self.inputs.label_true
        classes = count if exemplar else self.inputs.bank.num_classes
        return UnrolledSGD(
            models.build(**architecture(self.config, self.inputs.bank, classes)).to(self.device),
            self.samples(condition.inputs).to(self.device),
            labels.to(self.device),
            lr=self.config.exemplar_lr if exemplar else self.config.lr,
            batch_size=self.config.batch_size,
            momentum=self.config.momentum,
            seed=self.config.seeds().order,
        )

    def _differentiate(self, condition: Condition, epochs: list[int], stop: StopRequest, number: int) -> None:
        """Trains, and goes back from each of the given times; each is stored when it is done."""
        course = self.course(condition)
        classes = self.inputs.bank.num_classes if condition.labels == CLASSES else None
        total = epochs[-1] + sum(epochs)
        description = f"sensitivity {number + 1}/{len(self.conditions)}, {condition.inputs} {condition.labels}"
        gone = 0
        with Progress(total, len(course.labels), description) as progress:

            def one_more(_: int) -> None:
                nonlocal gone
                gone += 1
                progress.update(gone)
                if stop.made:
                    raise Stopped(self.folder.path, number, len(self.conditions), "training")

            begin = time.monotonic()
            try:
                course.train_until(epochs[-1], one_more)
            except FloatingPointError as error:
                option = "--exemplar-lr" if condition.labels == EXEMPLAR else "--lr"
                raise ValueError(f"{option} is too high, {course.lr:g}: {error}") from None
            for epoch in epochs:
                found = loss_sensitivity(course, epoch, num_classes=classes, on_epoch=one_more)
                spent, begin = time.monotonic() - begin, time.monotonic()
                look = Look(
                    epoch,
                    epoch * course.steps_per_epoch,
                    course.accuracy(epoch),
                    course.loss(epoch),
                    found.total.cpu().numpy(),
                    None if found.by_class is None else found.by_class.cpu().numpy(),
                    spent,
                )
                self._record(condition, look)

    def _record(self, condition: Condition, look: Look) -> None:
        about = {"cell": self._name(condition, look.epoch), "inputs": condition.inputs, "labels": condition.labels}
        self.folder.metrics.append(
            measurement(look.step, look.epoch, "train", metric, None, value, **about)
            for metric, value in (
                ("accuracy_clean", look.accuracy),
                ("loss", look.loss),
                ("sensitivity_mean", float(look.total.mean())),
            )
        )
        columns = {key: value for key, value in look._asdict().items() if value is not None}
        write_with(self._file(condition, look.epoch), lambda file: np.savez_compressed(file, **columns))

    def _looks(self, condition: Condition) -> Iterator[Look]:
        for epoch in self.config.look_epochs():
            with np.load(self._file(condition, epoch)) as stored:
                by_class = stored.get("by_class")
                numbers = [stored[name].item() for name in ("epoch", "step", "accuracy", "loss")]
                yield Look(*numbers, stored["total"], by_class, stored["seconds"].item())

    @staticmethod
    def _name(condition: Condition, epoch: int) -> str:
        return f"{condition.inputs}_{condition.labels}_epoch={epoch:05d}"

    def _file(self, condition: Condition, epoch: int) -> Path:
        return self.folder.path / "cells" / f"{self._name(condition, epoch)}.npz"
