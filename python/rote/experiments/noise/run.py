"""The course of one `noise` run: a training for each condition, one after another, and the table made of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rote.experiments.base.stopping import StopRequest, stop_requests
from rote.experiments.base.training_cell import result_file, train_cell
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.experiments.noise.cells import RANDOM_LABELS, Cell, CellData, CellSource, cells_of
from rote.experiments.noise.fitting import Epoch, epochs_to_accuracy, epochs_to_loss
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.accuracy import clean_correct
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.runs.whole_files import write_json, write_with
from rote.train import LabelSource, Trainer, TrainingDiverged, TrainingStream

if TYPE_CHECKING:
    from rote.experiments.noise import NoiseConfig


class NoiseRun:
    """All trainings from wherever they stand to the summary.

    Finished trainings are files in cells/; the one under way has a checkpoint, and goes on in its middle.

    Args:
        config: the resolved options.
        inputs: the data.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(self, config: NoiseConfig, inputs: Inputs, folder: RunFolder, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.num_classes = num_classes
        self.cells = cells_of(config)
        self.source = CellSource(config, inputs, num_classes)

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        A training whose loss is not finite ends there; its row says so, and the others go on.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        # Made anew from the files of finished trainings, so that a kill between two files loses nothing.
        self.folder.metrics.keep(lambda line: False)
        rows: list[dict[str, Any]] = []
        examples: dict[str, Any] = {
            "id": self.inputs.image_ids.numpy(),
            "label_true": self.inputs.label_true.numpy(),
        }
        with stop_requests() as stop:
            for done, cell in enumerate(self.cells):
                data = self.source.data(cell)
                looks = self._train(cell, data, stop, done)
                epochs = [Epoch(*epoch) for look in looks for epoch in look["epochs"]]
                self._measure(cell, epochs, looks)
                rows.append(self._row(cell, data, epochs, looks))
                examples |= self._columns(cell, data, bool(looks))
        self.folder.write_table("noise.csv", rows)
        self.folder.write_examples(examples)
        config = self.config
        steps = config.epochs * (len(self.inputs.image_ids) // min(config.batch_size, len(self.inputs.image_ids)))
        self.folder.write_summary(
            {
                "data": self.inputs.bank.name,
                "images": len(self.inputs.image_ids),
                "label_classes": self.num_classes,
                "chance": 1.0 / self.num_classes,
                "augment": config.augment,
                "model": config.model,
                "norm": config.norm,
                "loss": config.loss,
                "lr": config.lr,
                "crop": list(self.source.crop),
                "threshold": config.threshold,
                "label_noise": config.label_noise,
                "epochs": config.epochs,
                "steps": steps,
                "seed": config.seed,
                "parameters": rows[0]["parameters"],
                "rows": rows,
                "seconds": round(sum(row["seconds"] or 0.0 for row in rows), 2),
            }
        )

    def _network(self) -> torch.nn.Module:
        bank = self.inputs.bank
        return build_model(architecture(self.config, bank, self.num_classes), None, None, bank)

    def _answers_file(self, cell: Cell) -> Path:
        return self.folder.path / "cells" / f"{cell.name}.npz"

    def _train(self, cell: Cell, data: CellData, stop: StopRequest, done: int) -> list[dict[str, Any]]:
        """The looks of a cell, of which the last is at its end; none of a training that diverged."""
        ids, bank = self.inputs.image_ids, self.inputs.bank

        def make() -> Trainer:
            labels = LabelSource.fixed(data.label_used, num_classes=self.num_classes, image_ids=ids)
            config = self.config
            stream = TrainingStream(data.images, ids, labels, data.recipe, config.batch_size, config.seeds())
            return Trainer(self._network(), stream, config.training(weight_decay=cell.weight_decay))

        last: dict[str, np.ndarray] = {}

        def look(trainer: Trainer, epoch: int) -> Mapping[str, Any]:
            # Statistics of the images trained on, whatever was done to them.
            with probe_statistics(trainer.model, data.cropped[ids], self.config.bn):
                train = clean_correct(trainer.model, data.cropped, data.label_used, image_ids=ids)
                test = clean_correct(trainer.model, data.test, bank.test.labels)
            last["correct"] = train.numpy()
            epochs = [[each.epoch, each.loss, each.accuracy] for each in trainer.take_epochs()]
            return {
                "train_accuracy": float(train.double().mean()),
                "test_accuracy": float(test.double().mean()),
                "epochs": epochs,
            }

        def finish(trainer: Trainer) -> None:
            # The last look is at the end of training, and in the same process.
            write_with(self._answers_file(cell), lambda file: np.savez_compressed(file, **last))

        try:
            return train_cell(
                self.folder,
                cell.name,
                make,
                look,
                self.config.evaluation_epochs(),
                stop,
                description=f"noise {done + 1}/{len(self.cells)}, {words(cell)}",
                done=done,
                cells=len(self.cells),
                finish=finish,
            )
        except TrainingDiverged as error:
            print(f"rote: {words(cell)}: {error}", file=sys.stderr)
            write_json(result_file(self.folder, cell.name), {"looks": [], "diverged_at": error.step})
            (self.folder.checkpoints / f"{cell.name}.safetensors").unlink(missing_ok=True)
            return []

    def _measure(self, cell: Cell, epochs: list[Epoch], looks: list[dict[str, Any]]) -> None:
        about = {
            "condition": cell.condition,
            "corruption": cell.corruption,
            "crop": cell.crop,
            "weight_decay": cell.weight_decay,
        }
        per_epoch = looks[-1]["step"] // looks[-1]["epoch"] if looks else 0
        lines = []
        for epoch in epochs:
            step = epoch.number * per_epoch
            lines.append(measurement(step, epoch.number, "train", "loss", None, epoch.loss, **about))
            lines.append(measurement(step, epoch.number, "train", "accuracy_running", None, epoch.accuracy, **about))
        for found in looks:
            at, how = (found["step"], found["epoch"]), {"bn": self.config.bn, **about}
            lines.append(measurement(*at, "train", "accuracy_clean", None, found["train_accuracy"], **how))
            lines.append(measurement(*at, "test", "accuracy", None, found["test_accuracy"], **how))
        self.folder.metrics.append(lines)

    def _row(self, cell: Cell, data: CellData, epochs: list[Epoch], looks: list[dict[str, Any]]) -> dict[str, Any]:
        last = looks[-1] if looks else {"train_accuracy": None, "test_accuracy": None, "step": None, "seconds": None}
        per_epoch = last["step"] // self.config.epochs if looks else 0

        def steps(reached: float | None) -> float | None:
            return None if reached is None else reached * per_epoch

        to_99, to_loss = epochs_to_accuracy(epochs, 0.99), epochs_to_loss(epochs, self.config.threshold)
        wrong = data.label_used != self.inputs.label_true
        return {
            "condition": cell.condition,
            "corruption": cell.corruption,
            "crop": cell.crop,
            "weight_decay": cell.weight_decay,
            "model": self.config.model,
            "parameters": sum(p.numel() for p in self._network().parameters()),
            "steps_to_90": steps(epochs_to_accuracy(epochs, 0.90)),
            "steps_to_99": steps(to_99),
            "epochs_to_99": to_99,
            "steps_to_loss": steps(to_loss),
            "train_accuracy": last["train_accuracy"],
            "train_accuracy_running": epochs[-1].accuracy if epochs else None,
            "train_loss": epochs[-1].loss if epochs else None,
            "test_accuracy": last["test_accuracy"],
            "test_inputs": data.test_inputs,
            "redrawn": float(data.redrawn.double().mean()),
            "corrupted": float((wrong | data.noisy).double().mean()),
            "diverged": not looks,
            "steps": last["step"],
            "seconds": last["seconds"],
        }

    def _columns(self, cell: Cell, data: CellData, trained: bool) -> dict[str, Any]:
        """Labels and answers per image; a column of answers where the training came to its end."""
        columns: dict[str, Any] = {}
        if cell.condition == RANDOM_LABELS:
            columns[f"label_used_{cell.name}"] = data.label_used.numpy()
            columns[f"label_redrawn_{cell.name}"] = data.redrawn.numpy()
        wrong = data.label_used != self.inputs.label_true
        columns[f"is_corrupted_{cell.name}"] = (wrong | data.noisy).numpy()
        if trained:
            with np.load(self._answers_file(cell)) as stored:
                columns[f"correct_{cell.name}"] = stored["correct"]
        return columns


def words(cell: Cell) -> str:
    """A cell as text."""
    parts = [cell.condition.replace("-", " ")]
    if 0 < cell.corruption < 1:
        parts[0] += f" {cell.corruption:g}"
    parts += ["random crops"] * cell.crop + [f"weight decay {cell.weight_decay:g}"] * (cell.weight_decay > 0)
    return ", ".join(parts)
