"""What is seen of a network after an epoch: every example's loss, and accuracies on all parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rote.data import ImageBank
from rote.experiments.inputs.validation import Division
from rote.experiments.probing.probes import probe_statistics
from rote.metrics import Recorder
from rote.metrics.dynamics_files import trajectories as recorded
from rote.metrics.evaluation import clean_logits
from rote.runs.whole_files import writing_whole
from rote.train import redraw_labels

PHASE = "eval_pass"
SCORES = "scores.parquet"


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
    """Looks at networks, and records every example in a pass of its own after every epoch (`rote.metrics.Recorder`).

    Accuracies and losses are of un-augmented images in eval mode; losses are cross-entropy in nats on the labels used,
    whatever is trained with.

    Args:
        bank: the data.
        parts: images trained on and held out.
        folder: the run folder; epochs and scores are written to cells/noise=<p>_network=<n>/.
        bn: batch-norm statistics of clean images, "recalibrated" or "running".
        last: the last epoch, after which scores are written.
    """

    def __init__(self, bank: ImageBank, parts: Division, folder: Path, bn: str, last: int) -> None:
        self.bank = bank
        self.parts = parts
        self.folder = folder
        self.bn = bn
        self.last = last
        self._true = bank.train.labels.cpu()
        self._recorders: dict[tuple[float, int], Recorder] = {}

    def look(self, model: nn.Module, level: Level, network: int, epoch: int) -> dict[str, float | None]:
        """Measures a network and records its examples; an epoch that is looked at again is written again."""
        import pyarrow.parquet

        with probe_statistics(model, self.bank.train.images, self.bn):
            own = clean_logits(model, self.bank.train.images, self.parts.train)
            held_out = clean_logits(model, self.bank.train.images, self.parts.validation).argmax(1).cpu()
            tested = clean_logits(model, self.bank.test.images, torch.arange(len(self.bank.test))).argmax(1).cpu()
        recorder = self._recorder(level, network)
        recorder.update(self.parts.train, own, level.label_used)
        recorder.end_epoch()
        if epoch == self.last:
            with writing_whole(self.place(level, network) / SCORES) as aside:
                pyarrow.parquet.write_table(recorder.examples(), aside, compression="zstd")
        own = own.cpu()
        losses, answers = F.cross_entropy(own, level.label_used, reduction="none"), own.argmax(1)
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

    def state(self) -> dict[str, Tensor]:
        """What the next look depends on; the live tensors."""
        return {
            f"{noise:g}/{network}/{name}": value
            for (noise, network), recorder in self._recorders.items()
            for name, value in recorder.state_dict().items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Goes back to a state of `state`."""
        parts: dict[tuple[float, int], dict[str, Tensor]] = {}
        for key, value in state.items():
            noise, network, name = key.split("/")
            parts.setdefault((float(noise), int(network)), {})[name] = value
        for (noise, network), part in parts.items():
            self._recorders[noise, network] = self._new(noise, network)
            self._recorders[noise, network].load_state_dict(part)

    def losses(self, level: Level, networks: int) -> np.ndarray:
        """float64 [networks, epochs + 1, N]: every example's loss after every epoch, from the files."""
        total, ids = len(self.bank.train), self.parts.train.numpy()
        places = [self.place(level, network) for network in range(networks)]
        return np.stack([recorded(place, "loss", n=total, phase=PHASE).values[:, ids] for place in places])

    def scores(self, level: Level, networks: int) -> list[dict[str, np.ndarray]]:
        """The recorder's scores of every network, columns [N] by name."""
        import pyarrow.parquet

        ids, found = self.parts.train.numpy(), []
        for network in range(networks):
            table = pyarrow.parquet.read_table(self.place(level, network) / SCORES)
            columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
            found.append({name: column[ids] for name, column in columns.items()})
        return found

    def place(self, level: Level, network: int) -> Path:
        """Where the epochs and the scores of a network lie."""
        return self._place(level.noise, network)

    def _place(self, noise: float, network: int) -> Path:
        return self.folder / "cells" / f"noise={noise:g}_network={network}"

    def _recorder(self, level: Level, network: int) -> Recorder:
        key = level.noise, network
        if key not in self._recorders:
            self._recorders[key] = self._new(*key)
        return self._recorders[key]

    def _new(self, noise: float, network: int) -> Recorder:
        return Recorder(len(self.bank.train), folder=self._place(noise, network), phase=PHASE, first_epoch=0)


def _share(right: Tensor) -> float | None:
    """The share of True; None of nothing."""
    return int(right.sum()) / len(right) if len(right) else None


def _mean(values: Tensor) -> float | None:
    return float(values.double().mean()) if len(values) else None
