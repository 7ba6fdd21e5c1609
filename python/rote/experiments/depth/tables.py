"""The tables of `depth`, from what was seen of every network at every learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rote.experiments.depth.networks import Shape
from rote.statistics import spearman

REACHED = 0.99
Look = Mapping[str, Any]


def best_of_random(looks: Sequence[Look], rates: Sequence[float]) -> dict[str, Any]:
    """Columns of random labels: the epoch at which the first learning rate knew 99 % of them.

    Of several that did at the same epoch the one with more counts; where none did, the epoch is None and the rate is
    that with the highest accuracy at the end.

    Args:
        looks: `epoch`, `step` and per rate `accuracy` (None where it was not asked).
        rates: the learning rates.
    """
    last = looks[-1]
    known = {n: value for n, value in enumerate(last["accuracy"]) if value is not None}
    best = max(known, key=lambda n: known[n]) if known else None
    reached = best is not None and known[best] >= REACHED
    return {
        "epochs_to_99": last["epoch"] if reached else None,
        "steps_to_99": last["step"] if reached else None,
        "random_accuracy": None if best is None else known[best],
        **_rate("random", best, rates),
    }


def best_of_true(looks: Sequence[Look], rates: Sequence[float]) -> dict[str, Any]:
    """Columns of true labels: accuracies at the end, at the learning rate that the validation part prefers."""
    last = looks[-1]
    valid = {n: value for n, value in enumerate(last["validation"]) if value is not None}
    best = max(valid, key=lambda n: valid[n]) if valid else None
    parts = {"train_accuracy": "train", "validation_accuracy": "validation", "test_accuracy": "test"}
    return {
        **{column: None if best is None else last[part][best] for column, part in parts.items()},
        **_rate("true", best, rates),
    }


def _rate(labels: str, best: int | None, rates: Sequence[float]) -> dict[str, Any]:
    """The best rate, and whether it is the lowest or highest tried, so that a better one may lie beyond."""
    edge = best is not None and len(rates) > 1 and best in (0, len(rates) - 1)
    return {f"lr_{labels}": None if best is None else rates[best], f"lr_{labels}_at_edge": edge}


def rate_rows(labels: str, shape: Shape, looks: Sequence[Look], rates: Sequence[float]) -> list[dict[str, Any]]:
    """The rows of depth_rates.csv of one network and kind of labels: every learning rate at the end."""
    last = looks[-1]
    rows = []
    for n, rate in enumerate(rates):
        own = last.get("accuracy", last.get("train"))[n]
        rows.append(
            {
                "labels": labels,
                "norm": shape.norm,
                "depth": shape.depth,
                "width": shape.width,
                "lr": rate,
                "epochs": last["epoch"],
                "steps": last["step"],
                "train_accuracy": own,
                "running_accuracy": last["running"][n] if "running" in last else None,
                "validation_accuracy": last["validation"][n] if "validation" in last else None,
                "test_accuracy": last["test"][n] if "test" in last else None,
                "diverged": last["diverged"][n],
            }
        )
    return rows


def comparisons(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What depth does, for each kind of equality and normalization.

    Returns:
        Rows of `equal`, `norm`, `spearman_depth_epochs` (a depth that never knew 99 % is later than all others),
        `best_depth` (by validation accuracy), `deepest`, `test_best`, `test_deepest`, their difference `test_change`.
    """
    found = []
    for equal, norm in dict.fromkeys((row["equal"], row["norm"]) for row in rows):
        own = [row for row in rows if (row["equal"], row["norm"]) == (equal, norm)]
        epochs = [math.inf if row["epochs_to_99"] is None else row["epochs_to_99"] for row in own]
        tested = [row for row in own if row["test_accuracy"] is not None]
        best = max(tested, key=lambda row: row["validation_accuracy"], default=None)
        deepest = max(own, key=lambda row: row["depth"])
        ends = (None if best is None else best["test_accuracy"], deepest["test_accuracy"])
        found.append(
            {
                "equal": equal,
                "norm": norm,
                "spearman_depth_epochs": spearman([row["depth"] for row in own], epochs),
                "best_depth": None if best is None else best["depth"],
                "deepest": deepest["depth"],
                "test_best": ends[0],
                "test_deepest": ends[1],
                "test_change": None if None in ends else ends[1] - ends[0],
            }
        )
    return found
