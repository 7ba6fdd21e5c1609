"""The runs of claim 29: a few wrong labels, and nothing but redrawn ones."""

from __future__ import annotations

from collections.abc import Iterator

from rote.experiments.suite.planned import Planned, SuiteConfig, of, plain, seeded

NOISE = (0.1, 1.0)


def runs(suite: SuiteConfig) -> Iterator[Planned]:
    """Without augmentation: clean and noisy examples are told apart by memory. Those at 1 share their network with the
    un-augmented runs of other claims.
    """
    if suite.root is None:
        return
    for seed in range(suite.seeds):
        for noise in NOISE:
            yield Planned("location", (29,), seeded(plain(of(suite, "location", noise=noise)), seed))
