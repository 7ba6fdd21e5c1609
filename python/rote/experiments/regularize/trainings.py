"""The trainings of a `regularize` run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.base.trainings import Trainings
from rote.experiments.regularize.settings import settings

if TYPE_CHECKING:
    from rote.experiments.regularize import RegularizeConfig


def trainings_of(config: RegularizeConfig, images: int) -> list[Trainings]:
    """What a run on so many images consists of."""
    found = settings(config)
    searched = sum(setting.adversarial > 0 for setting in found)
    about = {"images": images, "epochs": config.epochs, "looks": config.evaluations}
    # A pass on the points found, and about a step for each of the search.
    cost = 2.0 + config.adversarial_iterations
    plain = Trainings("networks", 2 * (len(found) - searched), **about)
    adversarial = Trainings("with adversarial points", 2 * searched, **about, step_cost=cost)
    return [plain, adversarial] if searched else [plain]
