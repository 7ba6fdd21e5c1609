"""Training on true labels from the encoder of a finished run, and from the same encoder at its initialization."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rote import models
from rote.experiments.base.stopping import StopRequest
from rote.experiments.base.training_cell import train_cell
from rote.experiments.examining.examined import MOMENTS, ExaminedRun
from rote.experiments.inputs.loading import Inputs
from rote.experiments.probing.probes import probe_statistics
from rote.metrics import clean_accuracy
from rote.models import EncoderProjector
from rote.runs import RunFolder
from rote.train import LabelSource, Trainer, TrainingStream

if TYPE_CHECKING:
    from rote.experiments.layers import LayersConfig


class Finetuning:
    """The same images, true labels, recipe, order and steps for both starts; the projector is new in both.

    Args:
        config: `finetune_epochs` and `finetune_lr`; all else is as in the run.
        inputs: data and recipe.
        examined: the run.
        folder: the open run folder.
    """

    def __init__(self, config: LayersConfig, inputs: Inputs, examined: ExaminedRun, folder: RunFolder) -> None:
        self.config = config
        self.inputs = inputs
        self.examined = examined
        self.folder = folder

    def train(self, moment: str, stop: StopRequest, number: int) -> dict[str, Any]:
        """Trains from the encoder of a moment.

        Returns:
            Accuracy on test images, with what it was measured on.

        Raises:
            ValueError: a module of the caller's own whose outputs are not the classes of the data.
            Stopped: Ctrl-C; the state is saved.
        """
        test = self.inputs.bank.test
        looks = train_cell(
            self.folder,
            f"finetune-{moment}",
            lambda: self._trainer(moment),
            self._look,
            [self.config.finetune_epochs],
            stop,
            description=f"layers, true labels from the encoder at {moment}",
            done=number,
            cells=len(MOMENTS),
        )
        asked = test.labels.cpu()
        return {
            "accuracy": looks[-1]["test_accuracy"],
            "n_references": len(self.inputs.image_ids),
            "n_queries": len(asked),
            "chance": int(torch.bincount(asked).max()) / len(asked),
            "seconds": looks[-1]["seconds"],
            "train_accuracy": looks[-1]["train_accuracy"],
            "steps": looks[-1]["step"],
        }

    def _trainer(self, moment: str) -> Trainer:
        classes = self.inputs.bank.num_classes
        labels = LabelSource.fixed(self.examined.label_true, num_classes=classes, image_ids=self.inputs.image_ids)
        stream = TrainingStream(
            self.inputs.bank.train.images,
            self.inputs.image_ids,
            labels,
            self.inputs.recipe,
            self.config.batch_size,
            self.config.seeds(),
        )
        training = dataclasses.replace(
            self.config.training(),
            epochs=self.config.finetune_epochs,
            lr=self.config.finetune_lr,
            schedule="one-cycle",
            warmup_epochs=0,
        )
        return Trainer(self._network(moment, classes), stream, training)

    def _network(self, moment: str, classes: int) -> nn.Module:
        network = self.examined.untouched(moment).train()
        if isinstance(network, EncoderProjector):
            fresh = models.build(**{**self.examined.run.record["architecture"], "num_classes": classes})
            fresh.encoder.load_state_dict(network.encoder.state_dict())
            return fresh
        if self.examined.label_classes != classes:
            raise ValueError(
                f"--finetune needs as many label classes as the data has, {classes}, with a module of your own, whose "
                f"last layer cannot be built anew; got {self.examined.label_classes}"
            )
        return network

    def _look(self, trainer: Trainer, epoch: int) -> dict[str, Any]:
        train, test = self.inputs.bank.train, self.inputs.bank.test
        with probe_statistics(trainer.model, train.images, self.config.bn):
            return {
                "test_accuracy": clean_accuracy(trainer.model, test.images, test.labels.cpu()),
                "train_accuracy": clean_accuracy(
                    trainer.model, train.images, self.examined.label_true, image_ids=self.inputs.image_ids
                ),
            }
