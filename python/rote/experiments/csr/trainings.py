"""The trainings of a `csr` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings
from rote.experiments.csr.conditions import RAND_X, conditions_of

if TYPE_CHECKING:
    from rote.experiments.csr import CSRConfig


def trainings_of(config: CSRConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    looks, found = len(config.look_epochs()), conditions_of(config)
    # An iteration of a search is a step's pass and one more forward; randX is asked about two kinds of inputs.
    kinds = sum(2 if condition.kind == RAND_X else 1 for condition in found)
    searched = looks * kinds * config.queries * config.iterations * 4 / 3
    cost = 1 + searched / (len(found) * config.epochs * images)
    return [Trainings("networks and searches", len(found), images, config.epochs, looks=looks, step_cost=cost)]
