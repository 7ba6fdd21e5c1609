"""The runs of claims 1 to 14, the most telling first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from rote.experiments.benign import BenignConfig
from rote.experiments.suite.planned import Planned, SuiteConfig, of, plain, seeded

POOLS = (1, 4, 16, 64)
# Claim 1 expects no effect, and an interval of three points asks for more seeds.
SEEDS_OF_NO_EFFECT = 5
# The conventions are tried in pairs of a third of the steps: eleven combinations beside the one that is there.
CONVENTION_SHARE = 3
# Six sizes of 1,634 to 13,664 parameters. Eight views of each digit: there are too few digits for one.
FRONTIER = {"frontier": True, "widths": (2, 3, 4, 5, 6, 7), "frontier_views": 8, "views": (1,), "visits": 400}


def runs(suite: SuiteConfig) -> Iterator[Planned]:
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
    base = of(suite, "benign")
    for seed in range(suite.seeds):
        yield Planned("with and without augmentation", (1, 2, 3, 14), seeded(base, seed))
        yield Planned("with and without augmentation", (1, 3, 14), plain(seeded(base, seed)))
    most = max(suite.seeds, SEEDS_OF_NO_EFFECT) if suite.seeds >= 3 else suite.seeds
    for seed in range(suite.seeds, most):
        yield Planned("more seeds without augmentation", (1,), plain(seeded(base, seed)))


def _digits(suite: SuiteConfig) -> Iterator[Planned]:
    """Cheap, and there without any file."""
    base = dataclasses.replace(of(suite, "benign"), data="digits", root=None, images=512, augment="digits")
    for seed in range(suite.seeds):
        yield Planned("digits", (2, 3), seeded(base, seed))
        yield Planned("digits", (3,), plain(seeded(base, seed)))


def _capacity(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("capacity", (7, 8), seeded(of(suite, "capacity"), seed))


def _frontier(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("capacity frontier", (10,), seeded(of(suite, "capacity", **FRONTIER), seed))


def _fresh_labels(suite: SuiteConfig) -> Iterator[Planned]:
    base = of(suite, "benign")
    for seed in range(suite.seeds):
        yield Planned("fresh labels", (4,), seeded(base, seed))
        yield Planned("fresh labels", (4,), seeded(base, seed, labels="fresh"))


def _inside(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        for name, claims, without in (("layers", (5, 6), (6,)), ("invariance", (13,), (13,))):
            base = of(suite, name)
            # Views of the same recipe are looked at whether they were trained on or not.
            examined = seeded(dataclasses.replace(base, view_recipe=base.augment), seed)
            yield Planned(name, claims, examined)
            yield Planned(name, without, plain(examined))


def _pools(suite: SuiteConfig) -> Iterator[Planned]:
    base = of(suite, "benign")
    for seed in range(suite.seeds):
        yield Planned("pools of B views", (9,), seeded(base, seed))
        for views in POOLS:
            yield Planned("pools of B views", (9,), seeded(base, seed, views=views, evaluations=1))


def _ideal(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("ideal augmentations", (12,), seeded(of(suite, "ideal"), seed))


def _strengths(suite: SuiteConfig) -> Iterator[Planned]:
    for seed in range(suite.seeds):
        yield Planned("strengths", (11,), seeded(of(suite, "diversity"), seed))


def _conventions(suite: SuiteConfig) -> Iterator[Planned]:
    base = of(suite, "benign")
    for seed in range(suite.seeds):
        for convention in conventions(base):
            yield Planned("conventions", (14,), seeded(base, seed, **convention))
            yield Planned("conventions", (14,), plain(seeded(base, seed, **convention)))


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
