"""The frontier of a `capacity` run: for each size of the network the most random labels that it fits to 99 %."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

from rote.experiments.base.stopping import Stopped, StopRequest
from rote.experiments.capacity import doubling
from rote.experiments.capacity.cells import Cell
from rote.experiments.capacity.frontier import bracket, log_log_slope, next_number
from rote.experiments.capacity.networks import Material
from rote.experiments.capacity.pool_training import Trained, best_of, train_on_pool
from rote.metrics import bits
from rote.runs import RunFolder
from rote.runs.folder import read_json
from rote.runs.whole_files import write_json
from rote.train import TrainingDiverged

if TYPE_CHECKING:
    from rote.experiments.capacity import CapacityConfig

# Accuracy from which a pool counts as fitted.
FITTED = 0.99
# The first number tried, in bits of labels per parameter; later sizes begin where the one before ended.
FIRST_GUESS = 1.0


class FrontierRun:
    """Bisection over the number of images, size by size.

    Every attempt trains one network on N images with B views of own labels each, at every learning rate at once, and
    ends as soon as one of them has 99 %.

    Args:
        config: the resolved options.
        material: networks and pools.
        folder: the open run folder.
        stop: whether Ctrl-C was pressed.
    """

    def __init__(self, config: CapacityConfig, material: Material, folder: RunFolder, stop: StopRequest) -> None:
        self.config = config
        self.material = material
        self.folder = folder
        self.stop = stop
        self.results: list[dict[str, Any]] = []
        self._label_bits = math.log2(material.num_classes)

    def to_the_end(self) -> dict[str, Any]:
        """Finds every size's frontier, writes frontier.csv, and returns its share of the summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        config = self.config
        rows: list[dict[str, Any]] = []
        for width in config.widths or (config.width,):
            for depth in config.depths or (config.depth,):
                rows.append(self._size(width, depth, rows[-1]["bits_per_parameter"] if rows else FIRST_GUESS))
        self.folder.write_table("frontier.csv", rows)
        found = [row for row in rows if row["samples"] > 0]
        sizes = {row["parameters"] for row in found}
        slope = None
        if len(sizes) > 1 and len(found) > 2:
            slope = log_log_slope([row["parameters"] for row in found], [row["samples"] for row in found])
        return {
            "frontier": rows,
            "slope": None if slope is None else slope.slope,
            "slope_interval": None if slope is None else [slope.low, slope.high],
        }

    def _size(self, width: int | None, depth: int | None, guess: float) -> dict[str, Any]:
        """One row. `guess` is the expected frontier in bits per parameter."""
        views, most = self.config.frontier_views, len(self.material.inputs.order)
        parameters = self.material.parameters(width, depth)
        start = max(1, round((guess or FIRST_GUESS) * parameters / self._label_bits / views))
        attempts: dict[int, dict[str, Any]] = {}
        while True:
            fitted = {images: found["fitted"] for images, found in attempts.items()}
            images = next_number(fitted, start, most)
            if images is None:
                break
            attempts[images] = self._attempt(Cell(width, depth, images, views, "random"))
        low, high = bracket(fitted)
        samples = low * views
        accuracy = attempts[low]["accuracy"] if low else 0.0
        stored = bits.fano(samples, self.material.num_classes, accuracy)
        return {
            "width": width,
            "depth": depth,
            "views": views,
            "parameters": parameters,
            "samples": samples,
            "bracket_low": samples,
            "bracket_high": None if high is None else high * views,
            "bits": stored,
            "bits_per_parameter": stored / parameters,
            # More visits may have fitted the smallest number that did not fit.
            "budget_limited": high is not None and attempts[high]["budget_limited"],
            # The data has no more images to be fitted.
            "data_limited": high is None,
            "accuracy": accuracy if low else None,
            "lr": attempts[low]["lr"] if low else None,
            "attempts": len(attempts),
            "seed": self.config.seed,
        }

    def _attempt(self, cell: Cell) -> dict[str, Any]:
        """The stored result of one number of images, trained now if it is not there."""
        from rote.experiments.capacity.run import lines_of

        path = self.folder.path / "cells" / f"{cell.name}.json"
        result = read_json(path) if path.exists() else None
        if result is None:
            result = self._train(cell)
            trained = [Trained.from_dict(one) for one in result["trained"]]
            self.folder.metrics.append(lines_of(cell, trained, self._batch_size(cell)))
            write_json(path, result)
            shutil.rmtree(self.folder.checkpoints / cell.name, ignore_errors=True)
        self.results.append(result)
        return result

    def _batch_size(self, cell: Cell) -> int:
        return min(self.config.batch_size, cell.images)

    def _train(self, cell: Cell) -> dict[str, Any]:
        def after_step() -> None:
            if self.stop.made:
                raise Stopped(self.folder.path, len(self.results), len(self.results) + 1, "attempt")

        pool = self.material.pool(cell.images, cell.views, cell.label_mode)
        visit = cell.views * cell.images / self._batch_size(cell)
        steps = doubling.ladder(self.config.visits * visit, visit)
        network = self.material.network(cell.width, cell.depth)
        trained, seconds = train_on_pool(
            network,
            pool,
            lambda: self.material.stream(pool, self._batch_size(cell)),
            self.material.trainings(),
            [steps],
            self.folder.checkpoints / cell.name,
            after_step=after_step,
            description=f"frontier, {self.material.parameters(cell.width, cell.depth):,} parameters, "
            f"{cell.images * cell.views:,} labels",
            enough=FITTED,
        )
        result = {"trained": [one.as_dict() for one in trained], "seconds": seconds}
        reached = [
            (look.step, -look.accuracy, one.lr) for one in trained for look in one.looks if look.accuracy >= FITTED
        ]
        if reached:
            _, accuracy, lr = min(reached)
            return result | {"fitted": True, "accuracy": -accuracy, "lr": lr, "budget_limited": False}
        try:
            best, found = best_of(trained, steps, self.material.num_classes)
        except TrainingDiverged:  # at every rate, before the first look: nothing was fitted
            return result | {"fitted": False, "accuracy": 0.0, "lr": None, "budget_limited": True}
        return result | {
            "fitted": False,
            "accuracy": found.look.accuracy,
            "lr": best.lr,
            "budget_limited": found.budget_limited,
        }
