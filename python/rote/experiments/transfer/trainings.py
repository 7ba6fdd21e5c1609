"""The trainings of a `transfer` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings

if TYPE_CHECKING:
    from rote.experiments.transfer import TransferConfig


def trainings_of(config: TransferConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    half, cells = images // 2, config.transfer_networks * len(config.tasks) * len(config.starts)
    return [
        Trainings("pre-training", config.networks, half, config.pretrain_epochs),
        Trainings("training", cells, half, config.epochs, looks=len(config.evaluation_epochs())),
    ]
