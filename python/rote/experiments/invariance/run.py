"""The course of one `invariance` run: every transformation, split and layer at both ends, and the table of them."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rote import address
from rote.address import FRESH_VIEWS, Stream
from rote.data.order import balanced_order
from rote.experiments.base.stopping import Stopped, stop_requests
from rote.experiments.examining.examined import FINAL, INIT, MOMENTS, ExaminedRun, copy_pixels
from rote.experiments.invariance.transformations import RECIPE, Transformation
from rote.metrics.features import PIXELS, Extractor, Shown
from rote.metrics.invariance import invariance
from rote.metrics.retrieval import view_retrieval
from rote.runs import RunFolder
from rote.runs.folder import measurement

if TYPE_CHECKING:
    from rote.experiments.invariance import InvarianceConfig

TRAIN, TEST = "train", "test"
INVARIANCE, RETRIEVAL = "invariance", "retrieval"
COLUMNS = (
    *("layer", "depth", "part", "moment", "split", "operation", "invariance", "retrieval", "chance", "images", "pairs"),
    *("pooling", "bn", "dim"),
)


class InvarianceRun:
    """The examination from wherever it stands to its summary. What is measured is a line of metrics.jsonl.

    Args:
        config: the resolved options.
        examined: the run and its networks.
        compared: the transformations.
        folder: the open run folder.
    """

    def __init__(
        self, config: InvarianceConfig, examined: ExaminedRun, compared: list[Transformation], folder: RunFolder
    ) -> None:
        self.config = config
        self.examined = examined
        self.compared = compared
        self.folder = folder
        self.taps = {tap.name: tap for tap in examined.taps()}
        bank, most = examined.bank, config.invariance_images
        test_ids = balanced_order(bank.test.labels.cpu(), bank.num_classes, seed=0)
        self.splits = {
            TRAIN: (bank.train.images, examined.image_ids[:most]),
            TEST: (bank.test.images, test_ids[:most]),
        }

    def to_the_end(self) -> None:
        """Measures what is missing, then writes table and summary.

        Raises:
            Stopped: Ctrl-C; what is measured is saved.
        """
        self.folder.remove_summary()
        # Both numbers of a cell are one write, but a torn one may have left the first alone.
        done = {_key(line) for line in self.folder.metrics.read().select(metric=RETRIEVAL)}
        self.folder.metrics.keep(lambda line: _key(line) in done)
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        total = len(MOMENTS) * len(self.splits) * len(self.compared)
        number = 0
        with stop_requests() as stop:
            for moment in MOMENTS:
                with self.examined.network(moment, self.config.bn) as network:
                    extractor = Extractor(network, self.config.pooling)
                    for split in self.splits:
                        for transformation in self.compared:
                            missing = self._missing(moment, split, transformation.name, done)
                            if missing:
                                self._measure(moment, split, transformation, missing, extractor)
                            number += 1
                            if stop.made:
                                raise Stopped(self.folder.path, number, total, "comparison")
            copy_pixels(self.folder, self.examined, lambda line: (line["metric"], *_key(line)[1:]))
        self._write_results()

    def _missing(self, moment: str, split: str, operation: str, done: set[tuple[str, ...]]) -> list[str]:
        layers = [layer for layer in self.taps if (moment, layer, split, operation) not in done]
        return [layer for layer in layers if layer != PIXELS or moment == INIT]

    def _measure(
        self, moment: str, split: str, transformation: Transformation, layers: list[str], extractor: Extractor
    ) -> None:
        images, ids = self.splits[split]
        print(f"rote: invariance, {moment}, {split} images, {transformation.name}", file=sys.stderr)
        pairs = [self._pair(images, ids, transformation, number) for number in range(self.config.pairs)]
        shown = [Shown.together([pair[position] for pair in pairs]) for position in range(3)]
        step, epoch = self.examined.end_of(moment)
        for group in extractor.groups(layers, images, 3 * len(shown[0])):
            begin = time.monotonic()
            first, second, other = (extractor.held(group, rows) for rows in shown)
            for layer in group:
                values = self._values(first[layer], second[layer], other[layer])
                facts = {
                    "moment": moment,
                    "operation": transformation.name,
                    "depth": self.taps[layer].depth,
                    "part": self.taps[layer].part,
                    "chance": 1 / len(ids),
                    "images": len(ids),
                    "pairs": len(shown[0]),
                    "pooling": self.config.pooling if layer != PIXELS else "flatten",
                    "bn": self.config.bn,
                    "dim": first[layer].shape[1],
                    "seconds": round((time.monotonic() - begin) / len(group), 3),
                }
                self.folder.metrics.append(
                    [measurement(step, epoch, split, metric, layer, value, **facts) for metric, value in values.items()]
                )

    def _pair(
        self, images: Tensor, ids: Tensor, transformation: Transformation, number: int
    ) -> tuple[Shown, Shown, Shown]:
        """T1 x, T2 x and T1 x' of all images; x' runs through the images in a keyed random order, never x itself."""
        seed = self.config.seeds().view
        order = address.permutation(seed, len(ids), number, Stream.SUBSET)
        other = torch.empty_like(ids)
        other[order] = ids[order.roll(1)]
        views = torch.full_like(ids, FRESH_VIEWS + 2 * number)
        return (
            Shown(images, ids, views, transformation.first, seed),
            Shown(images, ids, views + 1, transformation.second, seed),
            Shown(images, other, views, transformation.first, seed, address_ids=ids),
        )

    def _values(self, first: Tensor, second: Tensor, other: Tensor) -> dict[str, float]:
        count = len(first) // self.config.pairs
        found = [view_retrieval(a, b) for a, b in zip(first.split(count), second.split(count), strict=True)]
        return {INVARIANCE: invariance(first, second, other), RETRIEVAL: sum(found) / len(found)}

    # Results ----------------------------------------------------------------------------------------------------------

    def _write_results(self) -> None:
        cells: dict[tuple[str, ...], dict[str, Any]] = {}
        lines = self.folder.metrics.read()
        for line in lines:
            cell = cells.setdefault(_key(line), {**line})
            cell[line["metric"]] = line["value"]
        names = [transformation.name for transformation in self.compared]
        order = [
            (moment, layer, split, name)
            for moment in MOMENTS
            for split in self.splits
            for name in names
            for layer in self.taps
        ]
        rows = [{column: cells[key].get(column) for column in COLUMNS} for key in order]
        self.folder.write_table("invariance.csv", rows)
        encoder = [tap.name for tap in self.taps.values() if tap.part == "encoder"][-1]
        headline = {}
        # Headline are the test images: those trained on may be alike because their label was learnt by heart.
        for split, ending in ((TEST, ""), (TRAIN, "_train")):
            for metric in (INVARIANCE, RETRIEVAL):
                for moment, at in ((INIT, "_init"), (FINAL, "")):
                    value = cells[moment, encoder, split, RECIPE][metric]
                    headline[f"{metric}_encoder{at}{ending}"] = value
        self.folder.write_summary(
            {
                **headline,
                "retrieval_chance": cells[FINAL, encoder, TEST, RECIPE]["chance"],
                "view_recipe": self.config.view_recipe or self.config.augment,
                "operations": names[1:],
                **self.examined.facts(),
                "seconds": round(sum(line["seconds"] for line in lines.select(metric=RETRIEVAL)), 2),
            }
        )


def _key(line: dict[str, Any]) -> tuple[str, ...]:
    return line["moment"], line["layer"], line["split"], line["operation"]
