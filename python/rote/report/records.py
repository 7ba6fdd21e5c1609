"""What the report knows of a run: typed records, and the questions asked of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rote.report import views

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SEEDS = ("data_seed", "label_seed", "init_seed", "order_seed", "view_seed")


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
        tables: the rows of every CSV table in the folder, by file name.
    """

    folder: Path
    experiment: str
    config: Mapping[str, Any]
    environment: Mapping[str, Any]
    summary: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    rows: tuple[Mapping[str, Any], ...]
    samples: views.ViewSamples | None
    tables: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return bool(self.summary)

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of the run: from the config or a group in it, from what stands beside it, or the summary."""
        if self.config.get(name) is not None:
            return self.config[name]
        for value in self.config.values():
            if isinstance(value, Mapping) and value.get(name) is not None:
                return value[name]
        for source in (self.environment, self.summary):
            if source.get(name) is not None:
                return source[name]
        return default

    @property
    def data(self) -> str:
        """The data set's name. A picture folder is called what its classes tell, else what the folder is called."""
        value = self.setting("data", "unknown data")
        if isinstance(value, Mapping):
            value = value.get("name", "unknown data")
        if value == "cifar10" or tuple(self.environment.get("classes") or ()) == CIFAR10_CLASSES:
            return "CIFAR-10"
        root = self.setting("root")
        return Path(str(root)).name or str(value) if value == "folder" and root else str(value)

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
    def seeds(self) -> int | str | None:
        """What tells a run from its repetitions: the seed, and those of its five parts that differ from it."""
        own = {name: self.setting(name) for name in SEEDS}
        apart = [f"{name} {value}" for name, value in own.items() if value is not None and value != self.seed]
        return self.seed if not apart else ", ".join([f"seed {self.seed}", *apart])

    @property
    def num_classes(self) -> int | None:
        value = self.summary.get("label_classes") or self.setting("num_classes")
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

    @cached_property
    def headline_layer(self) -> str:
        """The layer that `probe_accuracy` speaks of: the encoder's output, with own taps the last of them."""
        return headline_layer(self.layers)

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
        """k, n_references, n_queries, bn, ... of the last headline probe."""
        found = [
            m.extras
            for m in self.measurements
            if m.metric == "probe_accuracy"
            and m.layer == self.headline_layer
            and m.extras.get("references", "all") == "all"
        ]
        return found[-1] if found else {}

    @cached_property
    def reference_probes(self) -> tuple[Measurement, ...]:
        """The last headline-layer probe for every reference set that was used, in order of appearance."""
        found = {
            (m.extras.get("references", "all"), m.extras.get("n_references"), m.extras.get("bn")): m
            for m in self.measurements
            if m.metric == "probe_accuracy" and m.layer == self.headline_layer and m.split == "test"
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


def headline_layer(layers: Sequence[str]) -> str:
    """The layer that stands for the encoder: its output, with own taps the last of them before the projector."""
    if "encoder" in layers or not layers:
        return "encoder"
    inside = [layer for layer in layers if not in_projector(layer)]
    return (inside or list(layers))[-1]


def in_projector(layer: str) -> bool:
    """Whether a layer lies behind the encoder."""
    return layer.startswith("projector") or layer == "logits"


def finite(value: Any) -> float | None:
    """The value as a float, None unless it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None
