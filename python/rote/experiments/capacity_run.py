"""The course of one `capacity` run: its cells, one network each, and the table made of them."""

from __future__ import annotations

import copy
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import nn

from rote.experiments.collisions import pool_collisions
from rote.experiments.inputs import Inputs
from rote.experiments.stopping import Stopped, StopRequest, stop_requests
from rote.metrics import bits, pool_accuracy
from rote.runs import RunFolder
from rote.runs.folder import measurement, read_json
from rote.runs.whole_files import write_json
from rote.train import LabelSource, Progress, Trainer, TrainingDiverged, TrainingStream, random_labels

if TYPE_CHECKING:
    from rote.experiments.capacity import CapacityConfig

# Doubling the visits must add this much accuracy, or this share of a label's bits, to count as still helping.
STILL_HELPS = 0.01
# So many doublings in a row must not help before a cell ends: at a constant learning rate accuracy goes up and down.
IDLE_DOUBLINGS = 2
# Average visits of a view before the first look. Fitting starts late where many labels are to be stored, and a start
# that has not happened yet must not pass for a full memory.
FIRST_LOOK = 50


class Cell(NamedTuple):
    """One training: a pool size, a label mode and a learning rate."""

    views: int
    label_mode: str
    lr: float

    @property
    def file_name(self) -> str:
        """Where its result lies inside cells/."""
        return f"{self.label_mode}_views={self.views}_lr={self.lr:g}.json"


