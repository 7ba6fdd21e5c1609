"""Runs of one condition in several seeds, and conditions that may be compared with each other."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rote.report.estimates import Estimate, estimate
from rote.report.records import SEEDS, Curve, Run

# What may differ between two runs of one condition.
_SEED_KEYS = frozenset(["seed", "seeds", *SEEDS])
_PLACE_KEYS = frozenset(
    (
        *("device", "out", "name", "fresh", "root", "cache_dir", "threads", "progress", "keep_checkpoints"),
        *("executor", "workers", "ray_address"),
    )
)
MOST_TOLD = 3  # settings of a condition that a caption has room for
_LABEL_ORDER = ("random", "true", "fresh")


@dataclass(frozen=True)
class Condition:
    """Runs with the same settings that differ in their seeds alone."""

    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def labels(self) -> str:
        return self.first.labels

    @property
    def augment(self) -> str:
        return self.first.augment

    @property
    def augmented(self) -> bool:
        return self.first.augmented

    @property
    def layers(self) -> tuple[str, ...]:
        return next((run.layers for run in self.runs if run.layers), ())

    @property
    def headline_layer(self) -> str:
        return self.first.headline_layer

    @property
    def steps(self) -> int | None:
        return max((run.steps for run in self.runs if run.steps is not None), default=None)

    @property
    def verdicts(self) -> tuple[str, ...]:
        return tuple(run.verdict for run in self.runs if run.verdict)

    @property
    def verdict(self) -> str:
        """The verdict all finished runs share; "mixed" where they differ, "" where there is none."""
        kinds = set(self.verdicts)
        return kinds.pop() if len(kinds) == 1 else "mixed" if kinds else ""

    def number(self, name: str) -> Estimate | None:
        return estimate(run.number(name) for run in self.runs)

    def raw_probe(self) -> Estimate | None:
        return estimate(run.raw_probe for run in self.runs)

    def chance(self) -> float | None:
        return next((run.chance for run in self.runs if run.chance is not None), None)

    def layer_probe(self, layer: str, when: str) -> Estimate | None:
        return estimate(run.layer_probe(layer, when) for run in self.runs)

    def gain_interval(self) -> tuple[float, float] | None:
        """95 % interval of the gain: between seeds where there are three, else that stored by the one run."""
        gain = self.number("probe_gain")
        if gain is not None and gain.interval is not None:
            return gain.interval
        return self.first.interval("probe_gain_interval") if len(self.runs) == 1 else None

    def curves(self, split: str, metric: str, layer: str | None = None) -> list[Curve]:
        found = (run.curve(split, metric, layer) for run in self.runs)
        return [curve for curve in found if curve]

    def mean_curve(self, split: str, metric: str, layer: str | None = None) -> Curve:
        """The mean over seeds at the steps that every seed has measured."""
        return mean_curve(self.curves(split, metric, layer))

    def words(self) -> str:
        """The condition in a few words, e.g. "random labels, with augmentation"."""
        return f"{self.labels} labels, {'with' if self.augmented else 'without'} augmentation"


@dataclass(frozen=True)
class Study:
    """Conditions on the same data, network and number of images."""

    data: str
    model: str
    images: int | None
    conditions: tuple[Condition, ...]

    @property
    def name(self) -> str:
        """Data, network and number of images in one line."""
        return f"{self.data}, {self.model}" + (f", {self.images:,} images" if self.images else "")

    def find(self, labels: str, augmented: bool) -> list[Condition]:
        return [c for c in self.conditions if c.labels == labels and c.augmented == augmented]

    def random(self) -> list[Condition]:
        """The conditions with random labels, augmented ones first."""
        return self.find("random", True) + self.find("random", False)

    @property
    def equal_steps(self) -> bool:
        return len({c.steps for c in self.conditions if c.steps is not None}) <= 1

    def distinction_of(self, condition: Condition) -> str:
        """The settings that tell a condition from others of the same words; "" where there are none."""
        twins = [other for other in self.conditions if other.words() == condition.words()]
        return distinction(condition, twins) if len(twins) > 1 else ""

    def name_of(self, condition: Condition) -> str:
        """The condition in words that no other condition of the study has."""
        apart = self.distinction_of(condition)
        return f"{condition.words()} ({apart})" if apart else condition.words()


def distinction(condition: Condition, twins: Sequence[Condition]) -> str:
    """The settings in which a condition differs from others, e.g. "lr=0.01"; of many one that tells them all apart."""
    keys = dict.fromkeys(key for twin in twins for key in twin.first.config)
    skip = _SEED_KEYS | _PLACE_KEYS
    kinds = {
        key: len({json.dumps(t.first.config.get(key), sort_keys=True, default=str) for t in twins})
        for key in keys
        if key not in skip
    }
    differing = [key for key, number in kinds.items() if number > 1]
    if len(differing) > MOST_TOLD:
        differing = [key for key in differing if kinds[key] == len(twins)][:1] or differing
    given = {key: condition.first.config.get(key) for key in differing}
    told = ", ".join(f"{key}={value}" for key, value in given.items() if value is not None)
    return told or condition.first.folder.name


def paired_difference(left: Condition, right: Condition, value: Callable[[Run], float | None]) -> Estimate | None:
    """left - right for the seeds that both have."""
    other = {run.seed: value(run) for run in right.runs if run.seed is not None}
    differences = []
    for run in left.runs:
        a, b = value(run), other.get(run.seed)
        if a is not None and b is not None:
            differences.append(a - b)
    return estimate(differences)


def baseline(condition: Condition) -> tuple[float | None, str]:
    """The better of raw pixels and the untrained network, and its name."""
    raw, init = condition.raw_probe(), condition.number("probe_accuracy_init")
    if init is not None and (raw is None or init.mean > raw.mean):
        return init.mean, "before training"
    return (None, "") if raw is None else (raw.mean, "from raw pixels")


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean of several curves at the steps they share."""
    if not curves:
        return Curve((), ())
    tables = [dict(zip(curve.steps, curve.values, strict=True)) for curve in curves]
    steps = sorted(set.intersection(*(set(table) for table in tables)))
    return Curve(tuple(steps), tuple(statistics.fmean(table[step] for table in tables) for step in steps))


