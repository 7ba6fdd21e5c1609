"""The course of one `easy` run: networks of one epoch, a few at a time, and the tables made of their errors."""

from __future__ import annotations

import dataclasses
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from rote.data.corruption import corrupted
from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import require_finite, train_fleet
from rote.experiments.base.network_seeds import network_seed
from rote.experiments.base.stopping import StopRequest, stop_requests
from rote.experiments.easy.filters import train_filters, write_filters
from rote.experiments.easy.tables import curve_rows, extreme_rows, kind_row
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.accuracy import clean_correct
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.runs.whole_files import write_with
from rote.train import LabelSource, Seeds, TrainingStream, random_labels

if TYPE_CHECKING:
    from rote.experiments.easy import EasyConfig

REAL, RAND_X, RAND_Y = "real", "randX", "randY"


class EasyRun:
    """All kinds from wherever they stand to the summary.

    Finished networks are files in cells/; those under way have a checkpoint, and go on in their middle.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(self, config: EasyConfig, inputs: Inputs, folder: RunFolder, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.num_classes = num_classes

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: the loss of a network is not finite.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        config = self.config
        parts = [
            (kind, range(first, min(first + config.together, config.runs)))
            for kind in config.kinds
            for first in range(0, config.runs, config.together)
        ]
        cells = len(parts) + (2 if config.filter_epochs else 0)
        seconds = 0.0
        with stop_requests() as stop:
            for number, part in enumerate(parts):
                seconds += self._train(*part, stop, number, cells)
            if config.filter_epochs:
                seconds += train_filters(self, stop, len(parts), cells)
        self._write_results(parts, seconds)

    @cached_property
    def noise_images(self) -> Tensor:
        """uint8 [M, C, H, W]: the training split, those trained on replaced by Gaussian noise of its moments."""
        ids = self.inputs.image_ids
        images = self.inputs.bank.train.images.clone()
        images[ids], _ = corrupted(self.inputs.bank, "gaussian", seed=self.config.seeds().label, ids=ids)
        return images

    @cached_property
    def drawn_labels(self) -> Tensor:
        """int64 [N]: a random label of every image."""
        return random_labels(self.inputs.image_ids, self.num_classes, self.config.seeds().label)

    def images(self, kind: str) -> Tensor:
        """uint8 [M, C, H, W]: what networks of a kind are trained on."""
        return self.noise_images if kind == RAND_X else self.inputs.bank.train.images

    def labels(self, kind: str) -> Tensor:
        """int64 [N]: the labels they are trained on."""
        return self.drawn_labels if kind == RAND_Y else self.inputs.label_true

    def stream(self, kind: str, run: int) -> TrainingStream:
        """What network `run` of a kind sees."""
        ids, own = self.inputs.image_ids, self.config.seeds()
        labels = LabelSource.fixed(self.labels(kind), num_classes=self.num_classes, image_ids=ids)
        seeds = Seeds(own.data, own.label, own.init, network_seed(own.order, run), own.view)
        return TrainingStream(self.images(kind), ids, labels, self.inputs.recipe, self.config.batch_size, seeds)

    def network(self, run: int) -> nn.Module:
        """Network `run` at its initialization."""
        config = dataclasses.replace(self.config, init_seed=network_seed(self.config.seeds().init, run))
        return build_model(architecture(config, self.inputs.bank, self.num_classes), None, None, self.inputs.bank)

    def _train(self, kind: str, runs: range, stop: StopRequest, done: int, cells: int) -> float:
        """Trains a few networks together and stores what they get wrong; returns the seconds it took."""
        config = self.config
        asked = self.inputs.image_ids[: config.examples]

        def make(state: Path) -> Fleet:
            return Fleet(
                [self.network(run) for run in runs],
                [self.stream(kind, run) for run in runs],
                [config.training()] * len(runs),
                state,
            )

        def look(fleet: Fleet, epoch: int) -> dict[str, Any]:
            require_finite(fleet)
            images, labels = self.images(kind), self.labels(kind)[: config.examples]
            wrong = []
            for member in range(len(runs)):
                model = fleet.model(member)
                with probe_statistics(model, images, config.bn):
                    wrong.append(~clean_correct(model, images, labels, image_ids=asked).numpy())
            found = np.stack(wrong)
            write_with(self._file(kind, runs), lambda file: np.savez_compressed(file, wrong=found))
            return {"accuracy": (1 - found.mean(1)).tolist()}

        name, what = _name(kind, runs), f"easy {done + 1}/{cells}, {kind}"
        found = train_fleet(
            self.folder, name, make, look, (config.epochs,), stop, description=what, done=done, cells=cells
        )
        return found["seconds"]

    def _file(self, kind: str, runs: range) -> Path:
        return self.folder.path / "cells" / f"{_name(kind, runs)}.npz"

    def _write_results(self, parts: list[tuple[str, range]], seconds: float) -> None:
        config, ids = self.config, self.inputs.image_ids[: self.config.examples]
        wrong: dict[str, np.ndarray] = {}
        for kind in config.kinds:
            files = [self._file(*part) for part in parts if part[0] == kind]
            wrong[kind] = np.concatenate([np.load(file)["wrong"] for file in files])
        # Every other network: each half has networks of the whole range of seeds.
        half = np.arange(config.runs) % 2 == 0
        used = {kind: self.labels(kind)[: len(ids)].numpy() for kind in config.kinds}
        rows = [kind_row(kind, errors, half, used[kind]) for kind, errors in wrong.items()]
        examples: dict[str, Any] = {"id": ids.numpy(), "label_true": self.inputs.label_true[: len(ids)].numpy()}
        if RAND_Y in used:
            examples["label_randY"] = used[RAND_Y]
        for kind, errors in wrong.items():
            examples |= {
                f"error_rate_{kind}": errors.mean(0),
                f"error_rate_{kind}_first": errors[half].mean(0),
                f"error_rate_{kind}_second": errors[~half].mean(0),
            }
        self.folder.write_table("easy.csv", rows)
        self.folder.write_table("easy_curve.csv", curve_rows(wrong, half))
        self.folder.write_table("easy_extremes.csv", extreme_rows(wrong, half, examples, used))
        self.folder.write_examples(examples)
        self._write_metrics(wrong)
        if config.filter_epochs:
            write_filters(self)
        stream = self.stream(REAL, 0)
        self.folder.write_summary(
            {
                "rows": rows,
                **{f"over_dispersion_{row['kind']}": row["over_dispersion"] for row in rows},
                "data": self.inputs.bank.name,
                "images": len(self.inputs.image_ids),
                "examples": len(ids),
                "runs": config.runs,
                "label_classes": self.num_classes,
                "augment": config.augment,
                "epochs": config.epochs,
                "steps": config.epochs * stream.steps_per_epoch,
                "seed": config.seed,
                "parameters": sum(p.numel() for p in self.network(0).parameters()),
                "seconds": round(seconds, 2),
            }
        )

    def _write_metrics(self, wrong: dict[str, np.ndarray]) -> None:
        self.folder.metrics.keep(lambda line: False)
        step = self.config.epochs * self.stream(REAL, 0).steps_per_epoch
        self.folder.metrics.append(
            measurement(
                step, self.config.epochs, "train", "accuracy_clean", None, 1 - float(row.mean()), kind=kind, run=n
            )
            for kind, errors in wrong.items()
            for n, row in enumerate(errors)
        )


def _name(kind: str, runs: range) -> str:
    return f"{kind}_runs={runs.start}-{runs.stop - 1}"