class CapacityRun:
    """The grid from wherever it stands to its summary. What is finished is a file in cells/; a cell is never resumed
    in its middle.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        model: the network at its initialization; every cell trains a copy.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(
        self, config: CapacityConfig, inputs: Inputs, model: nn.Module, folder: RunFolder, num_classes: int
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.model = model
        self.folder = folder
        self.num_classes = num_classes
        self.cells = [
            Cell(views, mode, lr) for views in config.views for mode in config.label_modes for lr in config.lr
        ]

    def to_the_end(self) -> None:
        """Trains what is missing, then writes table and summary.

        Raises:
            Stopped: Ctrl-C; finished cells are saved.
        """
        done = {cell for cell in self.cells if self._file(cell).exists()}
        self.folder.metrics.keep(lambda line: Cell(line["views"], line["label_mode"], line["lr"]) in done)
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        with stop_requests() as stop:
            for number, cell in enumerate(self.cells, start=1):
                if cell not in done:
                    self._train(cell, number, stop)
        self._write_results()

    def _file(self, cell: Cell) -> Path:
        return self.folder.path / "cells" / cell.file_name

    def _labels(self, mode: str) -> LabelSource:
        seed, ids = self.config.seeds().label, self.inputs.image_ids
        if mode == "random":
            return LabelSource.per_view(seed, self.num_classes)
        labels = random_labels(ids, self.num_classes, seed)
        return LabelSource.fixed(labels, num_classes=self.num_classes, image_ids=ids)

    def looks(self, views: int) -> list[int]:
        """The epochs at which a pool of `views` views is looked at: the budget, its half, its quarter, ..."""
        epochs = [self.config.epochs]
        while epochs[-1] % 2 == 0 and epochs[-1] // 2 >= FIRST_LOOK * views:
            epochs.append(epochs[-1] // 2)
        return epochs[::-1]

    def _train(self, cell: Cell, number: int, stop: StopRequest) -> None:
        begin = time.monotonic()
        config, inputs = self.config, self.inputs
        labels = self._labels(cell.label_mode)
        images = inputs.bank.train.images
        stream = TrainingStream(
            images, inputs.image_ids, labels, inputs.recipe, config.batch_size, config.seeds(), cell.views
        )
        trainer = Trainer(copy.deepcopy(self.model), stream, config.training(lr=cell.lr))
        description = f"capacity {number}/{len(self.cells)}, {cell.views} views, {cell.label_mode} labels"
        lines: list[dict[str, Any]] = []
        result: dict[str, Any] = {**cell._asdict(), "diverged": False, "budget_limited": True}
        idle = 0
        with Progress(trainer.total_steps, stream.batch_size, description) as progress:

            def after_step(trainer: Trainer) -> None:
                progress.update(trainer.step)
                if stop.made:
                    raise Stopped(self.folder.path, number - 1, len(self.cells), "cell")

            for epoch in self.looks(cell.views):
                try:
                    trainer.train_until(epoch * stream.steps_per_epoch, after_step)
                except TrainingDiverged as error:
                    result |= {"diverged": True, "diverged_at": error.step}
                    break
                score = pool_accuracy(
                    trainer.model,
                    images,
                    labels,
                    inputs.recipe,
                    views=cell.views,
                    seed=config.seeds().view,
                    image_ids=inputs.image_ids,
                )
                running = trainer.take_running()
                lines += [
                    measurement(trainer.step, epoch, split, metric, None, value, **cell._asdict())
                    for split, metric, value in (
                        ("pool", "accuracy_pool", score.accuracy),
                        ("pool", "cost_bits", score.cost_bits),
                        ("train", "accuracy_running", running.accuracy),
                        ("train", "loss", running.loss),
                    )
                ]
                progress.update(trainer.step, pool=score.accuracy)
                seen = "accuracy" in result
                helps = not seen or self._still_helps(result, score.accuracy, score.cost_bits)
                result |= {
                    "accuracy": score.accuracy,
                    "cost_bits": score.cost_bits,
                    "loss": running.loss,
                    "steps": trainer.step,
                    "epochs": epoch,
                    "budget_limited": helps and score.correct < score.samples,
                }
                idle = 0 if helps else idle + 1
                if score.correct == score.samples or idle == IDLE_DOUBLINGS:
                    break
        result["seconds"] = round(time.monotonic() - begin, 3)
        self.folder.metrics.append(lines)
        write_json(self._file(cell), result)

    def _still_helps(self, before: dict[str, Any], accuracy: float, cost_bits: float) -> bool:
        """Whether doubling the visits added a point, or a hundredth of the bits a label has.

        The second keeps a slow start, where every view is still at chance, from passing for a full memory.
        """
        fewer_bits = before["cost_bits"] - cost_bits
        label_bits = bits.code_length_from_cost(0.0, self.num_classes, 1)
        return accuracy - before["accuracy"] >= STILL_HELPS or fewer_bits >= STILL_HELPS * label_bits

    def _write_results(self) -> None:
        results = {cell: read_json(self._file(cell)) for cell in self.cells}
        rows = [
            self._row(views, mode, [r for c, r in results.items() if (c.views, c.label_mode) == (views, mode)])
            for views in self.config.views
            for mode in self.config.label_modes
        ]
        self.folder.write_table("capacity.csv", rows)
        self.folder.write_summary(
            {
                "rows": rows,
                "parameters": self._parameters(),
                "images": len(self.inputs.image_ids),
                "label_classes": self.num_classes,
                "augment": self.config.augment,
                "data": self.inputs.bank.name,
                "epochs": self.config.epochs,
                "seed": self.config.seed,
                "seconds": round(sum(result["seconds"] for result in results.values()), 2),
            }
        )

    def _row(self, views: int, mode: str, results: list[dict[str, Any]]) -> dict[str, Any]:
        """The best learning rate of one pool size and label mode."""
        fitted = [result for result in results if not result["diverged"]]
        if not fitted:
            first = min(result["diverged_at"] for result in results)
            raise TrainingDiverged(first, 0)
        best = max(fitted, key=lambda result: (result["accuracy"], -result["cost_bits"]))
        images = len(self.inputs.image_ids)
        independent = images * views if mode == "random" else images
        fano = bits.fano(independent, self.num_classes, best["accuracy"])
        collisions = pool_collisions(
            self.inputs.recipe,
            self._labels(mode),
            self.inputs.image_ids,
            views,
            seed=self.config.seeds().view,
            image_size=self.inputs.bank.image_size,
        )
        return {
            "views": views,
            "label_mode": mode,
            "images": images,
            "pool": images * views,
            "parameters": self._parameters(),
            "accuracy_pool": best["accuracy"],
            "bits_fano": fano,
            "bits_code_length": bits.code_length_from_cost(best["cost_bits"], self.num_classes, independent),
            "bits_per_parameter": fano / self._parameters(),
            "steps": best["steps"],
            "visits": best["epochs"],
            "visits_per_view": best["epochs"] / views,
            "budget_limited": best["budget_limited"],
            "distinct_views": collisions.distinct,
            "accuracy_ceiling": collisions.ceiling,
            "loss": best["loss"],
            "lr": best["lr"],
        }

    def _parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())
