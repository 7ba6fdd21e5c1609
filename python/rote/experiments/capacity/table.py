"""The rows of capacity.csv."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rote.experiments.capacity.cells import Cell
from rote.experiments.capacity.networks import Material
from rote.experiments.capacity.pool_training import Trained, best_of
from rote.metrics import bits


def cell_row(
    cell: Cell,
    budget: str,
    steps: Sequence[int],
    trained: Sequence[Trained],
    material: Material,
    collisions: Mapping[str, Any],
) -> dict[str, Any]:
    """The best learning rate of a cell under one budget.

    Args:
        cell: network and pool.
        budget: "visits" or "steps".
        steps: the budget's ladder.
        trained: what came of each learning rate.
        material: networks and classes.
        collisions: `distinct` and `ceiling` of the pool.

    Raises:
        TrainingDiverged: the loss was not finite at any of the learning rates.
    """
    best, found = best_of(trained, steps, material.num_classes)
    parameters = material.parameters(cell.width, cell.depth)
    independent = cell.images * cell.views if cell.label_mode == "random" else cell.images
    fano = bits.fano(independent, material.num_classes, found.look.accuracy)
    visits = found.look.step * material.batch_size / cell.images
    return {
        "views": cell.views,
        "label_mode": cell.label_mode,
        "images": cell.images,
        "pool": cell.images * cell.views,
        "width": cell.width,
        "depth": cell.depth,
        "parameters": parameters,
        "budget": budget,
        "accuracy_pool": found.look.accuracy,
        "bits_fano": fano,
        "bits_code_length": bits.code_length_from_cost(found.look.cost_bits, material.num_classes, independent),
        "bits_per_parameter": fano / parameters,
        "labels_per_parameter_bits": independent * math.log2(material.num_classes) / parameters,
        "accuracy_half_budget": None if found.before is None else found.before.accuracy,
        "steps": found.look.step,
        "visits": visits,
        "visits_per_view": visits / cell.views,
        "budget_limited": found.budget_limited,
        "distinct_views": collisions["distinct"],
        "accuracy_ceiling": collisions["ceiling"],
        "loss": found.look.loss,
        "lr": best.lr,
        "seeds": 1,
    }
