"""Claim 28: what `depth` shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rote.claims.criterion import CIFAR, NARROW
from rote.claims.evidence import Evidence, plain
from rote.claims.judge import at_least, below
from rote.claims.line import Line, line
from rote.claims.records import RunRecord
from rote.statistics import spearman

Rows = Sequence[dict[str, Any]]
# Columns that say that a better learning rate may lie beyond those tried.
AT_EDGE = ("lr_random_at_edge", "lr_true_at_edge")


def depth(evidence: Evidence) -> Iterator[Line]:
    """Claim 28: a line for what is equal, width or parameters, and for each normalization.

    A depth that never knew 99 % counts as later than all others. The best depth is that of the best validation
    accuracy, so that no maximum over test accuracies is compared with.
    """
    for study in evidence.of("depth", plain):
        runs = study.records
        tables = [run.rows("depth.csv") for run in runs]
        for equal, norm in dict.fromkeys((row["equal"], row["norm"]) for rows in tables for row in rows):
            own = [[row for row in rows if (row["equal"], row["norm"]) == (equal, norm)] for rows in tables]
            own = [rows for rows in own if rows]
            parts = [
                below("Spearman of depth and epochs to 99 %", map(_speed, own), 0.0),
                at_least("test accuracy, deepest - best", map(_kept, own), -0.02, unit="points"),
            ]
            unknown = sum(row["epochs_to_99"] is None for rows in own for row in rows)
            everything = sum(map(len, own))
            edges = sum(bool(row.get(name)) for rows in own for row in rows for name in AT_EDGE)
            notes = [f"{unknown} of {everything} networks did not reach 99 %"] if unknown else []
            if edges:
                notes.append(f"{edges} of {2 * everything} best learning rates are the lowest or highest tried")
            doubt = "no network came to know 99 % of the random labels" if unknown == everything else ""
            yield line(
                28,
                parts,
                runs,
                covers=NARROW if runs[0].data == CIFAR else None,
                scale=_scale(runs[0], equal, norm, own[0]),
                notes="; ".join(notes),
                doubt=doubt,
            )


def _speed(rows: Rows) -> float:
    epochs = [math.inf if row["epochs_to_99"] is None else row["epochs_to_99"] for row in rows]
    return spearman([row["depth"] for row in rows], epochs)


def _kept(rows: Rows) -> float:
    """Test accuracy of the deepest network - that of the best depth; one that diverged at every rate has none."""
    trained = [row for row in rows if row["test_accuracy"] is not None]
    best = max(trained, key=lambda row: row["validation_accuracy"], default=None)
    deepest = max(rows, key=lambda row: row["depth"])
    return (deepest["test_accuracy"] or 0.0) - (best["test_accuracy"] if best else 0.0)


def _scale(run: RunRecord, equal: str, norm: str, rows: Rows) -> str:
    depths = [row["depth"] for row in rows]
    widths = sorted({row["width"] for row in rows})
    across = f"width {widths[0]}" if len(widths) == 1 else f"widths {widths[0]} to {widths[-1]}"
    normalized = "without normalization" if norm == "none" else f"{norm} normalization"
    what = f"depths {min(depths)} to {max(depths)} at equal {equal}, {across}, {normalized}"
    return f"{run.data}, {run.summary.get('images'):,} images, {run.config.get('model')}, {what}"


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {28: depth}
