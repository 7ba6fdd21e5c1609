"""The trainings of a `depth` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings, not_held_out

if TYPE_CHECKING:
    from rote.experiments.depth import DepthConfig

TOGETHER = True
"""Networks train together, which takes less than one after another."""


def trainings_of(config: DepthConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    networks = len(config.equal) * len(config.norms) * len(config.lr)
    own, epochs = not_held_out(config, images), config.epochs + config.true_epochs
    return [Trainings(f"depth {d}", networks, own, epochs, built={"depth": d}) for d in config.depths]
