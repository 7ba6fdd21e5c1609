"""Retraining: one part of the final network from its initialization on, on unpermuted examples alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn

from rote.experiments.base.stopping import StopRequest
from rote.experiments.base.training_cell import train_cell
from rote.experiments.inputs.loading import Inputs
from rote.experiments.location.answers import KINDS, Examples
from rote.experiments.location.blocks import Block, put_back
from rote.experiments.location.checkpoints import Checkpoints
from rote.experiments.probing.probes import probe_statistics
from rote.runs import RunFolder
from rote.train import LabelSource, Trainer, TrainingStream

if TYPE_CHECKING:
    from rote.experiments.location.experiment import LocationConfig

COLUMNS = ("kind", "name", "depth", "epoch", "step", "bn", *KINDS)


class OnePartTraining(nn.Module):
    """A network of which one part is trained; batch normalization elsewhere keeps its statistics.

    Args:
        network: trained in place; the parameters of its other parts want no gradient afterwards.
        block: the part.
    """

    def __init__(self, network: nn.Module, block: Block) -> None:
        super().__init__()
        self.network = network
        self._frozen = [
            module
            for name, module in network.named_modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and not block.holds(name)
        ]
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(block.holds(name))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float [B, C, H, W] -> logits [B, classes]."""
        return self.network(x)

    def train(self, mode: bool = True) -> Self:
        """Train mode of the one part; the statistics of the others stay."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self


def retrained_rows(
    config: LocationConfig,
    inputs: Inputs,
    checkpoints: Checkpoints,
    examples: Examples,
    block: Block,
    folder: RunFolder,
    stop: StopRequest,
    place: tuple[int, int],
) -> tuple[list[dict[str, Any]], float]:
    """Accuracies along the retraining of one part, epoch 0 (reset, not trained) among them, and its seconds.

    Args:
        config: `retrain_lr`, `retrain_epochs`, `retrain_batch_size` and `bn` are read here; views and loss are the
            run's.
        inputs: data and recipe.
        checkpoints: of the run.
        examples: what is asked; the unpermuted ones are trained on.
        block: the part.
        folder: the open run folder.
        stop: whether Ctrl-C was pressed.
        place: pieces done before, and in all.

    Raises:
        Stopped: Ctrl-C; the state is saved.
    """

    def make() -> Trainer:
        state = put_back(checkpoints.state(checkpoints.final), checkpoints.state(0), block)
        network = OnePartTraining(checkpoints.network(state).cpu(), block)
        rows = ~examples.permuted
        labels = LabelSource.fixed(
            examples.label_used[rows], num_classes=inputs.bank.num_classes, image_ids=examples.ids[rows]
        )
        size, seeds = config.retrain_batch_size, config.seeds()
        stream = TrainingStream(inputs.bank.train.images, examples.ids[rows], labels, inputs.recipe, size, seeds)
        training = config.training(
            optimizer="sgd",
            lr=config.retrain_lr,
            schedule="constant",
            warmup_epochs=0,
            weight_decay=0.0,
            epochs=config.retrain_epochs,
            batch_size=size,
            execution="eager",
        )
        return Trainer(network, stream, training)

    def look(trainer: Trainer, epoch: int) -> dict[str, Any]:
        network = trainer.model.network
        with probe_statistics(network, examples.bank.train.images, config.bn):
            return examples.accuracies(network)

    epochs = retrained_epochs(config.retrain_epochs)
    name = f"retraining-{block.name}"
    done, total = place
    looks = train_cell(folder, name, make, look, epochs, stop, description=f"location, {name}", done=done, cells=total)
    about = {"kind": block.kind, "name": block.name, "depth": block.depth, "bn": config.bn}
    rows = [{**about, **{key: found[key] for key in ("epoch", "step", *KINDS)}} for found in looks]
    return rows, looks[-1]["seconds"]


def retrained_epochs(epochs: int) -> Sequence[int]:
    """When a retraining is looked at: before it, at its quarters, at its end."""
    return sorted({0, *(max(1, round(epochs * part / 4)) for part in range(1, 5))})
