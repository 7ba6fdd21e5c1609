"""The runs of claims 15 to 18."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from rote.experiments.noise import NoiseConfig
from rote.experiments.suite.planned import Planned, SuiteConfig, of, plain, seeded

# On two cores the grid of regularizers is one of the 1 x 512 perceptron: a cell takes a minute, twelve times as many
# images a second as a narrow Inception, so that random crops of random labels can be visited often enough.
PERCEPTRON = {
    "model": "zhang-mlp",
    "width": None,
    "conditions": ("true", "random-labels"),
    "grid": True,
    "epochs": 200,
    "decay": 0.98,
}


def runs(suite: SuiteConfig) -> Iterator[Planned]:
    """Conditions and levels of one network, the grid of the same or of the perceptron; and `benign` without a leak."""
    if suite.root is None:
        return
    base: NoiseConfig = of(suite, "noise")
    for seed in range(suite.seeds):
        claims = (15, 16, 17, 18) if base.grid else (15, 16, 18)
        yield Planned("true, corrupted and random data", claims, seeded(base, seed))
    for seed in range(suite.seeds) if not base.grid else ():
        grid = seeded(dataclasses.replace(base, **PERCEPTRON), seed)
        yield Planned("random crops and weight decay", (16, 17, 18), grid)
    for seed in range(suite.seeds):
        network = seeded(of(suite, "benign"), seed)
        yield Planned("with and without augmentation", (16,), network)
        yield Planned("with and without augmentation", (16,), plain(network))
