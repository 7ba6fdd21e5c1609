"""The course of one `regularize` run: a network for every setting on true and on random labels, and their tables."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rote.data.order import balanced_order
from rote.experiments.base.stopping import StopRequest, stop_requests
from rote.experiments.base.training_cell import result_file, train_cell
from rote.experiments.inputs.labels import RANDOM, TRUE, GivenLabels
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.experiments.probing.probes import probe_statistics
from rote.experiments.regularize.search import CriticalPoints
from rote.experiments.regularize.settings import Setting, settings
from rote.experiments.regularize.trade_off import falls
from rote.metrics import clean_accuracy
from rote.metrics.evaluation import BATCH_SIZE, clean_pixels, convolutional, evaluating
from rote.runs import RunFolder
from rote.train import AdversarialLoss, CurrentSamples, RegularizedStream, Trainer, regularize_layers
from rote.train.losses import Loss, make_loss

if TYPE_CHECKING:
    from rote.experiments.regularize.experiment import RegularizeConfig

LABELS = (TRUE, RANDOM)


class Cell(NamedTuple):
    """One training."""

    setting: Setting
    labels: str

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.labels}_{self.setting.name}"


class RegularizeRun:
    """All trainings from wherever they stand to the summary.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(self, config: RegularizeConfig, inputs: Inputs, folder: RunFolder, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.num_classes = num_classes
        first = len(inputs.image_ids)
        self.validation_ids = inputs.order[first : first + config.validation_images]
        test = inputs.bank.test
        # Class-balanced: data sets are often sorted by class.
        order = balanced_order(test.labels.cpu(), num_classes, config.seeds().data)
        self.test_ids = order[: config.test_images or len(test)]
        self.labels = {
            kind: GivenLabels(kind, inputs.image_ids, inputs.label_true, num_classes, config.seeds().label)
            for kind in LABELS
        }
        self.settings = settings(config)

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: the loss of a network is not finite.
        """
        self.folder.remove_summary()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        cells = [Cell(setting, labels) for setting in self.settings for labels in LABELS]
        with stop_requests() as stop:
            found = {cell: self._train(cell, stop, number, len(cells)) for number, cell in enumerate(cells)}
        self._write_results(found)

    def _train(self, cell: Cell, stop: StopRequest, number: int, cells: int) -> list[dict[str, Any]]:
        if result_file(self.folder, cell.name).exists():
            print(f"rote: {cell.name} is there", file=sys.stderr)
        return train_cell(
            self.folder,
            cell.name,
            lambda: self._trainer(cell),
            self._look(cell.labels),
            self._epochs(),
            stop,
            description=f"regularize {number + 1}/{cells}, {cell.labels} labels, {cell.setting.name}",
            done=number,
            cells=cells,
        )

    def _epochs(self) -> list[int]:
        """When to look: evenly, and at the end."""
        count = self.config.evaluations
        return sorted({round(self.config.epochs * (i + 1) / count) for i in range(count)})

    def _trainer(self, cell: Cell) -> Trainer:
        config, bank, own = self.config, self.inputs.bank, self.config.seeds()
        model = self._network()
        current = CurrentSamples(own.view)
        regularize_layers(model, cell.setting.regularizers, current, (bank.channels, *bank.image_size))
        stream = RegularizedStream(
            bank.train.images,
            self.inputs.image_ids,
            self.labels[cell.labels].source,
            self.inputs.recipe,
            config.batch_size,
            own,
            regularizers=cell.setting.regularizers,
            current=current,
        )
        training = dataclasses.replace(config.training(), weight_decay=cell.setting.weight_decay)
        return Trainer(model, stream, training, loss=self._loss(cell.setting, model, current, training))

    def _network(self) -> nn.Module:
        bank = self.inputs.bank
        return build_model(architecture(self.config, bank, self.num_classes), None, None, bank)

    def _loss(self, setting: Setting, model: nn.Module, current: CurrentSamples, training: Any) -> Loss:
        loss = make_loss(training)
        if not setting.adversarial:
            return loss
        config = self.config
        search = CriticalPoints(
            config.seeds().view, radius=config.adversarial_radius, iterations=config.adversarial_iterations
        )
        return AdversarialLoss(model, loss, current, search, setting.adversarial)

    def _look(self, labels: str) -> Callable[[Trainer, int], dict[str, Any]]:
        used = self.labels[labels].used(0)
        train, test = self.inputs.bank.train, self.inputs.bank.test

        def look(trainer: Trainer, epoch: int) -> dict[str, Any]:
            trainer.take_running()
            running = {each.epoch: [each.loss, each.accuracy] for each in trainer.take_epochs()}
            with probe_statistics(trainer.model, train.images, self.config.bn):
                loss, accuracy = clean_loss(trainer.model, train.images, used, self.inputs.image_ids)
                found = {"train_loss": loss, "train_accuracy": accuracy}
                if labels == TRUE:
                    for name, split, ids in (("validation", train, self.validation_ids), ("test", test, self.test_ids)):
                        asked = split.labels.cpu()[ids]
                        found[name] = clean_accuracy(trainer.model, split.images, asked, image_ids=ids)
            return {**found, "running": running}

        return look

    # Results ----------------------------------------------------------------------------------------------------------

    def _write_results(self, found: dict[Cell, list[dict[str, Any]]]) -> None:
        rows = [self._row(s, found[Cell(s, TRUE)], found[Cell(s, RANDOM)]) for s in self.settings]
        curves = [line for cell, looks in found.items() for line in _curve(cell, looks)]
        best = [dataclasses.asdict(fall) for fall in falls(rows, cost=self.config.allowed_cost)]
        self.folder.write_table("regularize.csv", rows)
        self.folder.write_table("loss_curves.csv", curves)
        self.folder.write_table("falls.csv", best)
        some = next(iter(found.values()))
        self.folder.write_summary(
            {
                "rows": rows,
                "falls": best,
                "order": [fall["technique"] for fall in best],
                "data": self.inputs.bank.name,
                "images": len(self.inputs.image_ids),
                "validation_images": len(self.validation_ids),
                "test_images": len(self.test_ids),
                "label_classes": self.num_classes,
                "augment": self.config.augment,
                "allowed_cost": self.config.allowed_cost,
                "epochs": self.config.epochs,
                "steps": some[-1]["step"],
                "parameters": sum(p.numel() for p in self._network().parameters()),
                "seed": self.config.seed,
                "seconds": round(sum(looks[-1]["seconds"] for looks in found.values()), 2),
            }
        )

    def _row(self, setting: Setting, real: list[dict[str, Any]], random: list[dict[str, Any]]) -> dict[str, Any]:
        # Of several epochs with the best accuracy the first one.
        selected = max(real, key=lambda look: (look["validation"], -look["epoch"]))
        return {
            "technique": setting.technique,
            "strength": setting.strength,
            "adversarial": setting.adversarial,
            "random_train_accuracy": random[-1]["train_accuracy"],
            "real_train_accuracy": real[-1]["train_accuracy"],
            "selected_epoch": selected["epoch"],
            "validation_selected": selected["validation"],
            "test_selected": selected["test"],
            "test_final": real[-1]["test"],
            "random_loss": random[-1]["train_loss"],
            "real_loss": real[-1]["train_loss"],
        }


def _curve(cell: Cell, looks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for every epoch: what the trainer saw along it, and where there was a look what it found."""
    running = {int(epoch): values for look in looks for epoch, values in look["running"].items()}
    clean = {look["epoch"]: look for look in looks}
    about = {"technique": cell.setting.technique, "strength": cell.setting.strength, "labels": cell.labels}
    names = ("train_loss", "train_accuracy", "validation", "test")
    return [
        {
            **about,
            "epoch": epoch,
            "running_loss": loss,
            "running_accuracy": accuracy,
            **{name: clean.get(epoch, {}).get(name) for name in names},
        }
        for epoch, (loss, accuracy) in sorted(running.items())
    ]


def clean_loss(model: nn.Module, images: Tensor, labels: Tensor, image_ids: Tensor) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy on un-augmented images, in eval mode.

    Args:
        model: float [B, C, H, W] -> logits [B, classes].
        images: uint8 [M, C, H, W].
        labels: int64 [N], aligned with `image_ids`.
        image_ids: int64 [N].
    """
    channels_last, loss, correct = convolutional(model), 0.0, 0
    labels = labels.cpu()
    with evaluating(model) as device:
        for rows in torch.arange(len(image_ids)).split(BATCH_SIZE):
            logits = model(clean_pixels(images, image_ids[rows], device, channels_last=channels_last)).double().cpu()
            loss += float(F.cross_entropy(logits, labels[rows], reduction="sum"))
            correct += int((logits.argmax(1) == labels[rows]).sum())
    return loss / len(image_ids), correct / len(image_ids)
