"""The runs of claims 19, 23, 27, 28 and 30: which examples are learnt first, how early to stop, and depth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from rote.experiments.suite.planned import Planned, SuiteConfig, of, seeded

# The embedded digits are fewer than the pictures the presets are made for.
DIGITS: dict[str, Any] = {"data": "digits", "root": None, "images": None, "validation": 237}


def runs(suite: SuiteConfig) -> Iterator[Planned]:
    """The cheapest first; those on the large data set only where that is given."""
    large = suite.root is not None
    for seed in range(suite.seeds):
        digits = dataclasses.replace(of(suite, "trajectories"), **DIGITS)
        yield Planned("trajectories of digits", (30,), seeded(digits, seed))
    if not large:
        return
    for seed in range(suite.seeds):
        yield Planned("trajectories", (23, 27, 30), seeded(of(suite, "trajectories"), seed))
    for seed in range(suite.seeds):
        yield Planned("easy examples", (19,), seeded(of(suite, "easy"), seed))
    for seed in range(suite.seeds):
        yield Planned("depth", (28,), seeded(of(suite, "depth"), seed))
