"""Run folders -> typed records. Tolerant of what a run has not measured, strict about what is broken."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rote.report import views

# Keys of config.json that describe where and how a run was made, not what was run.
ENVIRONMENT_KEYS = frozenset(
    ["command", "argv", "versions", "git", "device", "hardware", "platform", "host", "python", "threads", "environment",
     "started", "finished", "date", "created", "hash", "config_hash", "rote_version", "semantics"]
)  # fmt: skip


class RunFolderError(ValueError):
    """A run folder that cannot be read; the message starts with the path of the file at fault."""


@dataclass(frozen=True)
class Measurement:
    """One line of metrics.jsonl; `extras` holds every field beyond the six named ones."""

    step: int
    epoch: float
    split: str
    metric: str
    layer: str | None
    value: float
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """One measured quantity along training, steps ascending and unique."""

    steps: tuple[int, ...]
    values: tuple[float, ...]

    def __bool__(self) -> bool:
        return bool(self.steps)


@dataclass(frozen=True)
class Run:
    """One run folder.

    Attributes:
        folder: where it lies.
        experiment: "benign", "capacity", ...
        config: the resolved settings.
        environment: command, versions, git state, device, dates.
        summary: summary.json, empty while the run has not finished.
        measurements: every line of metrics.jsonl.
        rows: the rows of a capacity run.
        samples: a few images and their views, where the run kept them.
    """

    folder: Path
    experiment: str
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    summary: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    rows: tuple[Mapping[str, Any], ...]
    samples: views.ViewSamples | None

    @property
    def finished(self) -> bool:
        return bool(self.summary)

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of the run: from the config, from one of its nested groups, or from the summary."""
        if self.config.get(name) is not None:
            return self.config[name]
        for value in self.config.values():
            if isinstance(value, Mapping) and value.get(name) is not None:
                return value[name]
        value = self.summary.get(name)
        return default if value is None else value

    @property
    def data(self) -> str:
        value = self.setting("data", "unknown data")
        if isinstance(value, Mapping):
            value = value.get("name", "unknown data")
        return str(value)

    @property
    def labels(self) -> str:
        return str(self.summary.get("labels") or self.setting("labels", "random"))

    @property
    def augment(self) -> str:
        return str(self.summary.get("augment") or self.setting("augment", "none"))

    @property
    def augmented(self) -> bool:
        return self.augment != "none"

    @property
    def seed(self) -> int | None:
        value = self.setting("seed")
        if value is None and isinstance(self.setting("seeds"), Mapping):
            value = self.setting("seeds").get("data")
        return int(value) if value is not None else None

    @property
    def num_classes(self) -> int | None:
        value = self.setting("num_classes")
        if value is None and isinstance(self.setting("classes"), (list, tuple)):
            value = len(self.setting("classes"))
        if value is None and self.samples is not None and self.samples.classes:
            value = len(self.samples.classes)
        return int(value) if value is not None else None

    @property
    def chance(self) -> float | None:
        value = self.number("chance")
        if value is not None:
            return value
        return 1.0 / self.num_classes if self.num_classes else None

    @property
    def verdict(self) -> str:
        return str(self.summary.get("verdict") or "")

    def number(self, name: str) -> float | None:
        """A number of summary.json, None where it is absent or not finite."""
        return finite(self.summary.get(name))

    def interval(self, name: str) -> tuple[float, float] | None:
        """A two-number interval of summary.json, None where it is absent."""
        value = self.summary.get(name)
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            return None
        low, high = finite(value[0]), finite(value[1])
        return None if low is None or high is None else (low, high)

    @cached_property
    def steps(self) -> int | None:
        value = self.number("steps")
        if value is None:
            value = max((m.step for m in self.measurements), default=None)
        return None if value is None else int(value)

    def curve(self, split: str, metric: str, layer: str | None = None) -> Curve:
        """One quantity along training; a step measured twice (after a resume) counts as measured last.

        Probe curves are those of the headline reference set; lines with other `references` are left out.
        """
        found = {
            m.step: m.value
            for m in self.measurements
            if m.split == split
            and m.metric == metric
            and (layer is None or m.layer == layer)
            and m.extras.get("references", "all") == "all"
        }
        steps = sorted(found)
        return Curve(tuple(steps), tuple(found[step] for step in steps))

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Probed layers in depth order, without "pixels"."""
        table = self.summary.get("probe_by_layer")
        if isinstance(table, Mapping) and table:
            return tuple(name for name in table if name != "pixels")
        seen = (m.layer for m in self.measurements if m.metric == "probe_accuracy" and m.layer)
        return tuple(dict.fromkeys(name for name in seen if name != "pixels"))

    def layer_probe(self, layer: str, when: str) -> float | None:
        """Probe accuracy of a layer at "init" or at the end ("final")."""
        table = self.summary.get("probe_by_layer")
        if isinstance(table, Mapping) and isinstance(table.get(layer), Mapping):
            return finite(table[layer].get(when))
        curve = self.curve("test", "probe_accuracy", layer)
        if not curve:
            return None
        if when == "init":
            return curve.values[0] if curve.steps[0] == 0 else None
        return curve.values[-1]

    @cached_property
    def probe_settings(self) -> Mapping[str, Any]:
        """k, n_references, n_queries, bn, ... of the last headline probe of the encoder."""
        found = [
            m.extras
            for m in self.measurements
            if m.metric == "probe_accuracy"
            and m.layer == "encoder"
            and m.extras.get("references", "all") == "all"
        ]
        return found[-1] if found else {}

    @cached_property
    def reference_probes(self) -> tuple[Measurement, ...]:
        """The last encoder probe for every reference set that was used, in order of appearance."""
        found = {
            (m.extras.get("references", "all"), m.extras.get("n_references"), m.extras.get("bn")): m
            for m in self.measurements
            if m.metric == "probe_accuracy" and m.layer == "encoder" and m.split == "test"
        }
        return tuple(found.values())

    @property
    def raw_probe(self) -> float | None:
        """Probe accuracy on raw pixels."""
        value = self.number("probe_accuracy_raw")
        if value is None:
            curve = self.curve("test", "probe_accuracy", "pixels")
            value = curve.values[-1] if curve else None
        return value


def finite(value: Any) -> float | None:
    """The value as a float, None unless it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


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
    environment = {
        key: value for key, value in outer.items() if key not in ("config", "experiment", "environment")
    }
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
    return Run(
        folder=folder,
        experiment=experiment,
        config=config,
        environment=environment,
        summary=summary,
        measurements=_read_metrics(folder / "metrics.jsonl"),
        rows=_read_rows(folder, summary) if experiment == "capacity" else (),
        samples=_read_views(folder / views.FILE_NAME),
    )


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


def _read_rows(folder: Path, summary: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    rows, source = summary.get("rows"), folder / "summary.json"
    if rows is None and (folder / "capacity.csv").exists():
        source = folder / "capacity.csv"
        with source.open(newline="", encoding="utf-8") as file:
            rows = [{key: _cell(value) for key, value in row.items() if key} for row in csv.DictReader(file)]
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


def _cell(text: str | None) -> Any:
    """A CSV cell as the JSON value it stands for."""
    if text is None or text == "":
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


def _read_views(path: Path) -> views.ViewSamples | None:
    try:
        return views.load(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunFolderError(str(error)) from error
