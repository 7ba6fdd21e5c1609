"""The course of one `csr` run: a training for each condition, searches along it, and the tables made of them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rote.experiments.base.stopping import StopRequest, stop_requests
from rote.experiments.base.training_cell import train_cell
from rote.experiments.csr.conditions import (
    NOISE_INPUTS,
    RAND_X,
    REAL_INPUTS,
    Condition,
    TrainingData,
    conditions_of,
    query_ids,
    query_pixels,
)
from rote.experiments.csr.results import write_results
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.experiments.probing.probes import probe_statistics
from rote.metrics import clean_accuracy, critical_radius, critical_samples
from rote.runs import RunFolder
from rote.runs.whole_files import write_with
from rote.train import LabelSource, Trainer, TrainingStream

if TYPE_CHECKING:
    from rote.experiments.csr import CSRConfig


class CSRRun:
    """The run from wherever it stands to its summary. Finished trainings are files in cells/; one that was stopped in
    its middle goes on.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(self, config: CSRConfig, inputs: Inputs, folder: RunFolder, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.num_classes = num_classes
        self.queries = query_ids(config, inputs)

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: the loss of a network is not finite.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        conditions = conditions_of(self.config)
        with stop_requests() as stop:
            looks = [self._train(c, stop, number, len(conditions)) for number, c in enumerate(conditions)]
        found = list(zip(conditions, looks, strict=True))
        radii = {c.name: self._radii(c) for c in conditions} if self.config.radius_queries else {}
        write_results(self.config, self.inputs, self.folder, self.queries, found, radii)

    def trainer(self, condition: Condition) -> Trainer:
        """The training of a condition at its beginning."""
        own, ids = TrainingData(condition, self.config, self.inputs), self.inputs.image_ids
        network = build_model(
            architecture(self.config, self.inputs.bank, self.num_classes), None, None, self.inputs.bank
        )
        stream = TrainingStream(
            own.images,
            ids,
            LabelSource.fixed(own.labels, num_classes=self.num_classes, image_ids=ids),
            self.inputs.recipe,
            self.config.batch_size,
            self.config.seeds(),
        )
        return Trainer(network, stream, self.config.training())

    def _train(self, condition: Condition, stop: StopRequest, number: int, count: int) -> list[dict[str, Any]]:
        """Trains one network and looks at it along the way; returns the looks."""
        own, ids, test = TrainingData(condition, self.config, self.inputs), self.inputs.image_ids, self.inputs.bank.test
        kinds = [REAL_INPUTS, NOISE_INPUTS] if condition.kind == RAND_X else [REAL_INPUTS]

        def statistics(trainer: Trainer) -> Any:
            return probe_statistics(trainer.model, own.images[ids], self.config.bn)

        def look(trainer: Trainer, epoch: int) -> dict[str, Any]:
            with statistics(trainer):
                found = {
                    "train_accuracy": clean_accuracy(trainer.model, own.images, own.labels, image_ids=ids),
                    "test_accuracy": clean_accuracy(
                        trainer.model, test.images, test.labels[self.queries], image_ids=self.queries
                    ),
                }
                for kind in kinds:
                    begin = time.monotonic()
                    searched = self._search(trainer, kind)
                    found |= {f"critical_{kind}": int(searched.critical.sum())}
                    found |= {f"iterations_{kind}": searched.iterations}
                    found |= {f"search_seconds_{kind}": round(time.monotonic() - begin, 3)}
            return found

        def finish(trainer: Trainer) -> None:
            if self.config.radius_queries:
                with statistics(trainer):
                    self._measure_radii(condition, trainer)

        return train_cell(
            self.folder,
            condition.name,
            lambda: self.trainer(condition),
            look,
            self.config.look_epochs(),
            stop,
            description=f"csr {number + 1}/{count}, {condition.name}",
            done=number,
            cells=count,
            finish=finish,
        )

    def _search(self, trainer: Trainer, kind: str) -> Any:
        return critical_samples(
            trainer.model,
            query_pixels(kind, self.queries, self.config, self.inputs, trainer.device),
            ids=self.queries,
            radius=self.config.radius,
            alpha=self.config.alpha,
            beta=self.config.beta,
            iterations=self.config.iterations,
            fewest_new=self.config.fewest_new,
            seed=self.config.seeds().view,
        )

    def _measure_radii(self, condition: Condition, trainer: Trainer) -> None:
        ids = self.queries[: self.config.radius_queries]
        radius = critical_radius(
            trainer.model,
            query_pixels(condition.headline_inputs, ids, self.config, self.inputs, trainer.device),
            ids=ids,
            iterations=self.config.iterations,
            seed=self.config.seeds().view,
        )
        write_with(self._radius_file(condition), lambda file: np.savez_compressed(file, radius=radius.numpy()))

    def _radius_file(self, condition: Condition) -> Path:
        return self.folder.path / "cells" / f"{condition.name}_radius.npz"

    def _radii(self, condition: Condition) -> np.ndarray:
        with np.load(self._radius_file(condition)) as stored:
            return stored["radius"]
