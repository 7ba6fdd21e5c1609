"""The runs of claims 24 and 25: time to fit, and the best width, under noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from rote.experiments.suite.planned import Planned, SuiteConfig, of, seeded

# Perceptrons with batch normalization, without which real data are not fitted in hundreds of epochs; and widths and
# batches at which they are, or there is no ratio.
CONVERGENCE: dict[str, Any] = {"study": "convergence", "width": 64, "epochs": 150, "networks": 2}
NOISE: dict[str, Any] = {"study": "noise", "widths": (4, 8, 16, 32, 64, 128, 256), "networks": 3}
DIGITS: dict[str, Any] = {"data": "digits", "root": None}


def runs(suite: SuiteConfig) -> Iterator[Planned]:
    """Digits first, which need no file; the large data set only where that is given."""
    large = suite.root is not None
    base = of(suite, "size")
    digits = dataclasses.replace(base, **DIGITS)
    for seed in range(suite.seeds):
        yield Planned(
            "size of digits", (24,), seeded(digits, seed, **CONVERGENCE, images=1024, widths=(16, 32, 64, 128))
        )
        yield Planned(
            "size of digits", (25,), seeded(digits, seed, **NOISE, images=512, epochs=60, validation_images=900)
        )
    if not large:
        return
    for seed in range(suite.seeds):
        time = {**CONVERGENCE, "widths": (32, 64, 128, 256), "batch_size": 128, "lr": 1e-3}
        yield Planned("time to fit by size", (24,), seeded(base, seed, **time, images=2048))
        noise = seeded(base, seed, **NOISE, images=2048, epochs=30, validation_images=2000)
        yield Planned("best width under noise", (25,), noise)
