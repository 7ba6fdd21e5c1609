"""The course of one `capacity` run: its cells, one pool and network each, and the table made of them."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

from torch import nn

from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.capacity.cells import Cell, grid, ladders
from rote.experiments.capacity.frontier_run import FrontierRun
from rote.experiments.capacity.networks import Material
from rote.experiments.capacity.pool_training import Trained, train_on_pool
from rote.experiments.capacity.table import cell_row
from rote.experiments.inputs.loading import Inputs
from rote.runs import RunFolder
from rote.runs.folder import measurement, read_json
from rote.runs.whole_files import write_json

if TYPE_CHECKING:
    from rote.experiments.capacity import CapacityConfig


class CapacityRun:
    """The grid, or the frontier, from wherever it stands to its summary.

    What is finished is a file in cells/; what is under way has checkpoints, and goes on in its middle.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        network: the network at its initialization.
        own_model: whether that is a module of the caller's own.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(
        self,
        config: CapacityConfig,
        inputs: Inputs,
        network: nn.Module,
        own_model: bool,
        folder: RunFolder,
        num_classes: int,
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.folder = folder
        self.material = Material(config, inputs, network, own_model, num_classes)
        self.images = len(inputs.image_ids)

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        finished = {path.stem for path in (self.folder.path / "cells").glob("*.json")}
        self.folder.metrics.keep(lambda line: line["cell"] in finished)
        with stop_requests() as stop:
            if self.config.frontier:
                frontier = FrontierRun(self.config, self.material, self.folder, stop)
                self._write_results([], frontier.to_the_end(), frontier.results)
                return
            cells = grid(self.config, self.images, len(self.inputs.order))
            results = [self._cell(cell, number, len(cells), stop) for number, cell in enumerate(cells, start=1)]
        rows = []
        for cell, result in zip(cells, results, strict=True):
            trained = [Trained.from_dict(stored) for stored in result["trained"]]
            rows += [
                cell_row(cell, budget, steps, trained, self.material, result["collisions"])
                for budget, steps in ladders(self.config, cell, self.images).items()
            ]
        self.folder.write_table("capacity.csv", rows)
        self._write_results(rows, None, results)

    def _cell(self, cell: Cell, number: int, total: int, stop: StopRequest) -> dict[str, Any]:
        """The stored result of a cell, trained now if it is not there."""
        path = self.folder.path / "cells" / f"{cell.name}.json"
        if path.exists():
            return read_json(path)

        def after_step() -> None:
            if stop.made:
                raise Stopped(self.folder.path, number - 1, total, "cell")

        pool = self.material.pool(cell.images, cell.views, cell.label_mode)
        states = self.folder.checkpoints / cell.name
        trained, seconds = train_on_pool(
            self.material.network(cell.width, cell.depth),
            pool,
            lambda: self.material.stream(pool, self.material.batch_size),
            self.material.trainings(),
            list(ladders(self.config, cell, self.images).values()),
            states,
            after_step=after_step,
            description=f"capacity {number}/{total}, {cell.images} x {cell.views} views, {cell.label_mode} labels",
        )
        result = {
            "trained": [one.as_dict() for one in trained],
            "collisions": self.material.collisions(pool)._asdict(),
            "seconds": seconds,
        }
        self.folder.metrics.append(lines_of(cell, trained, self.material.batch_size))
        write_json(path, result)
        shutil.rmtree(states, ignore_errors=True)
        return result

    def _write_results(
        self, rows: list[dict[str, Any]], frontier: dict[str, Any] | None, results: list[dict[str, Any]]
    ) -> None:
        config = self.config
        width, depth = (config.widths or (config.width,))[0], (config.depths or (config.depth,))[0]
        steps = sum(one["looks"][-1]["step"] for found in results for one in found["trained"] if one["looks"])
        summary = {
            "rows": rows,
            "parameters": self.material.parameters(width, depth),
            "images": self.images,
            "label_classes": self.material.num_classes,
            "augment": config.augment,
            "data": self.inputs.bank.name,
            "epochs": config.epochs,
            "steps": steps,
            "seed": config.seed,
            "seconds": round(sum(result["seconds"] for result in results), 2),
        }
        self.folder.write_summary(summary | (frontier or {}))


def lines_of(cell: Cell, trained: list[Trained], batch_size: int) -> list[dict[str, Any]]:
    """The measurements of a cell for metrics.jsonl."""
    lines = []
    for one in trained:
        about = {**cell._asdict(), "lr": one.lr, "cell": cell.name}
        for look in one.looks:
            lines += [
                measurement(look.step, look.step // (cell.images // batch_size), split, metric, None, value, **about)
                for split, metric, value in (
                    ("pool", "accuracy_pool", look.accuracy),
                    ("pool", "cost_bits", look.cost_bits),
                    ("train", "accuracy_running", look.running),
                    ("train", "loss", look.loss),
                )
            ]
    return lines
