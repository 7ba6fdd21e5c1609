"""The tables of runs: every run with its settings and numbers, and every point of a capacity curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rote.report import numbers
from rote.report.protocols import DIALS, dial
from rote.report.records import Run, finite
from rote.report.rows import Row
from rote.report.tables.html import Column, Html, badge, plain, table

MODES = {"same": "one per image", "random": "one per view"}


def benign_table(runs: Sequence[Run]) -> str:
    """All `benign` runs, one row each."""
    columns: list[Column] = [
        ("labels", False),
        ("augmentation", False),
        ("seed", True),
        ("verdict", False),
        ("gain, points", True),
        ("95 % interval", True),
        ("train clean", True),
        ("train new views", True),
        ("train running", True),
        ("probe raw pixels", True),
        ("probe before", True),
        ("probe after", True),
        ("probe projector", True),
        ("images", True),
        ("steps", True),
        ("time", True),
        ("data", False),
        ("network", False),
        ("learning rate", True),
        ("batch", True),
        ("folder", False),
    ]
    turned = [name for name in DIALS if len({dial(run, name) for run in runs}) > 1]
    columns[2:2] = [(name.replace("_", " "), False) for name in turned]
    rows = []
    for run in runs:
        if not run.finished:
            verdict: str = "unfinished"
        else:
            verdict = Html(badge(run.verdict)) if run.verdict else numbers.NONE
        accuracies = [
            numbers.percent(run.number(name))
            for name in (
                "train_accuracy",
                "train_accuracy_fresh_views",
                "train_accuracy_running",
                "probe_accuracy_raw",
                "probe_accuracy_init",
                "probe_accuracy",
                "probe_accuracy_projector",
            )
        ]
        images = run.number("images") or finite(run.setting("images"))
        rate = finite(run.setting("lr"))
        rows.append(
            [
                run.labels,
                run.augment,
                *(numbers.NONE if dial(run, name) is None else plain(dial(run, name)) for name in turned),
                numbers.NONE if run.seed is None else str(run.seed),
                verdict,
                numbers.points(run.number("probe_gain")),
                numbers.points_interval(run.interval("probe_gain_interval")),
                *accuracies,
                numbers.count(images),
                numbers.count(run.steps),
                numbers.seconds(run.number("seconds")),
                run.data,
                run.setting("model", numbers.NONE),
                numbers.NONE if rate is None else f"{rate:g}",
                numbers.count(finite(run.setting("batch_size"))),
                run.folder.name,
            ]
        )
    return table(columns, rows, caption="Benign memorization: all runs")


def references_table(runs: Sequence[Run]) -> str:
    """The probe under other reference sets than the headline's; "" where no run measured any."""
    columns: list[Column] = [
        ("labels", False),
        ("augmentation", False),
        ("seed", True),
        ("references", False),
        ("images in it", True),
        ("k", True),
        ("batch norm", False),
        ("probe after", True),
    ]
    rows = [
        [
            run.labels,
            run.augment,
            numbers.NONE if run.seed is None else str(run.seed),
            m.extras.get("references", "all"),
            numbers.count(finite(m.extras.get("n_references"))),
            numbers.count(finite(m.extras.get("k"))),
            m.extras.get("bn") or numbers.NONE,
            numbers.percent(m.value),
        ]
        for run in runs
        if len(run.reference_probes) > 1
        for m in run.reference_probes
    ]
    return table(columns, rows, caption="The probe with other reference images") if rows else ""


def capacity_table(rows: Sequence[Row]) -> str:
    """Every row of capacity runs; a column that no row fills is left out."""
    columns: list[tuple[str, bool, str, Callable[[Any], str]]] = [
        ("views B", True, "views", _count),
        ("labels", False, "label_mode", lambda value: MODES.get(str(value), str(value))),
        ("images N", True, "images", _count),
        ("pool N × B", True, "pool", _count),
        ("width", True, "width", _count),
        ("depth", True, "depth", _count),
        ("parameters", True, "parameters", _count),
        ("equal", False, "budget", str),
        ("accuracy on the pool", True, "accuracy_pool", _percent),
        ("at half the budget", True, "accuracy_half_budget", _percent),
        ("bits (Fano)", True, "bits_fano", _count),
        ("bits (code length)", True, "bits_code_length", _count),
        ("bits per parameter", True, "bits_per_parameter", _significant),
        ("steps", True, "steps", _count),
        ("visits of an image", True, "visits", _count),
        ("visits of a view", True, "visits_per_view", _count),
        ("distinct views", True, "distinct_views", _count),
        ("ceiling by collisions", True, "accuracy_ceiling", _percent),
        ("budget-limited", False, "budget_limited", lambda value: {True: "yes", False: "no"}.get(value, numbers.NONE)),
        ("seed", True, "seed", str),
    ]
    shown = [column for column in columns if any(row.get(column[2]) is not None for row in rows)]
    cells = [[numbers.NONE if row.get(name) is None else form(row[name]) for _, _, name, form in shown] for row in rows]
    return table([(head, right) for head, right, _, _ in shown], cells, caption="Capacity: every point of the curve")


def _count(value: Any) -> str:
    return numbers.count(finite(value))


def _percent(value: Any) -> str:
    return numbers.percent(finite(value))


def _significant(value: Any) -> str:
    return numbers.significant(finite(value))


def other_table(run: Run) -> str:
    """The headline numbers of an experiment that has no section of its own."""
    flat = [(key, value) for key, value in run.summary.items() if not isinstance(value, (dict, list))]
    rows = [[key, plain(value)] for key, value in flat]
    return table([("number", False), ("value", True)], rows, caption=f"{run.experiment}: {run.folder.name}")
