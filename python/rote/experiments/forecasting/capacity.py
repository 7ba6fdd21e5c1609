"""The most that a `capacity` run can take: how long its cells train is found out on the way."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rote.experiments.capacity import CapacityConfig, doubling
from rote.experiments.capacity.cells import Cell, grid, ladders
from rote.experiments.capacity.frontier_run import FIRST_GUESS
from rote.experiments.capacity.networks import Material
from rote.train import Trainer

if TYPE_CHECKING:
    from rote.experiments.forecasting.benign import BenignMeter

# Attempts of a bisection that begins within a third of the frontier: two to cross it, three to narrow it down.
ATTEMPTS = 5
WARM_UP_STEPS, TIMED_STEPS = 5, 20


@dataclass(frozen=True)
class MostOfCapacity:
    """What a run takes if every cell trains to the end of its budget.

    Attributes:
        steps: updates of all networks.
        samples: images shown in them.
        seconds: with the looks at every pool.
        detail: what it is made of.
        device: where it runs.
    """

    steps: int
    samples: int
    seconds: float
    detail: str
    device: str


def most_of_capacity(config: CapacityConfig, meter: BenignMeter) -> MostOfCapacity | None:
    """Adds up the budgets of all cells; None where the run is finished."""
    start = meter.start(config)
    if start.finished:
        return None
    material = Material(start.config, start.inputs, start.network, start.own_model, start.num_classes)
    images = len(start.inputs.image_ids)
    if config.frontier:
        cells = _frontier_cells(start.config, material)
        detail = f"{len(cells)} sizes, reckoned with {ATTEMPTS} attempts at {FIRST_GUESS} bits per parameter each"
        times = ATTEMPTS
    else:
        cells = grid(start.config, images, len(start.inputs.order))
        detail, times = f"{len(cells)} cells", 1
    steps = samples = 0
    seconds = 0.0
    costs: dict[tuple, tuple[float, float]] = {}
    for cell in cells:
        batch = min(config.batch_size, cell.images) if config.frontier else material.batch_size
        looks = _looks(start.config, cell, images, batch)
        key = (cell.width, cell.depth, batch)
        if key not in costs:
            costs[key] = _seconds(material, cell, batch)
        step, sample = costs[key]
        own = looks[-1] * len(config.lr) * times
        steps += own
        samples += own * batch
        seconds += own * step + len(looks) * len(config.lr) * times * cell.images * cell.views * sample
    detail += f", {len(config.lr)} learning rates, each to the end of its budget"
    return MostOfCapacity(steps, samples, seconds, detail, meter.device(config))


def _frontier_cells(config: CapacityConfig, material: Material) -> list[Cell]:
    cells = []
    for width in config.widths or (config.width,):
        for depth in config.depths or (config.depth,):
            labels = FIRST_GUESS * material.parameters(width, depth) / math.log2(material.num_classes)
            images = min(max(1, round(labels / config.frontier_views)), len(material.inputs.order))
            cells.append(Cell(width, depth, images, config.frontier_views, "random"))
    return cells


def _looks(config: CapacityConfig, cell: Cell, images: int, batch: int) -> list[int]:
    """The steps at which a cell is looked at, of its longest budget."""
    if config.frontier:
        visit = cell.views * cell.images / batch
        return doubling.ladder(config.visits * visit, visit)
    return list(max(ladders(config, cell, images).values(), key=lambda steps: steps[-1]))


def _seconds(material: Material, cell: Cell, batch: int) -> tuple[float, float]:
    """Seconds of a step, and of a sample when a pool is looked at."""
    pool = material.pool(cell.images, cell.views, cell.label_mode)
    trainer = Trainer(material.network(cell.width, cell.depth), material.stream(pool, batch), material.trainings()[0])
    trainer.train_until(WARM_UP_STEPS)
    trainer.take_running()
    begin = time.perf_counter()
    trainer.train_until(WARM_UP_STEPS + TIMED_STEPS)
    trainer.take_running()
    step = (time.perf_counter() - begin) / TIMED_STEPS
    few = material.pool(cell.images, 1, cell.label_mode)
    begin = time.perf_counter()
    few.score(trainer.model)
    return step, (time.perf_counter() - begin) / cell.images
