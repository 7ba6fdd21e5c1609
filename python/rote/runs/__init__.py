"""Run folders: where every experiment leaves its tables, readable without Rote.

`RunFolder` writes one, `load_run` reads one, `RunIdentity` says which folder a config belongs to.
"""

from __future__ import annotations

from rote.runs.errors import CorruptRunFile, RunError, RunIncomplete, RunLocked, RunMismatch
from rote.runs.folder import RunFolder
from rote.runs.identity import RunIdentity
from rote.runs.load import Run, load_run
from rote.runs.metrics_log import Measurements, MetricsLog

__all__ = [
    "CorruptRunFile",
    "Measurements",
    "MetricsLog",
    "Run",
    "RunError",
    "RunFolder",
    "RunIdentity",
    "RunIncomplete",
    "RunLocked",
    "RunMismatch",
    "load_run",
]
