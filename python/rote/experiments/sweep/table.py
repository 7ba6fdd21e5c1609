"""The table of a sweep: a row for every combination, seeds put together as mean and 95 % t interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rote.experiments.sweep.plan import SweepPlan, SweepRun
from rote.runs.folder import SUMMARY, read_json
from rote.runs.whole_files import plain, write_bytes, write_csv
from rote.statistics import t_interval

CSV, LATEX = "sweep.csv", "sweep.tex"
# Numbers of a summary that are settings or clocks.
_NO_RESULTS = frozenset({"seed", "epochs", "images", "steps", "label_classes", "seconds", "batch_size", "noise"})
# In LaTeX, where none are named: a page has room for so many.
_MOST_IN_LATEX = 3


def summary_rows(plan: SweepPlan, metrics: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The rows of the table, over the runs that are there.

    Args:
        plan: the sweep.
        metrics: keys of summary.json; those that are numbers in some run by default.

    Returns:
        For each combination: the grid's values, `seeds` (runs that are there), and for every number its mean and, from
        two seeds on, the ends of its 95 % t interval, `<name>_low` and `<name>_high`. A number that a run lacks is
        left out of that mean, and `<name>_seeds` says how many it is of where they are fewer.

    Raises:
        ValueError: a metric that no run has.
    """
    found = [(runs, [_summary(run) for run in runs if run.finished]) for runs in plan.combinations]
    there = [summary for _, summaries in found for summary in summaries]
    names = list(metrics) or list(dict.fromkeys(k for s in there for k in s if _is_result(k, s[k])))
    missing = [name for name in metrics if there and not any(_is_number(s.get(name)) for s in there)]
    if missing:
        known = ", ".join(dict.fromkeys(k for s in there for k in s if _is_result(k, s[k])))
        raise ValueError(f"--metrics must be numbers of summary.json ({known}); got {', '.join(missing)}")
    rows = []
    for runs, summaries in found:
        row: dict[str, Any] = {name: _cell(value) for name, value in runs[0].values.items()}
        row["seeds"] = len(summaries)
        for name in names:
            row |= _estimate(name, [float(s[name]) for s in summaries if _is_number(s.get(name))], len(summaries))
        rows.append(row)
    return rows


def write_tables(plan: SweepPlan, metrics: Sequence[str] = ()) -> list[Path]:
    """Writes sweep.csv with everything, and sweep.tex with the metrics that are named, or the first three."""
    from rote.report.latex import booktabs

    rows = summary_rows(plan, metrics)
    write_csv(plan.folder / CSV, rows)
    settings = [*plan.grid, "seeds"]
    means = [n for n in rows[0] if n not in settings and not n.endswith(("_low", "_high", "_seeds"))]
    kept = list(metrics) or means[:_MOST_IN_LATEX]
    wanted = [*settings, *(f"{name}{end}" for name in kept for end in ("", "_low", "_high"))]
    caption = f"{plan.experiment}: means over {plan.seeds} seeds" + (", 95 % t intervals." if plan.seeds > 1 else ".")
    names = {name for row in rows for name in row}
    cut = [{name: row.get(name) for name in wanted if name in names} for row in rows]
    write_bytes(plan.folder / LATEX, booktabs(cut, caption=caption, label=plan.folder.name).encode())
    return [plan.folder / CSV, plan.folder / LATEX]


def _summary(run: SweepRun) -> Mapping[str, Any]:
    return read_json(run.folder / SUMMARY)


def _estimate(name: str, values: list[float], seeds: int) -> dict[str, Any]:
    """The columns of one number."""
    mean = math.fsum(values) / len(values) if values else None
    low, high = t_interval(values) if len(values) > 1 else (None, None)
    columns = {name: mean, f"{name}_low": low, f"{name}_high": high}
    return columns if len(values) == seeds else {**columns, f"{name}_seeds": len(values)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_result(name: str, value: Any) -> bool:
    return name not in _NO_RESULTS and not name.endswith("_seed") and _is_number(value)


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, (tuple, list)) else plain(value)
