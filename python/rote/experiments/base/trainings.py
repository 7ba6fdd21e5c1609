"""Trainings that an experiment consists of, each for a known number of steps: what a forecast multiplies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Trainings:
    """Alike trainings.

    Attributes:
        name: what they are.
        networks: how many.
        images: images each is trained on.
        epochs: visits of each.
        looks: evaluations along each.
        width: width dial where it differs from the config's.
        built: arguments of `rote.models.build` that differ from the config's.
        step_cost: what a step takes, in plain steps of the network.
    """

    name: str
    networks: int
    images: int
    epochs: int
    looks: int = 1
    width: int | None = None
    built: Mapping[str, Any] = field(default_factory=dict)
    step_cost: float = 1.0


def not_held_out(config: Any, images: int) -> int:
    """Images trained on: with all of a data set, those that the validation part leaves."""
    return images if config.images is not None else max(images - config.validation, 1)
