"""The runs of claims 15 to 18."""

from __future__ import annotations

from collections.abc import Iterator

from rote.experiments.suite.planned import Planned, SuiteConfig, of, plain, seeded


def runs(suite: SuiteConfig) -> Iterator[Planned]:
    """All four claims out of one run a seed, on the large data set where that is given; and `benign` without leak."""
    if suite.root is None:
        return
    for seed in range(suite.seeds):
        yield Planned("true, corrupted and random data", (15, 16, 17, 18), seeded(of(suite, "noise"), seed))
    for seed in range(suite.seeds):
        base = seeded(of(suite, "benign"), seed)
        yield Planned("with and without augmentation", (16,), base)
        yield Planned("with and without augmentation", (16,), plain(base))
