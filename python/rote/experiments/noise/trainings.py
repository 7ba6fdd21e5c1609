"""The trainings of a `noise` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings
from rote.experiments.noise.cells import cells_of

if TYPE_CHECKING:
    from rote.experiments.noise import NoiseConfig


def trainings_of(config: NoiseConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    looks = len(config.evaluation_epochs())
    return [Trainings("training", len(cells_of(config)), images, config.epochs, looks=looks)]
