"""What is measured of one `benign` run, and how it is written into its folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from rote.experiments.benign.results import examples_table, summary_of
from rote.experiments.benign.stream import training_stream
from rote.experiments.inputs.labels import EXEMPLAR, FRESH, GivenLabels
from rote.experiments.inputs.loading import Inputs, headline_layer
from rote.experiments.inputs.samples import save_view_samples
from rote.experiments.probing.probes import PIXELS, ProbeResult, ProbeSuite, probe_statistics
from rote.metrics import clean_accuracy, folded, fresh_view_accuracy, pool_accuracy
from rote.metrics.evaluation import device_of
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.train import RunningEpoch

if TYPE_CHECKING:
    from rote.experiments.benign import BenignConfig

# Measured over every epoch as it is trained; everything else is measured at evaluations.
OF_EPOCHS = ("accuracy_running", "loss")


class BenignRecord:
    """The measurements of one condition.

    Everything a summary is made of lies in the folder when it is made, so a run that was stopped anywhere ends in the
    summary of one that was not: the measurements in metrics.jsonl, the answers of the probes in queries.parquet.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        model: the network, at its initialization now; it is measured as it is at that time.
        folder: the open run folder.
        num_classes: classes of the labels.

    Attributes:
        stream: what the network is to be trained on.
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
        self.stream = training_stream(config, inputs, self.labels)
        self.probes = ProbeSuite(inputs.bank, inputs.order, len(inputs.image_ids), k=config.k, bn=config.bn)
        self.headline = headline_layer(model)
        # A network's own answers can be right or wrong on test images only if its classes are those of the data.
        self.answers_test = config.labels != EXEMPLAR and num_classes == inputs.bank.num_classes

    def go_on(self, step: int, measured: int) -> None:
        """Takes back what a stopped run measured after its last saved state, and its summary if it is extended.

        Args:
            step: of that state.
            measured: the last step whose evaluation lies before it; -1 if none does.
        """
        self.folder.remove_summary()
        self.folder.metrics.keep(lambda line: line["step"] <= (step if line["metric"] in OF_EPOCHS else measured))

    def write_epochs(self, epochs: Iterable[RunningEpoch]) -> None:
        """Appends running accuracy and loss, of many epochs at a time: a write for each would cost more than the epochs
        of a small run.
        """
        lines = []
        for epoch in epochs:
            step = epoch.epoch * self.stream.steps_per_epoch
            lines += [
                measurement(step, epoch.epoch, "train", metric, None, value, samples=epoch.samples)
                for metric, value in zip(OF_EPOCHS, (epoch.accuracy, epoch.loss), strict=True)
            ]
        if lines:
            self.folder.metrics.append(lines)

    def evaluate(self, step: int, epoch: int, *, last: bool) -> dict[str, float]:
        """Measures everything of one moment and appends it to the folder.

        Args:
            step: updates done.
            epoch: epochs done.
            last: whether this is the end; all layers are probed there and at step 0.

        Returns:
            What progress shows.
        """
        used = self.labels.used(epoch)
        ids = self.inputs.image_ids
        seed, bn = self.config.seeds().view, self.config.bn
        # Along training the layer of the headline tells the story; every layer is probed at both ends.
        layers = [layer for layer in self.model.layers if step == 0 or last or layer == self.headline]
        # Running batch-norm statistics are those of augmented views; un-augmented images are another distribution.
        with probe_statistics(self.model, self.images, bn):
            still = folded(self.model)
            clean = clean_accuracy(still, self.images, used, image_ids=ids)
            # Along training only where labels tell the class; elsewhere it stays at chance, and the ends show that.
            wanted = step == 0 or last or not bool(self.labels.redrawn.all())
            test = self._test_accuracy(still) if wanted else None
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
            results.insert(0, self.probes.pixels(device_of(self.model)))
        lines += [self._probe_line(step, epoch, result) for result in results]
        self._keep_answers(results, step)
        self.folder.metrics.append(lines)
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

    def write_results(self, step: int, seconds: float, training_seconds: float) -> None:
        """Writes the tables and the summary.

        Args:
            step: the last one, whose evaluation lies in the folder.
            seconds: the run took, evaluations included.
            training_seconds: that training took.
        """
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
                    step,
                    self.model.layers,
                    self.headline,
                    self.config.labels,
                    self.config.noise,
                ),
                **self._facts(step, seconds, training_seconds),
            }
        )

    def _facts(self, step: int, seconds: float, training_seconds: float) -> dict[str, Any]:
        """What was run, beside what was measured."""
        trained = step * self.stream.batch_size
        return {
            **{name: getattr(self.config, name) for name in ("labels", "noise", "views", "mixup", "norm", "loss")},
            "label_classes": self.labels.num_classes,
            "augment": self.config.augment,
            "data": self.inputs.bank.name,
            "images": len(self.inputs.image_ids),
            "epochs": self.config.epochs,
            "steps": step,
            "seed": self.config.seed,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "seconds": round(seconds, 2),
            "images_per_second": round(trained / training_seconds, 1) if training_seconds else None,
        }
