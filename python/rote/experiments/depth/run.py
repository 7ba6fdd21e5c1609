"""The course of one `depth` run: the learning rates of every network train together, and the best one counts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import train_fleet
from rote.experiments.base.stopping import StopRequest, stop_requests
from rote.experiments.depth.networks import Networks, Shape
from rote.experiments.depth.tables import best_of_random, best_of_true, comparisons, rate_rows
from rote.experiments.inputs.loading import Inputs
from rote.experiments.inputs.validation import Division
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.accuracy import clean_accuracy
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.train import LabelSource, TrainingStream, random_labels

if TYPE_CHECKING:
    from rote.experiments.depth import DepthConfig

RANDOM, TRUE = "random", "true"
REACHED = 0.99
# A network whose running accuracy over an epoch was lower is not asked whether it knows 99 % at its end.
_WORTH_ASKING = 0.7


class DepthRun:
    """All networks from wherever they stand to the summary.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        parts: images trained on and held out.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(
        self, config: DepthConfig, inputs: Inputs, parts: Division, folder: RunFolder, num_classes: int
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.parts = parts
        self.folder = folder
        self.num_classes = num_classes
        self.networks = Networks(config, inputs.bank, num_classes)
        self.true = inputs.bank.train.labels.cpu()
        self.labels = {
            RANDOM: random_labels(parts.train, num_classes, config.seeds().label),
            TRUE: self.true[parts.train],
        }

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        compared = list(self.networks.compared())
        cells = [(labels, shape) for shape in dict.fromkeys(s for _, s in compared) for labels in (RANDOM, TRUE)]
        with stop_requests() as stop:
            found = {
                (labels, shape): self._train(labels, shape, stop, number, len(cells))
                for number, (labels, shape) in enumerate(cells)
            }
        self._write_results(compared, found)

    def _train(self, labels: str, shape: Shape, stop: StopRequest, done: int, cells: int) -> dict[str, Any]:
        """Trains a network at all learning rates together, on one kind of labels."""
        most = self.config.epochs if labels == RANDOM else self.config.true_epochs

        def make(state: Path) -> Fleet:
            stream = [self._stream(labels) for _ in self.config.lr]
            config = {"norm": shape.norm, "depth": shape.depth, "width": shape.width, "epochs": most}
            configs = [self.config.training(lr=rate, **config) for rate in self.config.lr]
            return Fleet([self.networks.build(shape) for _ in self.config.lr], stream, configs, state)

        return train_fleet(
            self.folder,
            f"{labels}_{shape.name}",
            make,
            self._look_at_random if labels == RANDOM else self._look_at_true,
            range(1, most + 1) if labels == RANDOM else (most,),
            stop,
            description=f"depth {done + 1}/{cells}, {labels} labels, depth {shape.depth}, width {shape.width}",
            done=done,
            cells=cells,
        )

    def _stream(self, labels: str) -> TrainingStream:
        ids = self.parts.train
        source = LabelSource.fixed(self.labels[labels], num_classes=self.num_classes, image_ids=ids)
        images = self.inputs.bank.train.images
        return TrainingStream(images, ids, source, self.inputs.recipe, self.config.batch_size, self.config.seeds())

    def _look_at_random(self, fleet: Fleet, epoch: int) -> dict[str, Any]:
        """Clean accuracy of each rate where it may have reached 99 %; the first that has ends the training of all."""
        running = fleet.take_running()
        accuracy: list[float | None] = [None] * len(self.config.lr)
        for member in fleet.active:
            if running[member].accuracy >= _WORTH_ASKING or epoch == self.config.epochs:
                accuracy[member] = self._accuracy(fleet.model(member), self.labels[RANDOM], self.parts.train)
        if any(value is not None and value >= REACHED for value in accuracy):
            for member in fleet.active:
                fleet.stop(member)
        return {
            "accuracy": accuracy,
            "running": [r.accuracy if r.samples else None for r in running],
            "diverged": [step is not None for step in fleet.diverged],
        }

    def _look_at_true(self, fleet: Fleet, epoch: int) -> dict[str, Any]:
        test = self.inputs.bank.test
        looks: dict[str, list[float | None]] = {"train": [], "validation": [], "test": []}
        for member, broken in enumerate(fleet.diverged):
            if broken is not None:
                values: tuple[float | None, ...] = (None, None, None)
            else:
                model = fleet.model(member)
                values = (
                    self._accuracy(model, self.labels[TRUE], self.parts.train),
                    self._accuracy(model, self.true[self.parts.validation], self.parts.validation),
                    self._accuracy(model, test.labels.cpu(), torch.arange(len(test)), images=test.images),
                )
            for name, value in zip(looks, values, strict=True):
                looks[name].append(value)
        return {**looks, "diverged": [step is not None for step in fleet.diverged]}

    def _accuracy(self, model: nn.Module, labels: Tensor, ids: Tensor, images: Tensor | None = None) -> float:
        own = self.inputs.bank.train.images
        with probe_statistics(model, own, self.config.bn):
            return clean_accuracy(model, own if images is None else images, labels, image_ids=ids)

    def _write_results(self, compared: list[tuple[str, Shape]], found: dict[tuple[str, Shape], dict[str, Any]]) -> None:
        rates = self.config.lr
        rows = [
            {
                "equal": equal,
                "norm": shape.norm,
                "depth": shape.depth,
                "width": shape.width,
                "parameters": self.networks.parameters(shape),
                **best_of_random(found[RANDOM, shape]["looks"], rates),
                **best_of_true(found[TRUE, shape]["looks"], rates),
            }
            for equal, shape in compared
        ]
        self.folder.write_table("depth.csv", rows)
        by_rate = [
            row for (labels, shape), cell in found.items() for row in rate_rows(labels, shape, cell["looks"], rates)
        ]
        self.folder.write_table("depth_rates.csv", by_rate)
        self.folder.metrics.keep(lambda line: False)
        self.folder.metrics.append(
            measurement(
                row["steps"],
                row["epochs"],
                "train",
                "accuracy_clean",
                None,
                row["train_accuracy"],
                **{key: row[key] for key in ("labels", "norm", "depth", "width", "lr")},
            )
            for row in by_rate
            if row["train_accuracy"] is not None
        )
        self.folder.write_summary(
            {
                "rows": rows,
                "comparisons": comparisons(rows),
                "data": self.inputs.bank.name,
                "images": len(self.parts.train),
                "validation": len(self.parts.validation),
                "label_classes": self.num_classes,
                "augment": self.config.augment,
                "epochs": self.config.epochs,
                "steps": self.config.epochs * self._stream(TRUE).steps_per_epoch,
                "seed": self.config.seed,
                "parameters": rows[0]["parameters"],
                "seconds": round(sum(cell["seconds"] for cell in found.values()), 2),
            }
        )
