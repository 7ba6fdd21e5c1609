"""The trainings of a `trajectories` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings, not_held_out

if TYPE_CHECKING:
    from rote.experiments.trajectories import TrajectoriesConfig

TOGETHER = True
"""Networks train together, which takes less than one after another."""


def trainings_of(config: TrajectoriesConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    networks = config.networks * len(config.noise)
    return [Trainings("networks", networks, not_held_out(config, images), config.epochs, config.epochs)]
