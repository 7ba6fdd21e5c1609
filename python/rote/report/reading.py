"""Run folders -> typed records. Tolerant of what a run has not measured, strict about what is broken."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rote.extras import wanted_for
from rote.report import views
from rote.report.records import Measurement, Run, finite
from rote.runs.csv_table import read_csv
from rote.runs.errors import RunError

# Keys of config.json that describe where and how a run was made, not what was run.
ENVIRONMENT_KEYS = frozenset(
    {"command", "environment", "versions", "rote_version", "semantics", "python", "identity", "hash"}
    | {"device", "hardware", "platform", "host", "threads", "git"}
    | {"created", "opened", "started", "finished", "date"}
)


class RunFolderError(ValueError):
    """A run folder that cannot be read; the message starts with the path of the file at fault."""


def read_run(folder: Path | str) -> Run:
    """Reads one run folder.

    Raises:
        RunFolderError: the folder or config.json is missing, or a file is broken; the message names it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: not a run folder, no such directory")
    document = _read_json(folder / "config.json", required=True)
    config = dict(document["config"]) if isinstance(document.get("config"), dict) else dict(document)
    outer = document if isinstance(document.get("config"), dict) else {}
    environment = {key: value for key, value in outer.items() if key not in ("config", "experiment", "environment")}
    for key in [key for key in config if key in ENVIRONMENT_KEYS]:
        environment.setdefault(key, config.pop(key))
    for nested in (document.get("environment"), environment.pop("environment", None)):
        if isinstance(nested, dict):
            environment = {**nested, **environment}
    experiment = document.get("experiment") or config.get("experiment")
    if not isinstance(experiment, str):
        raise RunFolderError(f"{folder / 'config.json'}: 'experiment' must be a name, got {experiment!r}")
    config.pop("experiment", None)
    summary = _read_json(folder / "summary.json", required=False)
    tables = {path.name: _read_table(path) for path in sorted(folder.glob("*.csv"))}
    return Run(
        folder=folder,
        experiment=experiment,
        config=config,
        environment=environment,
        summary=summary,
        measurements=_read_metrics(folder / "metrics.jsonl"),
        rows=_read_rows(folder, summary, tables) if experiment == "capacity" else (),
        samples=_read_views(folder / views.FILE_NAME),
        tables=tables,
    )


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet table; none where the run has no such table.

    Raises:
        RunFolderError: the file is damaged.
    """
    if not path.exists():
        return []
    with wanted_for("a Parquet table"):
        import pyarrow
        import pyarrow.parquet

    try:
        return pyarrow.parquet.read_table(path).to_pylist()
    except (OSError, pyarrow.ArrowException) as error:
        raise RunFolderError(f"{path}: not readable as Parquet: {error}") from error


def read_arrays(path: Path, *needed: str) -> dict[str, np.ndarray] | None:
    """The arrays of an npz file; None where there is none.

    Raises:
        RunFolderError: the file is damaged, or lacks one of the arrays needed.
    """
    if not path.exists():
        return None
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise RunFolderError(f"{path}: not readable as arrays: {error}") from error
    if missing := [name for name in needed if name not in arrays]:
        raise RunFolderError(f"{path}: must hold the arrays {', '.join(needed)}; it lacks {', '.join(missing)}")
    return arrays


def _read_json(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise RunFolderError(f"{path}: missing, so this is not a run folder") from None
        return {}
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(document, dict):
        raise RunFolderError(f"{path}: must hold a JSON object, got {type(document).__name__}")
    return document


def _read_metrics(path: Path) -> tuple[Measurement, ...]:
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path}: not readable: {error}") from error
    measurements = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            measurements.append(_measurement(entry))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            if number == len(lines):
                break  # a killed run leaves a cut last line; it goes on from before that measurement
            raise RunFolderError(f"{path}, line {number}: not a measurement: {error!r}") from error
    return tuple(m for m in measurements if math.isfinite(m.value))


def _measurement(entry: dict[str, Any]) -> Measurement:
    named = {"step", "epoch", "split", "metric", "layer", "value"}
    value = entry["value"]
    return Measurement(
        step=int(entry["step"]),
        epoch=float(entry.get("epoch") or 0.0),
        split=str(entry.get("split") or ""),
        metric=str(entry["metric"]),
        layer=None if entry.get("layer") is None else str(entry["layer"]),
        value=math.nan if value is None else float(value),
        extras={key: item for key, item in entry.items() if key not in named},
    )


def _read_table(path: Path) -> tuple[Mapping[str, Any], ...]:
    try:
        return tuple(read_csv(path))
    except (OSError, RunError) as error:
        raise RunFolderError(str(error)) from error


def _read_rows(
    folder: Path, summary: Mapping[str, Any], tables: Mapping[str, tuple[Mapping[str, Any], ...]]
) -> tuple[Mapping[str, Any], ...]:
    rows, source = summary.get("rows"), folder / "summary.json"
    if rows is None and "capacity.csv" in tables:
        rows, source = list(tables["capacity.csv"]), folder / "capacity.csv"
    if rows is None:
        return ()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RunFolderError(f"{source}: 'rows' must be a list of objects")
    for number, row in enumerate(rows, 1):
        for key in ("views", "label_mode"):
            if row.get(key) is None:
                raise RunFolderError(f"{source}: row {number} has no '{key}'")
        if finite(row["views"]) is None or row["views"] < 1:
            raise RunFolderError(f"{source}: row {number}: views must be a number >= 1, got {row['views']!r}")
    return tuple(rows)


def _read_views(path: Path) -> views.ViewSamples | None:
    try:
        return views.load(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunFolderError(str(error)) from error
