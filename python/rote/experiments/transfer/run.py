"""The course of one `transfer` run: pre-trainings, the alignment of their filters, trainings from them, the tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from rote.experiments.base.stopping import StopRequest, stop_requests
from rote.experiments.base.training_cell import train_cell
from rote.experiments.inputs.loading import Inputs
from rote.experiments.probing.probes import probe_statistics
from rote.experiments.transfer.networks import Networks
from rote.experiments.transfer.results import (
    RANDOM,
    Cell,
    accuracies_on_test_images,
    epochs_to_90,
    measurements,
    transfer_rows,
)
from rote.metrics import clean_accuracy
from rote.runs import RunFolder
from rote.train import LabelSource, Trainer, TrainingStream, random_labels, save_weights

if TYPE_CHECKING:
    from rote.experiments.transfer import TransferConfig


class TransferRun:
    """The run from wherever it stands to its summary. Finished trainings are files in cells/; one that was stopped in
    its middle goes on.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        architecture: arguments of `rote.models.build`, of the networks that are pre-trained.
        folder: the open run folder.
    """

    def __init__(
        self, config: TransferConfig, inputs: Inputs, architecture: Mapping[str, Any], folder: RunFolder
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.architecture = architecture
        self.folder = folder
        self.networks = Networks(config, inputs, architecture, folder)
        self.train, self.test = inputs.bank.train, inputs.bank.test
        half = len(inputs.image_ids) // 2
        self.first, self.second = inputs.image_ids[:half], inputs.image_ids[half : 2 * half]
        self.cells = [
            Cell(start, labels, network)
            for network in range(config.transfer_networks)
            for labels in config.tasks
            for start in config.starts
        ]

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        self.folder.remove_summary()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        with stop_requests() as stop:
            pretrained = [self._pretrain(network, stop) for network in range(self.config.networks)]
            alignment = self.networks.alignment(self.first)
            looks = {cell: self._transfer(cell, number, stop) for number, cell in enumerate(self.cells)}
        self._write_results(pretrained, alignment, looks)

    # Trainings --------------------------------------------------------------------------------------------------------

    def _trainer(
        self, model: nn.Module, ids: Tensor, labels: Tensor, classes: int, network: int, epochs: int
    ) -> Trainer:
        stream = TrainingStream(
            self.train.images,
            ids,
            LabelSource.fixed(labels, num_classes=classes, image_ids=ids),
            self.inputs.recipe,
            self.config.batch_size,
            self.networks.seeds(network),
        )
        return Trainer(model, stream, self.config.training(epochs=epochs))

    def pretraining(self, network: int) -> Trainer:
        """The training of one network on random labels of the first half, at its beginning."""
        classes = self.architecture["num_classes"]
        labels = self._random_labels(self.first, network, classes)
        epochs = self.config.pretrain_epochs
        return self._trainer(self.networks.initial(network), self.first, labels, classes, network, epochs)

    def _pretrain(self, network: int, stop: StopRequest) -> dict[str, Any]:
        """Trains one network on random labels; returns what was measured at its end."""
        labels = self._random_labels(self.first, network, self.architecture["num_classes"])

        def look(trainer: Trainer, _: int) -> dict[str, float]:
            with probe_statistics(trainer.model, self.train.images, self.config.bn):
                return {"train_accuracy": self._clean(trainer.model, self.first, labels)}

        looks = train_cell(
            self.folder,
            f"pretrain_{network}",
            lambda: self.pretraining(network),
            look,
            [self.config.pretrain_epochs],
            stop,
            description=f"transfer, random labels, network {network + 1} of {self.config.networks}",
            done=network,
            cells=self.config.networks + len(self.cells),
            finish=lambda trainer: save_weights(self.networks.weights_file(network), trainer.model),
        )
        return looks[-1]

    def _transfer(self, cell: Cell, number: int, stop: StopRequest) -> list[dict[str, Any]]:
        """Trains one network on the second half; returns what was measured after each epoch."""
        classes, epochs = self.inputs.bank.num_classes, self.config.epochs
        labels = self.train.labels.cpu()[self.second]
        if cell.labels == RANDOM:
            labels = self._random_labels(self.second, cell.network, classes)
        evaluated = set(self.config.evaluation_epochs())

        def look(trainer: Trainer, epoch: int) -> dict[str, float]:
            running = trainer.take_running()
            found = {"accuracy_running": running.accuracy, "loss": running.loss} if running.samples else {}
            return found | (self.accuracies(trainer.model, self.second, labels) if epoch in evaluated else {})

        return train_cell(
            self.folder,
            cell.name,
            lambda: self._trainer(self.networks.start(cell), self.second, labels, classes, cell.network, epochs),
            look,
            range(epochs + 1),
            stop,
            description=f"transfer, {cell.labels} labels from {cell.start} ({number + 1} of {len(self.cells)})",
            done=self.config.networks + number,
            cells=self.config.networks + len(self.cells),
        )

    def accuracies(self, model: nn.Module, ids: Tensor, labels: Tensor) -> dict[str, float]:
        """Clean accuracy on the labels given to images, and on test images against their true labels."""
        with probe_statistics(model, self.train.images, self.config.bn):
            return {
                "train_accuracy": self._clean(model, ids, labels),
                "test_accuracy": clean_accuracy(model, self.test.images, self.test.labels.cpu()),
            }

    def _clean(self, model: nn.Module, ids: Tensor, labels: Tensor) -> float:
        return clean_accuracy(model, self.train.images, labels, image_ids=ids)

    def _random_labels(self, ids: Tensor, network: int, classes: int) -> Tensor:
        return random_labels(ids, classes, self.networks.seeds(network).label)

    # Results ----------------------------------------------------------------------------------------------------------

    def _write_results(
        self,
        pretrained: list[dict[str, Any]],
        alignment: list[dict[str, Any]],
        looks: dict[Cell, list[dict[str, Any]]],
    ) -> None:
        self.folder.write_table("transfer.csv", transfer_rows(looks))
        self.folder.write_table("alignment.csv", alignment)
        self.folder.metrics.keep(lambda line: False)
        self.folder.metrics.append(measurements(looks))
        before, after = alignment
        seconds = [look["seconds"] for look in pretrained] + [found[-1]["seconds"] for found in looks.values()]
        self.folder.write_summary(
            {
                "misalignment_init": before["misalignment"],
                "misalignment": after["misalignment"],
                "misalignment_random_basis_init": before["misalignment_random_basis"],
                "misalignment_random_basis": after["misalignment_random_basis"],
                "pretrain_accuracy": sum(look["train_accuracy"] for look in pretrained) / len(pretrained),
                "epochs_to_90": epochs_to_90(looks),
                **accuracies_on_test_images(looks),
                "networks": self.config.networks,
                "transfer_networks": self.config.transfer_networks,
                "transferred": self.config.transferred,
                "data": self.inputs.bank.name,
                "images": len(self.inputs.image_ids),
                "label_classes": self.architecture["num_classes"],
                "augment": self.config.augment,
                "epochs": self.config.epochs,
                "steps": next(iter(looks.values()))[-1]["step"],
                "seed": self.config.seed,
                "parameters": sum(p.numel() for p in self.networks.initial(0).parameters()),
                "seconds": round(sum(seconds), 2),
            }
        )