def group_by_condition(runs: Sequence[Run]) -> list[Condition]:
    """Runs whose settings agree up to the seeds belong to one condition; order of first appearance.

    Of runs that agree in their seeds as well, one counts: the last that has finished.
    """
    groups: dict[str, dict[int | str, Run]] = {}
    for run in runs:
        skip = _SEED_KEYS | _PLACE_KEYS
        settings = {key: value for key, value in run.config.items() if key not in skip}
        key = json.dumps([run.experiment, run.labels, run.augment, settings], sort_keys=True, default=str)
        group = groups.setdefault(key, {})
        place = run.folder.name if run.seeds is None else run.seeds
        if place not in group or run.finished:
            group[place] = run
    return [
        Condition(tuple(sorted(group.values(), key=lambda run: (run.seed is None, run.seed, str(run.seeds)))))
        for group in groups.values()
    ]


def studies(runs: Sequence[Run]) -> list[Study]:
    """Groups the `benign` runs among `runs` into comparable studies."""
    groups: dict[tuple[str, str, int | None], list[Condition]] = {}
    for condition in group_by_condition([run for run in runs if run.experiment == "benign"]):
        first = condition.first
        images = first.number("images") or first.setting("images")
        key = (first.data, str(first.setting("model", "network")), None if images is None else int(images))
        groups.setdefault(key, []).append(condition)

    def rank(condition: Condition) -> tuple[int, bool]:
        order = _LABEL_ORDER.index(condition.labels) if condition.labels in _LABEL_ORDER else len(_LABEL_ORDER)
        return order, not condition.augmented

    return [Study(*key, tuple(sorted(group, key=rank))) for key, group in groups.items()]
