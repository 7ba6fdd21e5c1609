"""The trainings of a `easy` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings

if TYPE_CHECKING:
    from rote.experiments.easy import EasyConfig

TOGETHER = True
"""Networks train together, which takes less than one after another."""


def trainings_of(config: EasyConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    cnn = {"name": config.filter_model, "width": config.filter_width, "depth": None, "norm": "batch"}
    filters = Trainings("filters", 2, images, config.filter_epochs, built=cnn)
    networks = Trainings("networks", config.runs * len(config.kinds), images, config.epochs)
    return [networks, filters] if config.filter_epochs else [networks]
