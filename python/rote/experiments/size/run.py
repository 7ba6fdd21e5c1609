"""The course of one `size` run: networks on halves of the images, a few at a time, and the scores made of them."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from rote import address
from rote.address import Stream
from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import require_finite
from rote.experiments.base.network_seeds import network_seed
from rote.experiments.base.saving import Saving
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.accuracy import clean_correct
from rote.metrics.memorization import memorization_scores, split_half_reliability
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.runs.whole_files import write_with
from rote.train import LabelSource, Progress, Seeds, TrainingStream, redraw_labels

if TYPE_CHECKING:
    from rote.experiments.size import SizeConfig

# Score from which an example counts as memorized.
HIGH = 0.5


class SizeRun:
    """All widths from wherever they stand to the summary.

    Finished networks are files in cells/; those under way have a checkpoint, and go on in their middle.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(self, config: SizeConfig, inputs: Inputs, folder: RunFolder, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.num_classes = num_classes
        ids = inputs.image_ids
        self.label_used, self.redrawn = redraw_labels(
            inputs.label_true, ids, num_classes, config.seeds().label, config.noise
        )
        self.included = self._halves(len(ids))

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: the loss of a network is not finite.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        batches = [
            (width, range(first, min(first + self.config.together, self.config.replicas)))
            for width in self.config.widths
            for first in range(0, self.config.replicas, self.config.together)
        ]
        done = {self._name(*batch) for batch in batches if self._file(*batch).exists()}
        self.folder.metrics.keep(lambda line: line["cell"] in done)
        with stop_requests() as stop:
            for number, batch in enumerate(batches, start=1):
                if self._name(*batch) not in done:
                    self._train(
                        *batch, f"size {number}/{len(batches)}, width {batch[0]}", stop, number - 1, len(batches)
                    )
        self._write_results(batches)

    def _halves(self, images: int) -> Tensor:
        """bool [R, N]: which images a network is trained on. Networks 2k and 2k + 1 have either half of split k."""
        included = torch.zeros((self.config.replicas, images), dtype=torch.bool)
        seed = self.config.seeds().data
        for pair in range(self.config.replicas // 2):
            order = address.permutation(seed, images, pair, Stream.SUBSET)
            included[2 * pair, order[: images // 2]] = True
            included[2 * pair + 1, order[images // 2 :]] = True
        return included

    def _network(self, width: int, replica: int) -> nn.Module:
        config = dataclasses.replace(
            self.config, width=width, init_seed=network_seed(self.config.seeds().init, replica)
        )
        return build_model(architecture(config, self.inputs.bank, self.num_classes), None, None, self.inputs.bank)

    def _stream(self, replica: int) -> TrainingStream:
        rows = self.included[replica]
        ids = self.inputs.image_ids[rows]
        labels = LabelSource.fixed(self.label_used[rows], num_classes=self.num_classes, image_ids=ids)
        own = self.config.seeds()
        seeds = Seeds(own.data, own.label, own.init, network_seed(own.order, replica), own.view)
        return TrainingStream(
            self.inputs.bank.train.images, ids, labels, self.inputs.recipe, self.config.batch_size, seeds
        )

    def _name(self, width: int, replicas: range) -> str:
        return f"width={width}_replicas={replicas.start}-{replicas.stop - 1}"

    def _file(self, width: int, replicas: range) -> Path:
        return self.folder.path / "cells" / f"{self._name(width, replicas)}.npz"

    def _train(self, width: int, replicas: range, description: str, stop: StopRequest, done: int, total: int) -> None:
        """Trains a few networks of one width together, and stores what they answer on all images."""
        state = self.folder.checkpoints / f"{self._name(width, replicas)}.safetensors"
        fleet = Fleet(
            [self._network(width, replica) for replica in replicas],
            [self._stream(replica) for replica in replicas],
            [self.config.training(width=width)] * len(replicas),
            state,
        )
        steps = fleet.trainer.total_steps

        def save(seconds: float) -> None:
            fleet.notes = {"seconds": seconds}
            fleet.save()

        saving = Saving(save, fleet.notes.get("seconds", 0.0))
        with Progress(steps, self.config.batch_size * len(replicas), description, start=fleet.step) as progress:

            def on_step() -> None:
                progress.update(fleet.step)
                saving.after_step(stop.made, lambda: Stopped(self.folder.path, done, total, "batch of networks"))

            fleet.train_until(steps, on_step)
            require_finite(fleet)
            correct = np.stack([self._correct(fleet.model(member)).numpy() for member in range(len(replicas))])
            inside = self.included[replicas.start : replicas.stop].numpy()
            accuracies = [float(own[rows].mean()) for own, rows in zip(correct, inside, strict=True)]
            progress.update(steps, accuracy=float(np.mean(accuracies)))
        about = {"width": width, "cell": self._name(width, replicas)}
        self.folder.metrics.append(
            measurement(steps, self.config.epochs, "train", "accuracy_clean", None, accuracy, replica=replica, **about)
            for replica, accuracy in zip(replicas, accuracies, strict=True)
        )
        seconds = saving.seconds
        write_with(
            self._file(width, replicas), lambda file: np.savez_compressed(file, correct=correct, seconds=seconds)
        )
        state.unlink(missing_ok=True)

    def _correct(self, model: nn.Module) -> Tensor:
        """bool [N], whether a network gives each image the label used, in eval mode, un-augmented."""
        images, ids = self.inputs.bank.train.images, self.inputs.image_ids
        with probe_statistics(model, images, self.config.bn):
            return clean_correct(model, images, self.label_used, image_ids=ids)

    def _write_results(self, batches: list[tuple[int, range]]) -> None:
        rows: list[dict[str, Any]] = []
        corrupted = (self.label_used != self.inputs.label_true).numpy()
        examples: dict[str, Any] = {
            "id": self.inputs.image_ids.numpy(),
            "label_true": self.inputs.label_true.numpy(),
            "label_used": self.label_used.numpy(),
            "label_redrawn": self.redrawn.numpy(),
            "is_corrupted": corrupted,
        }
        included = self.included.numpy()
        half = np.arange(self.config.replicas) // 2 % 2 == 0
        seconds = 0.0
        for width in self.config.widths:
            parts = []
            for batch in batches:
                if batch[0] == width:
                    with np.load(self._file(*batch)) as stored:
                        parts.append(stored["correct"])
                        seconds += float(stored["seconds"])
            correct = np.concatenate(parts)
            found = memorization_scores(correct, included)
            rows.append(
                {
                    "width": width,
                    "parameters": sum(p.numel() for p in self._network(width, 0).parameters()),
                    "replicas": self.config.replicas,
                    "train_accuracy": float(correct[included].mean()),
                    "held_out_accuracy": float(correct[~included].mean()),
                    "memorization_mean": float(found.score.mean()),
                    "memorization_corrupted": float(found.score[corrupted].mean()) if corrupted.any() else None,
                    "memorization_clean": float(found.score[~corrupted].mean()) if not corrupted.all() else None,
                    "memorization_high": float((found.score > HIGH).mean()),
                    "standard_error": float(found.standard_error.mean()),
                    "split_half": split_half_reliability(correct, included, half),
                }
            )
            examples[f"memorization_{width}"] = found.score
            examples[f"standard_error_{width}"] = found.standard_error
        self.folder.write_table("size.csv", rows)
        self.folder.write_examples(examples)
        stream = self._stream(0)
        self.folder.write_summary(
            {
                "rows": rows,
                "data": self.inputs.bank.name,
                "images": len(self.inputs.image_ids),
                "label_classes": self.num_classes,
                "augment": self.config.augment,
                "noise": self.config.noise,
                "epochs": self.config.epochs,
                "steps": self.config.epochs * stream.steps_per_epoch,
                "seed": self.config.seed,
                "parameters": rows[-1]["parameters"],
                "seconds": round(seconds, 2),
            }
        )
