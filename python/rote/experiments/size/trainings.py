"""The trainings of a `size` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings

if TYPE_CHECKING:
    from rote.experiments.size import SizeConfig

TOGETHER = True
"""Networks train together, which takes less than one after another."""


def trainings_of(config: SizeConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    if config.study != "memorization":
        return _under_noise(config, images)
    return [Trainings(f"width {w}", config.replicas, images // 2, config.epochs, width=w) for w in config.widths]


def _under_noise(config: SizeConfig, images: int) -> list[Trainings]:
    """The trainings of the two studies of noise; networks of `convergence` may be done before."""
    conditions = 1 + len(config.kinds) * len(config.levels)
    if config.study == "noise":
        networks = config.networks * (conditions + len(config.levels))
        return [Trainings(f"width {w}", networks, images, config.epochs, width=w) for w in config.widths]
    networks, own = config.networks * conditions, config.width_of_counts
    points = dict.fromkeys([(w, images) for w in config.widths] + [(own, n) for n in config.counts_up_to(images)])
    return [
        Trainings(f"width {w}, {n} images", networks, n, config.epochs, looks=config.epochs, width=w) for w, n in points
    ]
