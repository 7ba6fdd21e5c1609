"""The suite: every run that claims 1 to 14 need, each made once, the most telling first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.benign import BenignConfig
from rote.experiments.presets import preset

CLAIMS = tuple(range(1, 15))
POOLS = (1, 4, 16, 64)
# Claim 1 expects no effect, and an interval of three points asks for more seeds.
SEEDS_OF_NO_EFFECT = 5
# The conventions are tried in pairs of a third of the steps: eleven combinations beside the one that is there.
CONVENTION_SHARE = 3
# Six sizes of 1,634 to 13,664 parameters. Eight views of each digit: there are too few digits for one.
FRONTIER = {"frontier": True, "widths": (2, 3, 4, 5, 6, 7), "frontier_views": 8, "views": (1,), "visits": 400}


@dataclass(frozen=True, kw_only=True)
class SuiteConfig:
    """Options of `rote run suite`."""

    preset: Literal["laptop", "quick", "paper"] = "laptop"
    """Scale of the runs."""
    rows: str = "1-14"
    """Claims to make the runs for, e.g. 1-4,9."""
    seeds: int = 3
    """Seeds of every condition; claim 1 takes at least 5 when it takes 3."""
    data: str = "cifar10"
    """Data set of the large runs: cifar10, or folder with CIFAR-10 as pictures."""
    root: Path | None = None
    """Its folder. Without it only the runs on digits are made, and the other claims are not run: data."""
    out: Path = Path("runs/suite")
    """Folder of the runs, the tables and the page."""
    device: str = "auto"
    """Device: auto, cpu or cuda."""
    dry_run: bool = False
    """Print the plan with the expected time of each part, and start nothing."""

    def __post_init__(self) -> None:
        self.claims()
        if self.seeds < 1:
            raise ValueError(f"--seeds must be at least 1; got {self.seeds}")

    def claims(self) -> tuple[int, ...]:
        """The numbers that `rows` names, ascending.

        Raises:
            ValueError: it is no list of numbers and ranges of claims.
        """
        found: set[int] = set()
        for part in self.rows.split(","):
            first, dash, last = part.strip().partition("-")
            if not (first.isdigit() and (last.isdigit() or not dash)):
                raise ValueError(f"--rows must be like 1-14 or 1-4,9; got {self.rows!r}")
            found |= set(range(int(first), int(last or first) + 1))
        if not found or not found <= set(CLAIMS):
            raise ValueError(f"--rows must be out of {CLAIMS[0]}-{CLAIMS[-1]}; got {self.rows!r}")
        return tuple(sorted(found))


@dataclass(frozen=True)
class Planned:
    """One run of the suite.

    Attributes:
        part: what it is for, in words.
        claims: the claims that read it.
        config: the run.
    """

    part: str
    claims: tuple[int, ...]
    config: ExperimentConfig


def plan(config: SuiteConfig) -> list[Planned]:
    """The runs in the order in which they are made, each once.

    A run that several claims read stands at the first of them. Where an experiment examines benign runs, those stand
    before it, so that the plan says what is shared.
    """
    wanted = set(config.claims())
    runs: dict[ExperimentConfig, Planned] = {}
    for planned in _everything(config):
        claims = wanted & set(planned.claims)
        if not claims:
            continue
        for own in (*planned.config.benign_runs(), planned.config):
            before = runs.get(own)
            both = claims | set(before.claims if before else ())
            runs[own] = Planned(before.part if before else planned.part, tuple(sorted(both)), own)
    return list(runs.values())


def _everything(suite: SuiteConfig) -> Iterator[Planned]:
    """The parts in the order of what they tell; those on the large data set only where that is given."""
    large = suite.root is not None
    if large:
        yield from _with_and_without(suite)
    yield from _digits(suite)
    yield from _capacity(suite)
    if large:
        for part in (_fresh_labels, _inside, _pools, _ideal):
            yield from part(suite)
    yield from _frontier(suite)
    if large:
        yield from _strengths(suite)
        yield from _conventions(suite)


def _with_and_without(suite: SuiteConfig) -> Iterator[Planned]:
    base = _of(suite, "benign")
    for seed in range(suite.seeds):
        yield Planned("with and without augmentation", (1, 2, 3, 14), _seeded(base, seed))
        yield Planned("with and without augmentation", (1, 3, 14), _plain(_seeded(base, seed)))
    most = max(suite.seeds, SEEDS_OF_NO_EFFECT) if suite.seeds >= 3 else suite.seeds
    for seed in range(suite.seeds, most):
        yield Planned("more seeds without augmentation", (1,), _plain(_seeded(base, seed)))


def _digits(suite: SuiteConfig) -> Iterator[Planned]:
    """Cheap, and there without any file."""
    base = dataclasses.replace(_of(suite, "benign"), data="digits", root=None, images=512, augment="digits")
    for seed in range(suite.seeds):
        yield Planned("digits", (2, 3), _seeded(base, seed))
        yield Planned("digits", (3,), _plain(_seeded(base, seed)))


def _capacity(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("capacity", (7, 8), _seeded(_of(suite, "capacity"), seed))


def _frontier(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("capacity frontier", (10,), _seeded(_of(suite, "capacity", **FRONTIER), seed))


def _fresh_labels(suite: SuiteConfig) -> Iterator[Planned]:
    base = _of(suite, "benign")
    for seed in range(suite.seeds):
        yield Planned("fresh labels", (4,), _seeded(base, seed))
        yield Planned("fresh labels", (4,), _seeded(base, seed, labels="fresh"))


def _inside(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        for name, claims, without in (("layers", (5, 6), (6,)), ("invariance", (13,), (13,))):
            base = _of(suite, name)
            # Views of the same recipe are looked at whether they were trained on or not.
            examined = _seeded(dataclasses.replace(base, view_recipe=base.augment), seed)
            yield Planned(name, claims, examined)
            yield Planned(name, without, _plain(examined))


def _pools(suite: SuiteConfig) -> Iterator[Planned]:
    base = _of(suite, "benign")
    for seed in range(suite.seeds):
        yield Planned("pools of B views", (9,), _seeded(base, seed))
        for views in POOLS:
            yield Planned("pools of B views", (9,), _seeded(base, seed, views=views, evaluations=1))


def _ideal(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("ideal augmentations", (12,), _seeded(_of(suite, "ideal"), seed))


def _strengths(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("strengths", (11,), _seeded(_of(suite, "diversity"), seed))


def _conventions(suite: SuiteConfig) -> Iterator[Planned]:
    base = _of(suite, "benign")
    for seed in range(suite.seeds):
        for convention in conventions(base):
            yield Planned("conventions", (14,), _seeded(base, seed, **convention))
            yield Planned("conventions", (14,), _plain(_seeded(base, seed, **convention)))


def conventions(base: BenignConfig) -> list[dict[str, Any]]:
    """The combinations of claim 14 beside the one that all other runs have, in shorter runs."""
    short = {"epochs": max(1, base.epochs // CONVENTION_SHARE), "evaluations": 1}
    found = []
    for loss in ("mse", "ce"):
        for norm in ("batch", "group"):
            for labels in ({}, {"label_classes": 2}, {"labels": "exemplar"}):
                if (loss, norm, labels) != (base.loss, base.norm, {}):
                    found.append({"loss": loss, "norm": norm, **labels, **short})
    return found


def _of(suite: SuiteConfig, experiment: str, **fields: Any) -> Any:
    config = preset(suite.preset, experiment)
    place: dict[str, Any] = {"out": suite.out, "device": suite.device}
    if experiment != "capacity":
        place |= {"data": suite.data, "root": suite.root}
    return dataclasses.replace(config, **place, **fields)


def _seeded(config: Any, seed: int, **fields: Any) -> Any:
    """The run of one seed, the preset's own seeds moved on by it."""
    own = {} if config.label_seed is None else {"label_seed": config.label_seed + seed}
    return dataclasses.replace(config, seed=config.seed + seed, **own, **fields)


def _plain(config: Any) -> Any:
    return dataclasses.replace(config, augment="none")


def parts(planned: Sequence[Planned]) -> dict[str, list[Planned]]:
    """The runs by part, in order."""
    found: dict[str, list[Planned]] = {}
    for run in planned:
        found.setdefault(run.part, []).append(run)
    return found
