"""Claims 15 to 18: what `noise` shows, and what random labels leave on test images in `benign`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rote.claims.criterion import CIFAR, NARROW
from rote.claims.evidence import Evidence, Study, default_conventions, new_views, random_labels
from rote.claims.judge import Part, at_least, contains, each_at_least
from rote.claims.line import Line, line
from rote.claims.records import RunRecord
from rote.statistics import kendall, spearman

#: The order in which the conditions are to be fitted (a reproduction of figure 1a of arXiv 1611.03530).
ORDER = ("true", "shuffled-pixels", "gaussian", "random-pixels", "random-labels")
LEVELS = 5
"""Fewest levels of corruption that show an order."""

Row = dict[str, Any]


def everything_fitted(evidence: Evidence) -> Iterator[Line]:
    """Claim 15."""
    for study in evidence.of("noise"):
        runs, least, orders = [], [], []
        for run in study.records:
            rows = {row["condition"]: row for row in _base(run) if row["corruption"] in (0, 1)}
            if set(ORDER) <= set(rows):
                runs.append(run)
                least.append(min(_number(rows[name], "train_accuracy", 0.0) for name in ORDER))
                steps = [_number(rows[name], "steps_to_loss", math.inf) for name in ORDER]
                orders.append(kendall(range(len(ORDER)), steps))
        if runs:
            parts = [
                each_at_least("least training accuracy of the five", least, 0.99),
                at_least("Kendall tau of the order", orders, 0.8),
            ]
            yield line(15, parts, runs, covers=_covers(runs))


def no_leak(evidence: Evidence) -> Iterator[Line]:
    """Claim 16. Random labels of all images, in `noise` without crops and weight decay."""
    for study in evidence.of("noise"):
        found = [(run, row) for run in study.records for row in _base(run) if row["condition"] == "random-labels"]
        found = [(run, row) for run, row in found if row["corruption"] == 1 and row["test_accuracy"] is not None]
        if found:
            runs = [run for run, _ in found]
            part = _tested([row["test_accuracy"] for _, row in found], runs[0].number("chance"))
            yield line(16, [part], runs, covers=_covers(runs))
    for study in evidence.of("benign", random_labels, default_conventions, new_views, _recipe):
        runs = [run for run in study.records if run.summary.get("test_accuracy") is not None]
        if runs:
            part = _tested([run.number("test_accuracy") for run in runs], 1.0 / runs[0].number("label_classes"))
            yield line(16, [part], runs)


def regularizers(evidence: Evidence) -> Iterator[Line]:
    """Claim 17."""
    for study in evidence.of("noise"):
        runs, fitted, kept = [], [], []
        for run in study.records:
            decays = {row["weight_decay"] for row in run.rows("noise.csv")} - {0}
            if len(decays) != 1:
                continue
            decay = decays.pop()
            own = {
                (row["crop"], row["weight_decay"]): row for row in run.rows("noise.csv") if row["condition"] == "true"
            }
            both = [row for row in _of(run, "random-labels", 1) if row["crop"] and row["weight_decay"] == decay]
            grid = [own.get((crop, value)) for crop in (False, True) for value in (0, decay)]
            if both and None not in grid:
                tested = [_number(row, "test_accuracy", 0.0) for row in grid]
                runs.append(run)
                fitted.append(_number(both[0], "train_accuracy", 0.0))
                kept.append(tested[0] / max(tested) if max(tested) else 0.0)
        if runs:
            parts = [
                each_at_least("random labels with crop and weight decay, accuracy", fitted, 0.95),
                at_least("true labels, test accuracy without / best", kept, 0.9),
            ]
            yield line(17, parts, runs, covers=_covers(runs))


def corruption(evidence: Evidence) -> Iterator[Line]:
    """Claim 18."""
    for study in evidence.of("noise"):
        runs, slower, worse = [], [], []
        for run in study.records:
            rows = [row for row in _base(run) if row["condition"] in ("true", "random-labels")]
            levels = [row["corruption"] for row in rows]
            if len(levels) >= LEVELS and {0, 1} <= set(levels):
                runs.append(run)
                slower.append(spearman(levels, [_number(row, "epochs_to_99", math.inf) for row in rows]))
                worse.append(spearman(levels, [1.0 - _number(row, "test_accuracy", 0.0) for row in rows]))
        if runs:
            parts = [
                at_least("Spearman of corruption with epochs to 99 %", slower, 0.9),
                at_least("with test error", worse, 0.9),
            ]
            yield line(18, parts, runs, covers=_covers(runs))


def _base(run: RunRecord) -> list[Row]:
    """The rows without random crops, at the weight decay of the run's own."""
    own = run.config.get("weight_decay") or 0
    return [row for row in run.rows("noise.csv") if not row["crop"] and row["weight_decay"] == own]


def _of(run: RunRecord, condition: str, level: float) -> list[Row]:
    return [row for row in run.rows("noise.csv") if row["condition"] == condition and row["corruption"] == level]


def _number(row: Row, name: str, otherwise: float) -> float:
    """A number of a row; `otherwise` where the training diverged or never came that far."""
    return otherwise if row[name] is None else float(row[name])


def _tested(values: Iterable[float], chance: float) -> Part:
    return contains(f"test accuracy after random labels (chance {chance:.3g})", values, chance)


def _recipe(study: Study) -> bool:
    """A recipe of its own or none; steps of a dial and other images in the place of views are other experiments."""
    recipe = str(study["augment"])
    return recipe != "same-class" and not recipe.startswith("strength-") and "@" not in recipe


def _covers(runs: Sequence[RunRecord]) -> str | None:
    return NARROW if runs[0].data == CIFAR else None


ROWS: dict[int, Callable[[Evidence], Iterator[Line]]] = {
    15: everything_fitted,
    16: no_leak,
    17: regularizers,
    18: corruption,
}
