"""The course of one `layers` run: every layer at both ends, measurement by measurement, and the table made of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rote.augment import Recipe
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.examining.examined import FINAL, MOMENTS, ExaminedRun, Tap, copy_pixels
from rote.experiments.inputs.loading import Inputs
from rote.experiments.layers.finetuning import Finetuning
from rote.experiments.layers.probes import FINETUNED, TEST, TRUE, LayerProbes
from rote.experiments.layers.results import headline, table
from rote.metrics.features import PIXELS, Extractor
from rote.runs import RunFolder
from rote.runs.folder import measurement

if TYPE_CHECKING:
    from rote.experiments.layers import LayersConfig

METRIC = "accuracy"


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
        self.probes = LayerProbes(config, inputs, examined, views)
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
        return {(moment, layer, *kind) for moment in MOMENTS for layer in self.taps for kind in self.probes.kinds}

    # Measuring --------------------------------------------------------------------------------------------------------

    def _moment(self, moment: str, layers: list[str], missing: set[tuple[str, ...]], stop: StopRequest) -> None:
        if not layers:
            return
        with self.examined.network(moment, self.config.bn) as network:
            extractor = Extractor(network, self.config.pooling)
            shown = self.probes.shown()
            rows = sum(len(part) for part in shown.values())
            for group in extractor.groups(layers, self.inputs.bank.train.images, rows):
                features = {name: extractor.features(group, part) for name, part in shown.items()}
                for layer in group:
                    tap = self.taps[layer]
                    print(f"rote: layers, {moment}, {layer} ({tap.depth} of {len(self.taps) - 1})", file=sys.stderr)
                    own = {name: found.pop(layer) for name, found in features.items()}
                    kinds = {key[2:] for key in missing if key[:2] == (moment, layer)}
                    for kind, found, seconds in self.probes.measure(own, kinds):
                        self.folder.metrics.append([self._line(moment, tap, kind, own["train"].dim, found, seconds)])
                        if stop.made:
                            raise Stopped(self.folder.path, len(self.folder.metrics.read()), len(self._wanted()), "row")

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
        encoder = next(tap for tap in reversed(self.taps.values()) if tap.part == "encoder")
        for number, moment in enumerate(MOMENTS):
            kind = (TRUE, FINETUNED, TEST)
            if (moment, encoder.name, *kind) in done:
                continue
            tuned = Finetuning(self.config, self.inputs, self.examined, self.folder).train(moment, stop, number)
            seconds = tuned.pop("seconds")
            self.folder.metrics.append([self._line(moment, encoder, kind, None, tuned, seconds)])

    # Results ----------------------------------------------------------------------------------------------------------

    def _write_results(self) -> None:
        lines = self.folder.metrics.read()
        order = {key: n for n, key in enumerate((moment, tap) for moment in MOMENTS for tap in self.taps)}
        lines.sort(key=lambda line: (order[line["moment"], line["layer"]], _key(line)[2:]))
        # In metrics.jsonl "metric" says what was measured; the table's is that of the search.
        rows = [{**line, "accuracy": line["value"], "metric": line.get("distance")} for line in lines]
        self.folder.write_table("layers.csv", table(rows))
        self.folder.write_summary(
            {
                **headline(rows, list(self.taps.values())),
                **self.examined.facts(),
                "pooling": self.config.pooling,
                "seconds": round(sum(line["seconds"] for line in lines), 2),
            }
        )


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["moment"], line["layer"], line["labels"], line["method"], line["queries"]
