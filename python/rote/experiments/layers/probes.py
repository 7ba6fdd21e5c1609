"""The probes of one layer: k-NN and linear, on true labels and on the labels used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rote.address import FRESH_VIEWS
from rote.augment import Recipe
from rote.experiments.examining.examined import ExaminedRun
from rote.experiments.inputs.loading import Inputs
from rote.metrics.features import PIXELS, Features, Shown
from rote.metrics.linear_probe import fit_linear_probe
from rote.metrics.vote import vote_correct

if TYPE_CHECKING:
    from rote.experiments.layers import LayersConfig

TRUE, USED = "true", "used"
KNN, LINEAR, FINETUNED = "knn", "linear", "finetuned"
TEST, LEAVE_ONE_OUT, VIEWS = "test", "train-loo", "train-views"
# With more label classes than this the linear probe on the labels used would be a matrix of gigabytes.
MOST_LINEAR_CLASSES = 1000

Kind = tuple[str, str, str]
"""Labels, method, queries."""


class LayerProbes:
    """What is measured of a layer's features.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        examined: the run and its networks.
        views: the recipe whose views are examined, if there is one.

    Attributes:
        kinds: (labels, method, queries) of everything that is measured.
    """

    def __init__(self, config: LayersConfig, inputs: Inputs, examined: ExaminedRun, views: Recipe | None) -> None:
        self.config = config
        self.inputs = inputs
        self.examined = examined
        self.views = views
        self.train, self.test = inputs.bank.train, inputs.bank.test
        self.kinds: list[Kind] = [(TRUE, KNN, TEST), (TRUE, LINEAR, TEST), (USED, KNN, LEAVE_ONE_OUT)]
        if views is not None and examined.label_classes <= MOST_LINEAR_CLASSES:
            self.kinds.append((USED, LINEAR, VIEWS))

    def shown(self) -> dict[str, Shown]:
        """The images and views whose features the probes ask for, by name."""
        return {
            "train": Shown(self.train.images, torch.arange(len(self.train))),
            "test": Shown(self.test.images, torch.arange(len(self.test))),
            **self._shown_views(),
        }

    def measure(
        self, features: dict[str, Features], missing: set[Kind]
    ) -> Iterator[tuple[Kind, dict[str, Any], float]]:
        """Measures what is missing of one layer.

        Args:
            features: of the layer, by the names of `shown`.
            missing: what is still to be measured.

        Yields:
            (kind, accuracy with what it was measured on, seconds).
        """
        measures = {
            (TRUE, KNN, TEST): self._true_knn,
            (TRUE, LINEAR, TEST): self._true_linear,
            (USED, KNN, LEAVE_ONE_OUT): self._used_knn,
            (USED, LINEAR, VIEWS): self._used_linear,
        }
        for kind in self.kinds:
            if kind in missing:
                begin = time.monotonic()
                found = measures[kind](features)
                yield kind, found, time.monotonic() - begin

    def _shown_views(self) -> dict[str, Shown]:
        """The views that are examined, of ids that no training uses: `loo` beside the images, `fit` and `held_out`."""
        shown = {}
        counts = {"fit": self.config.linear_views, "held_out": self.config.linear_views}
        ids = {name: self._linear_ids() for name in counts}
        if self.config.loo_views:
            counts["loo"], ids["loo"] = self.config.loo_views, self.inputs.image_ids
        first = FRESH_VIEWS
        for name, count in counts.items():
            if self.views is not None:
                views = torch.arange(first, first + count).repeat(len(ids[name]))
                rows = ids[name].repeat_interleave(count)
                shown[name] = Shown(self.train.images, rows, views, self.views, self.config.seeds().view)
            first += count
        return shown

    def _linear_ids(self) -> Tensor:
        return self.inputs.image_ids[: self.config.linear_images]

    def _true_knn(self, features: dict[str, Features]) -> dict[str, Any]:
        labels, asked = self.train.labels.cpu(), self.test.labels.cpu()
        facts = {"k": self.config.k, "distance": "cosine"}
        if features["train"].layer == PIXELS:
            # The run has made the same search already; on pixels it is the longest of all.
            made = self.examined.run.metrics.select(metric="probe_accuracy", layer=PIXELS, references="all", **facts)
            if made and (made[0]["n_references"], made[0]["n_queries"]) == (len(labels), len(asked)):
                return _result(None, asked, len(labels), **facts) | {"accuracy": made[0]["value"]}
        correct = vote_correct(features["test"], features["train"], asked, labels, self.config.k)
        return _result(correct, asked, len(labels), **facts)

    def _used_knn(self, features: dict[str, Features]) -> dict[str, Any]:
        images = features["train"].at(self.inputs.image_ids)
        labels, groups = self.examined.label_used, torch.arange(len(images))
        references, reference_labels, reference_groups = [images], [labels], [groups]
        if "loo" in features:
            references.append(features["loo"])
            reference_labels.append(labels.repeat_interleave(self.config.loo_views))
            reference_groups.append(groups.repeat_interleave(self.config.loo_views))
        correct = vote_correct(
            images,
            references,
            labels,
            torch.cat(reference_labels),
            self.config.k,
            groups=(groups, torch.cat(reference_groups)),
        )
        count = sum(len(part) for part in references)
        return _result(correct, labels, count, k=self.config.k, distance="cosine", views=self.config.loo_views)

    def _true_linear(self, features: dict[str, Features]) -> dict[str, Any]:
        most = min(self.config.linear_images, features["train"].fitting)
        ids = self.inputs.order[:most]
        labels, asked = self.train.labels.cpu()[ids], self.test.labels.cpu()
        fitted = fit_linear_probe(
            features["train"].at(ids).matrix(), labels, self.inputs.bank.num_classes, c=self.config.linear_c
        )
        correct = torch.cat([fitted.predict(block).cpu() for block in features["test"].chunks()]) == asked
        return _result(correct, asked, len(ids), distance=self._penalty, converged=fitted.converged)

    def _used_linear(self, features: dict[str, Features]) -> dict[str, Any]:
        views = self.config.linear_views
        rows = min(len(features["fit"]), features["fit"].fitting // views * views)
        labels = self.examined.label_used[: len(self._linear_ids())].repeat_interleave(views)[:rows]
        chosen = torch.arange(rows)
        fitted = fit_linear_probe(
            features["fit"].at(chosen).matrix(), labels, self.examined.label_classes, c=self.config.linear_c
        )
        held_out = features["held_out"].at(chosen).chunks()
        correct = torch.cat([fitted.predict(block).cpu() for block in held_out]) == labels
        return _result(correct, labels, rows, distance=self._penalty, converged=fitted.converged, views=views)

    @property
    def _penalty(self) -> str:
        return f"logistic, C={self.config.linear_c:g}"


def _result(correct: Tensor | None, labels: Tensor, n_references: int, **facts: Any) -> dict[str, Any]:
    """The accuracy with what it was measured on; chance is the share of the most frequent label among the queries."""
    return {
        "accuracy": None if correct is None else int(correct.sum()) / len(correct),
        "n_references": n_references,
        "n_queries": len(labels),
        "chance": int(torch.bincount(labels.cpu()).max()) / len(labels),
        **facts,
    }
