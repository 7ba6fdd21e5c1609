"""The runs of claim 26: every regularizer on true and on random labels."""

from __future__ import annotations

from collections.abc import Iterator

from rote.experiments.suite.planned import Planned, SuiteConfig, of, seeded


def runs(suite: SuiteConfig) -> Iterator[Planned]:
    """A run for each seed, where the large data set is given."""
    if suite.root is None:
        return
    for seed in range(suite.seeds):
        yield Planned("regularizers", (26,), seeded(of(suite, "regularize"), seed))
