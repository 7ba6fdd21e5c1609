"""One table out of several run folders: their rows, each with the run and the seed it is of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rote.report.reading import read_parquet, read_run
from rote.report.records import Run

# What tells measurements of one quantity at one step apart: how it was probed, and in which of a run's trainings.
_TOLD_APART = ("references", "k", "bn", "condition", "corruption", "crop", "weight_decay")


def gather(runs: Sequence[Path | str | Run | Any], table: str) -> list[dict[str, Any]]:
    """The rows of one table of several runs, as every `plot_*` function takes them.

    To each row come the columns `run`, `seed`, `labels`, `augment` and `label_classes` of its run, where the table
    has none of the name. A run without the table gives no rows.

    Args:
        runs: run folders, or what `rote.load_run` returned.
        table: the file: a CSV or Parquet table ("layers.csv", ...), "metrics.jsonl" (one row a measurement, the last
            of each step) or "summary.json" (one row a run, its config's settings beside its numbers).

    Raises:
        RunFolderError: a folder is no run folder or holds a broken file.
    """
    rows: list[dict[str, Any]] = []
    for given in runs:
        run = given if isinstance(given, Run) else read_run(getattr(given, "dir", given))
        context = {
            "run": run.folder.name,
            "seed": run.seeds,
            "labels": run.labels,
            "augment": run.augment,
            "label_classes": run.num_classes,
        }
        rows += [{**context, **row} for row in _rows(run, table)]
    return rows


def _rows(run: Run, table: str) -> list[dict[str, Any]]:
    if table == "metrics.jsonl":
        newest = {}
        for m in run.measurements:
            how = (m.step, m.split, m.metric, m.layer, *(m.extras.get(name) for name in _TOLD_APART))
            newest[how] = {
                "step": m.step,
                "epoch": m.epoch,
                "split": m.split,
                "metric": m.metric,
                "layer": m.layer,
                "value": m.value,
                **m.extras,
            }
        return list(newest.values())
    if table == "summary.json":
        if not run.finished:
            return []
        flat = {name: value for name, value in run.config.items() if not isinstance(value, (dict, list, tuple))}
        return [{**flat, **run.summary, "seed": run.seeds}]
    if table == "capacity.csv" and run.rows:
        return [dict(row) for row in run.rows]
    if table.endswith(".parquet"):
        return read_parquet(run.folder / table)
    return [dict(row) for row in run.tables.get(table, ())]
