"""The course of one `layers` run: every layer at both ends, measurement by measurement, and the table made of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rote.address import FRESH_VIEWS
from rote.augment import Recipe
from rote.experiments.base.examined import FINAL, INIT, MOMENTS, ExaminedRun, Tap, copy_pixels
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.inputs.loading import Inputs
from rote.experiments.layers.finetuning import Finetuning
from rote.metrics.features import PIXELS, Extractor, Features, Shown
from rote.metrics.linear_probe import fit_linear_probe
from rote.metrics.vote import vote_correct
from rote.runs import RunFolder
from rote.runs.folder import measurement

if TYPE_CHECKING:
    from rote.experiments.layers import LayersConfig

TRUE, USED = "true", "used"
KNN, LINEAR, FINETUNED = "knn", "linear", "finetuned"
TEST, LEAVE_ONE_OUT, VIEWS = "test", "train-loo", "train-views"
METRIC = "accuracy"
# With more label classes than this the linear probe on the labels used would be a matrix of gigabytes.
MOST_LINEAR_CLASSES = 1000

COLUMNS = (
    *("layer", "depth", "part", "moment", "labels", "method", "queries", "accuracy", "n_references", "n_queries"),
    *("k", "metric", "pooling", "bn", "dim", "chance", "views", "converged"),
)


class LayersRun:
    """The examination from wherever it stands to its summary. What is measured is a line of metrics.jsonl.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        examined: the run and its networks.
        views: the recipe whose views are examined, if there is one.
        folder: the open run folder.
    """

    def __init__(
        self, config: LayersConfig, inputs: Inputs, examined: ExaminedRun, views: Recipe | None, folder: RunFolder
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.examined = examined
        self.folder = folder
        self.train, self.test = inputs.bank.train, inputs.bank.test
        self.views = views
        self.taps = {tap.name: tap for tap in examined.taps()}

    def to_the_end(self) -> None:
        """Measures what is missing, then writes table and summary.

        Raises:
            Stopped: Ctrl-C; what is measured is saved.
        """
        self.folder.remove_summary()
        self.folder.metrics.keep(lambda line: line["metric"] == METRIC)  # drops a torn last line
        done = {_key(line) for line in self.folder.metrics.read()}
        wanted = self._wanted()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        with stop_requests() as stop:
            for moment in MOMENTS:
                missing = [name for name in self.taps if any(m[:2] == (moment, name) for m in wanted - done)]
                if moment == FINAL and PIXELS in missing:
                    missing.remove(PIXELS)  # the same at both ends; copied below
                self._moment(moment, missing, wanted - done, stop)
            copy_pixels(self.folder, self.examined, lambda line: _key(line)[1:])
            if self.config.finetune:
                self._finetune(stop)
        self._write_results()

    def _wanted(self) -> set[tuple[str, ...]]:
        """The keys of all measurements of layers: (moment, layer, labels, method, queries)."""
        kinds = [(TRUE, KNN, TEST), (TRUE, LINEAR, TEST), (USED, KNN, LEAVE_ONE_OUT)]
        if self.views is not None and self.examined.label_classes <= MOST_LINEAR_CLASSES:
            kinds.append((USED, LINEAR, VIEWS))
        return {(moment, layer, *kind) for moment in MOMENTS for layer in self.taps for kind in kinds}

    # Measuring --------------------------------------------------------------------------------------------------------

    def _moment(self, moment: str, layers: list[str], missing: set[tuple[str, ...]], stop: StopRequest) -> None:
        if not layers:
            return
        with self.examined.network(moment, self.config.bn) as network:
            extractor = Extractor(network, self.config.pooling)
            shown = {
                "train": Shown(self.train.images, torch.arange(len(self.train))),
                "test": Shown(self.test.images, torch.arange(len(self.test))),
                **self._shown_views(),
            }
            for group in extractor.groups(layers, self.train.images, sum(len(rows) for rows in shown.values())):
                features = {name: extractor.features(group, rows) for name, rows in shown.items()}
                for layer in group:
                    tap = self.taps[layer]
                    print(f"rote: layers, {moment}, {layer} ({tap.depth} of {len(self.taps) - 1})", file=sys.stderr)
                    own = {name: found.pop(layer) for name, found in features.items()}
                    for line in self._measure(moment, tap, own, missing):
                        self.folder.metrics.append([line])
                        if stop.made:
                            raise Stopped(self.folder.path, len(self.folder.metrics.read()), len(self._wanted()), "row")

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

    def _measure(
        self, moment: str, tap: Tap, features: dict[str, Features], missing: set[tuple[str, ...]]
    ) -> Iterator[dict[str, Any]]:
        for kind, measure in (
            ((TRUE, KNN, TEST), self._true_knn),
            ((USED, KNN, LEAVE_ONE_OUT), self._used_knn),
            ((TRUE, LINEAR, TEST), self._true_linear),
            ((USED, LINEAR, VIEWS), self._used_linear),
        ):
            if (moment, tap.name, *kind) in missing:
                begin = time.monotonic()
                found = measure(features)
                yield self._line(moment, tap, kind, features["train"].dim, found, time.monotonic() - begin)

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

    def _line(
        self, moment: str, tap: Tap, kind: tuple[str, str, str], dim: int | None, found: dict[str, Any], seconds: float
    ) -> dict[str, Any]:
        labels, method, queries = kind
        step, epoch = self.examined.end_of(moment)
        return measurement(
            step,
            epoch,
            "test" if queries == TEST else "train",
            METRIC,
            tap.name,
            found.pop("accuracy"),
            depth=tap.depth,
            part=tap.part,
            moment=moment,
            labels=labels,
            method=method,
            queries=queries,
            pooling=self.config.pooling if tap.name != PIXELS else "flatten",
            bn=self.config.bn,
            dim=dim,
            seconds=round(seconds, 3),
            **found,
        )

    def _finetune(self, stop: StopRequest) -> None:
        done = {_key(line) for line in self.folder.metrics.read()}
        headline = next(tap for tap in reversed(self.taps.values()) if tap.part == "encoder")
        for number, moment in enumerate(MOMENTS):
            kind = (TRUE, FINETUNED, TEST)
            if (moment, headline.name, *kind) in done:
                continue
            tuned = Finetuning(self.config, self.inputs, self.examined, self.folder).train(moment, stop, number)
            seconds = tuned.pop("seconds")
            self.folder.metrics.append([self._line(moment, headline, kind, None, tuned, seconds)])

    # Results ----------------------------------------------------------------------------------------------------------

    def _write_results(self) -> None:
        lines = self.folder.metrics.read()
        order = {key: n for n, key in enumerate((moment, tap) for moment in MOMENTS for tap in self.taps)}
        lines.sort(key=lambda line: (order[line["moment"], line["layer"]], _key(line)[2:]))
        # In metrics.jsonl "metric" says what was measured; the table's is that of the search.
        rows = [{**line, "accuracy": line["value"], "metric": line.get("distance")} for line in lines]
        self.folder.write_table("layers.csv", [{column: row.get(column) for column in COLUMNS} for row in rows])
        self.folder.write_summary(
            {
                **self._headline(rows),
                **self.examined.facts(),
                "pooling": self.config.pooling,
                "seconds": round(sum(line["seconds"] for line in lines), 2),
            }
        )

    def _headline(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        def value(layer: str, labels: str, method: str, moment: str = FINAL) -> float | None:
            wanted = {"layer": layer, "labels": labels, "method": method, "moment": moment}
            return next((row["value"] for row in rows if all(row[key] == v for key, v in wanted.items())), None)

        encoder = [tap.name for tap in self.taps.values() if tap.part == "encoder"]
        logits = list(self.taps)[-1]
        best = max(encoder, key=lambda layer: value(layer, TRUE, KNN))
        last = encoder[-1]
        tuned = {moment: value(last, TRUE, FINETUNED, moment) for moment in MOMENTS}
        return {
            "best_encoder_layer": best,
            "best_encoder_probe": value(best, TRUE, KNN),
            "encoder_probe": value(last, TRUE, KNN),
            "encoder_probe_init": value(last, TRUE, KNN, INIT),
            "raw_probe": value(PIXELS, TRUE, KNN),
            "logits_probe": value(logits, TRUE, KNN),
            "used_loo_encoder": value(last, USED, KNN),
            "used_loo_logits": value(logits, USED, KNN),
            "used_chance": next(row["chance"] for row in rows if row["labels"] == USED),
            "used_linear_encoder": value(last, USED, LINEAR),
            "used_linear_encoder_init": value(last, USED, LINEAR, INIT),
            "used_linear_logits": value(logits, USED, LINEAR),
            "finetuned": tuned[FINAL],
            "finetuned_from_scratch": tuned[INIT],
        }


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["moment"], line["layer"], line["labels"], line["method"], line["queries"]


def _result(correct: Tensor | None, labels: Tensor, n_references: int, **facts: Any) -> dict[str, Any]:
    """The accuracy with what it was measured on; chance is the share of the most frequent label among the queries."""
    return {
        "accuracy": None if correct is None else int(correct.sum()) / len(correct),
        "n_references": n_references,
        "n_queries": len(labels),
        "chance": int(torch.bincount(labels.cpu()).max()) / len(labels),
        **facts,
    }
