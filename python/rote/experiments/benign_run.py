"""The course of one `benign` run: train, evaluate, save, and go on after a stop."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from rote.experiments.benign_results import examples_table, summary_of
from rote.experiments.benign_stream import training_stream
from rote.experiments.inputs import Inputs, headline_layer
from rote.experiments.labels import EXEMPLAR, FRESH, GivenLabels
from rote.experiments.probes import PIXELS, ProbeResult, ProbeSuite, probe_statistics
from rote.experiments.samples import save_view_samples
from rote.experiments.stopping import Stopped, StopRequest, stop_requests
from rote.metrics import clean_accuracy, folded, fresh_view_accuracy, pool_accuracy
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.runs.load import FINAL, NEWEST
from rote.train import Progress, Trainer, load_checkpoint, save_checkpoint, save_weights

if TYPE_CHECKING:
    from rote.experiments.benign import BenignConfig

# A stopped process loses at most this much work.
_SAVE_EVERY_SECONDS = 30.0
# Measured over every epoch as it is trained; everything else is measured at evaluations.
_OF_EPOCHS = ("accuracy_running", "loss")


class BenignRun:
    """One condition from wherever it stands to its summary.

    Everything a summary is made of lies in the folder when it is made, so a run that was stopped anywhere ends in the
    summary of one that was not: the measurements in metrics.jsonl, the answers of the probes in queries.parquet.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        model: the network at its initialization.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(
        self, config: BenignConfig, inputs: Inputs, model: nn.Module, folder: RunFolder, num_classes: int
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.model = model
        self.folder = folder
        self.images = inputs.bank.train.images
        self.labels = GivenLabels(
            config.labels, inputs.image_ids, inputs.label_true, num_classes, config.seeds().label, config.noise
        )
        stream = training_stream(config, inputs, self.labels)
        self.trainer = Trainer(model, stream, config.training())
        self.probes = ProbeSuite(inputs.bank, inputs.order, len(inputs.image_ids), k=config.k, bn=config.bn)
        self.headline = headline_layer(model)
        # A network's own answers can be right or wrong on test images only if its classes are those of the data.
        self.answers_test = config.labels != EXEMPLAR and num_classes == inputs.bank.num_classes
        self.measured = -1  # the last step whose evaluation lies in the folder
        self.seconds = 0.0  # spent before this process, then since its start
        self.training_seconds = 0.0

    @property
    def newest(self) -> Path:
        """The state that a stopped run goes on from."""
        return self.folder.checkpoints / NEWEST

    def to_the_end(self) -> None:
        """Trains and evaluates until the summary is written.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        self._resume()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        begin = time.monotonic() - self.seconds
        self._last_save = time.monotonic()
        steps_per_epoch = self.trainer.stream.steps_per_epoch
        total = self.config.epochs * steps_per_epoch
        description = f"benign, {self.config.labels} labels, {self.config.augment}"
        with (
            stop_requests() as stop,
            Progress(total, self.trainer.stream.batch_size, description, start=self.trainer.step) as progress,
        ):

            def after_step(trainer: Trainer) -> None:
                self._keep_weights()
                progress.update(trainer.step)
                now = time.monotonic()
                self.seconds = now - begin
                self.training_seconds = trained_before + now - started
                self._save_or_stop(stop, total)

            for epoch in self.config.evaluation_epochs():
                step = epoch * steps_per_epoch
                if step <= self.measured:
                    continue

                self._keep_weights()
                trained_before, started = self.training_seconds, time.monotonic()
                self.trainer.train_until(step, after_step)
                values = self._evaluate(epoch, last=step == total)
                self.seconds = time.monotonic() - begin
                self._save()
                progress.update(self.trainer.step, **values)
        save_weights(self.folder.checkpoints / FINAL, self.model, epoch=self.config.epochs)
        self.seconds = time.monotonic() - begin
        self._write_results()

    # Stop and resume --------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Puts trainer and folder into the newest saved state, or the folder into that of a new run."""
        if self.newest.exists():
            extra = load_checkpoint(self.newest, self.trainer)
            self.measured = extra["measured"]
            self.seconds = extra["seconds"]
            self.training_seconds = extra["training_seconds"]
            if self.trainer.step > self.trainer.total_steps:
                raise ValueError(
                    f"{self.folder.path} has done {self.trainer.step} steps already, more than the "
                    f"{self.trainer.total_steps} of --epochs {self.config.epochs}; choose another --name or --fresh"
                )
        # A complete run is extended: until its new end there is no summary.
        self.folder.remove_summary()
        done = self.trainer.step
        self.folder.metrics.keep(lambda line: line["step"] <= (done if line["metric"] in _OF_EPOCHS else self.measured))

    def _save_or_stop(self, stop: StopRequest, total: int) -> None:
        if stop.made:
            self._save()
            raise Stopped(self.folder.path, self.trainer.step, total)
        if time.monotonic() - self._last_save > _SAVE_EVERY_SECONDS:
            self._save()

    def _write_epochs(self) -> None:
        """Appends the running accuracy of the epochs since the last time; a write for each would cost more than the
        epochs of a small run.
        """
        lines = []
        for epoch in self.trainer.take_epochs():
            step = epoch.epoch * self.trainer.stream.steps_per_epoch
            lines += [
                measurement(step, epoch.epoch, "train", metric, None, value, samples=epoch.samples)
                for metric, value in zip(_OF_EPOCHS, (epoch.accuracy, epoch.loss), strict=True)
            ]
        self.folder.metrics.append(lines)

    def _save(self) -> None:
        self._write_epochs()
        extra = {
            "measured": self.measured,
            "seconds": self.seconds,
            "training_seconds": self.training_seconds,
        }
        save_checkpoint(self.newest, self.trainer, extra)
        self._last_save = time.monotonic()

    def _keep_weights(self) -> None:
        epoch, rest = divmod(self.trainer.step, self.trainer.stream.steps_per_epoch)
        if rest == 0 and epoch in self.config.keep_checkpoints:
            save_weights(self.folder.checkpoints / f"epoch={epoch:04d}.safetensors", self.model, epoch=epoch)

    # Evaluation -------------------------------------------------------------------------------------------------------

    def _evaluate(self, epoch: int, *, last: bool) -> dict[str, float]:
        """Measures everything of one moment and appends it to the folder; returns what progress shows."""
        step = self.trainer.step
        used = self.labels.used(epoch)
        ids = self.inputs.image_ids
        seed, bn = self.config.seeds().view, self.config.bn
        # Along training the layer of the headline tells the story; every layer is probed at both ends.
        layers = [layer for layer in self.model.layers if step == 0 or last or layer == self.headline]
        # Running batch-norm statistics are those of augmented views; un-augmented images are another distribution.
        with probe_statistics(self.model, self.images, bn):
            still = folded(self.model)
            clean = clean_accuracy(still, self.images, used, image_ids=ids)
            test = self._test_accuracy(still)
            results = self.probes.measure(still, layers, self.headline)
        clean_running_bn = clean_accuracy(self.model, self.images, used, image_ids=ids)
        fresh = fresh_view_accuracy(self.model, self.images, used, self.inputs.recipe, seed=seed, image_ids=ids)
        lines = [
            measurement(step, epoch, "train", "accuracy_clean", None, clean, bn=bn),
            measurement(step, epoch, "train", "accuracy_clean_running_bn", None, clean_running_bn, bn="running"),
            measurement(step, epoch, "train", "accuracy_fresh_views", None, fresh, bn="running"),
        ]
        if test is not None:
            lines.append(measurement(step, epoch, "test", "accuracy", None, test, bn=bn))
        if last:
            lines += self._pool_lines(step, epoch)
        if step == 0:
            results.insert(0, self.probes.pixels())
        lines += [self._probe_line(step, epoch, result) for result in results]
        self._keep_answers(results, step)
        self._write_epochs()
        self.folder.metrics.append(lines)
        self.measured = step
        probe = next(r.accuracy for r in results if r.layer == self.headline and r.references == "all")
        return {"clean": clean, "fresh_views": fresh, "probe": probe}

    def _test_accuracy(self, model: nn.Module) -> float | None:
        """Accuracy of the network's own output on the test images."""
        if not self.answers_test:
            return None
        test = self.inputs.bank.test
        return clean_accuracy(model, test.images, test.labels)

    def _pool_lines(self, step: int, epoch: int) -> list[dict[str, Any]]:
        """The accuracy over exactly the views of a pool, where they have labels: fresh ones belong to visits, and a
        view mixed with another is of two images.
        """
        if self.config.views is None or self.config.labels == FRESH or self.config.mixup != "none":
            return []
        pool = pool_accuracy(
            self.model,
            self.images,
            self.labels.source,
            self.inputs.recipe,
            views=self.config.views,
            seed=self.config.seeds().view,
            image_ids=self.inputs.image_ids,
        )
        return [
            measurement(step, epoch, "train", "accuracy_pool", None, pool.accuracy, samples=pool.samples, bn="running")
        ]

    def _probe_line(self, step: int, epoch: int, result: ProbeResult) -> dict[str, Any]:
        return measurement(
            step,
            epoch,
            "test",
            "probe_accuracy",
            result.layer,
            result.accuracy,
            references=result.references,
            n_references=result.n_references,
            correct=int(result.correct.sum()),
            n_queries=len(result.correct),
            **self.probes.conventions(),
        )

    def _keep_answers(self, results: list[ProbeResult], step: int) -> None:
        """Writes queries.parquet: which test images the headline probes answer, for paired comparisons."""
        answers = {r.layer: r.correct.numpy() for r in results if r.references == "all"}
        if step == 0:
            columns = {
                "id": np.arange(len(self.inputs.bank.test)),
                "label_true": self.inputs.bank.test.labels.numpy(),
                "correct_pixels": answers[PIXELS],
                "correct_init": answers[self.headline],
            }
        else:
            columns = self._answers()
        columns["correct_final"] = answers[self.headline]
        self.folder.write_columns("queries.parquet", columns)

    def _answers(self) -> dict[str, np.ndarray]:
        from rote.runs import load_run

        return load_run(self.folder.path).table("queries.parquet")

    # Results ----------------------------------------------------------------------------------------------------------

    def _write_results(self) -> None:
        save_view_samples(self.folder.path, self.inputs, self.labels, self.config)
        used = self.labels.used(self.config.epochs)
        with probe_statistics(self.model, self.images, self.config.bn):
            examples = examples_table(
                self.model, self.images, self.inputs.image_ids, self.inputs.label_true, used, self.labels
            )
        self.folder.write_examples(examples)
        measured = self.folder.metrics.read()
        self.folder.write_summary(
            {
                **summary_of(
                    measured,
                    self._answers(),
                    self.trainer.step,
                    self.model.layers,
                    self.headline,
                    self.config.labels,
                    self.config.noise,
                ),
                **self._facts(),
            }
        )

    def _facts(self) -> dict[str, Any]:
        """What was run, beside what was measured."""
        trained = self.trainer.step * self.trainer.stream.batch_size
        return {
            **{name: getattr(self.config, name) for name in ("labels", "noise", "views", "mixup", "norm", "loss")},
            "label_classes": self.labels.num_classes,
            "augment": self.config.augment,
            "data": self.inputs.bank.name,
            "images": len(self.inputs.image_ids),
            "epochs": self.config.epochs,
            "steps": self.trainer.step,
            "seed": self.config.seed,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "seconds": round(self.seconds, 2),
            "images_per_second": round(trained / self.training_seconds, 1) if self.training_seconds else None,
        }
