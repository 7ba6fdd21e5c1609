"""The runs of claims 20 to 22: what a training hangs on, and how dense the boundaries get that fit noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from rote.experiments.suite.planned import Planned, SuiteConfig, of, seeded


def runs(suite: SuiteConfig) -> Iterator[Planned]:
    """Sensitivity is of digits alone; critical samples are searched only where the large data set is given."""
    digits = dataclasses.replace(of(suite, "sensitivity"), data="digits", root=None)
    for seed in range(suite.seeds):
        yield Planned("sensitivity", (20, 21), seeded(digits, seed))
    if suite.root is not None:
        for seed in range(suite.seeds):
            yield Planned("critical samples", (22,), seeded(of(suite, "csr"), seed))
