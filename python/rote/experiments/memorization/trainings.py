"""The trainings of a `memorization` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings

if TYPE_CHECKING:
    from rote.experiments.memorization import MemorizationConfig

TOGETHER = True
"""Networks train together, which takes less than one after another."""


def trainings_of(config: MemorizationConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    main = round(config.share * images)
    shares = {config.share: config.runs, **dict.fromkeys(config.profile_shares, config.profile_runs)}
    return [
        # Every share gets the update steps of the main one.
        Trainings(f"share {share:g}", runs, round(share * images), round(config.epochs * main / (share * images)))
        for share, runs in shares.items()
    ]
