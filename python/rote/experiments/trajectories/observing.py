"""What is seen of a network after an epoch: every example's loss, and accuracies on all parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rote.data import ImageBank
from rote.experiments.inputs.validation import Division
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.evaluation import BATCH_SIZE, clean_pixels, convolutional, evaluating
from rote.runs.whole_files import write_parquet
from rote.train import redraw_labels

DYNAMICS = "dynamics"


@dataclass(frozen=True)
class Level:
    """One share of redrawn labels.

    Attributes:
        noise: the share.
        label_used: int64 [N], the labels trained on.
        redrawn: bool [N], which of them were redrawn.
        corrupted: bool [N], which are not the true ones.
        validation_used: int64 [V], the labels of the validation part, as noisy.
    """

    noise: float
    label_used: Tensor
    redrawn: Tensor
    corrupted: Tensor
    validation_used: Tensor

    @classmethod
    def of(cls, bank: ImageBank, parts: Division, noise: float, num_classes: int, seed: int) -> Level:
        """Redraws a share of the labels of either part."""
        true = bank.train.labels.cpu()
        used, redrawn = redraw_labels(true[parts.train], parts.train, num_classes, seed, noise)
        held_out, _ = redraw_labels(true[parts.validation], parts.validation, num_classes, seed, noise)
        return cls(noise, used, redrawn, used != true[parts.train], held_out)


class Observer:
    """Looks at networks, and keeps every example's loss and answer in dynamics/.

    Accuracies and losses are of un-augmented images in eval mode; losses are cross-entropy in nats on the labels used,
    whatever is trained with.

    Args:
        bank: the data.
        parts: images trained on and held out.
        folder: the run folder.
        bn: batch-norm statistics of clean images, "recalibrated" or "running".
    """

    def __init__(self, bank: ImageBank, parts: Division, folder: Path, bn: str) -> None:
        self.bank = bank
        self.parts = parts
        self.folder = folder
        self.bn = bn
        self._true = bank.train.labels.cpu()

    def look(self, model: nn.Module, level: Level, network: int, epoch: int) -> dict[str, float | None]:
        """Measures a network, and writes dynamics/noise=<p>/network=<n>/epoch=<e>.parquet."""
        with probe_statistics(model, self.bank.train.images, self.bn):
            own = clean_logits(model, self.bank.train.images, self.parts.train)
            held_out = clean_logits(model, self.bank.train.images, self.parts.validation).argmax(1)
            tested = clean_logits(model, self.bank.test.images, torch.arange(len(self.bank.test))).argmax(1)
        losses = F.cross_entropy(own, level.label_used, reduction="none")
        answers = own.argmax(1)
        columns = {"id": self.parts.train, "loss": losses, "answer": answers.to(torch.int16)}
        write_parquet(self._file(level, network, epoch), columns)
        right, wrong = answers == level.label_used, level.corrupted
        return {
            "train_accuracy": _share(right),
            "fit_clean": _share(right[~wrong]),
            "fit_corrupted": _share(right[wrong]),
            "loss_clean": _mean(losses[~wrong]),
            "loss_corrupted": _mean(losses[wrong]),
            "true_on_corrupted": _share((answers == self._true[self.parts.train])[wrong]),
            "validation_accuracy": _share(held_out == level.validation_used),
            "validation_accuracy_oracle": _share(held_out == self._true[self.parts.validation]),
            "test_accuracy": _share(tested == self.bank.test.labels.cpu()),
        }

    def losses(self, level: Level, networks: int, epochs: int) -> np.ndarray:
        """float32 [networks, epochs + 1, N]: every example's loss after every epoch, from the files."""
        import pyarrow.parquet

        return np.stack(
            [
                np.stack(
                    [
                        pyarrow.parquet.read_table(self._file(level, network, epoch), columns=["loss"])[
                            "loss"
                        ].to_numpy()
                        for epoch in range(epochs + 1)
                    ]
                )
                for network in range(networks)
            ]
        )

    def _file(self, level: Level, network: int, epoch: int) -> Path:
        return self.folder / DYNAMICS / f"noise={level.noise:g}" / f"network={network}" / f"epoch={epoch:04d}.parquet"


def clean_logits(model: nn.Module, images: Tensor, ids: Tensor) -> Tensor:
    """float32 [B, classes] on the CPU: what a network answers to un-augmented images, in eval mode."""
    layout = convolutional(model)
    with evaluating(model) as device:
        found = [
            model(clean_pixels(images, rows, device, channels_last=layout)).float().cpu()
            for rows in ids.split(BATCH_SIZE)
        ]
    return torch.cat(found)


def _share(right: Tensor) -> float | None:
    """The share of True; None of nothing."""
    return int(right.sum()) / len(right) if len(right) else None


def _mean(values: Tensor) -> float | None:
    return float(values.double().mean()) if len(values) else None
