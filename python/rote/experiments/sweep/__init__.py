"""A grid of runs of one experiment, with seeds: planned, made, and put into one table."""

from __future__ import annotations

from rote.experiments.sweep.course import SweepResult, make
from rote.experiments.sweep.options import SweepOptions
from rote.experiments.sweep.plan import SweepPlan, SweepRun, plan_of, sweep_plan
from rote.experiments.sweep.table import summary_rows, write_tables

__all__ = [
    "SweepOptions",
    "SweepPlan",
    "SweepResult",
    "SweepRun",
    "make",
    "plan_of",
    "summary_rows",
    "sweep_plan",
    "write_tables",
]
