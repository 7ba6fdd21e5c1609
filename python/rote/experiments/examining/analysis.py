"""Experiments that examine a trained network rather than train one of their own: they begin with a `benign` run.

The run is made in the same folder of runs (`--out`) under its own name, so that several examinations of one network
train it once, and everything that can be seen of its training lies where `benign` puts it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from rote.experiments.benign import BenignConfig


@dataclass(frozen=True, kw_only=True)
class AnalysisConfig(BenignConfig):
    """The options of `benign`, of the network that is examined; an examination adds its own in a subclass."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.replicas != 1:
            raise ValueError(f"--replicas belongs to benign; {self.name_of_experiment} looks at one seed at a time")

    def benign(self, **changes: Any) -> BenignConfig:
        """The run that is examined.

        Args:
            **changes: fields of `BenignConfig` in which it differs, e.g. another recipe.
        """
        shared = {field.name: getattr(self, field.name) for field in dataclasses.fields(BenignConfig)}
        return BenignConfig(**{**shared, "name": None, **changes})

    def shortened(self, **changes: Any) -> Self:
        """The same examination of a shorter run, to be timed; a subclass gives up what a short run does not have."""
        return dataclasses.replace(self, **changes)

    def benign_runs(self) -> list[BenignConfig]:
        """Every `benign` run that has to exist before the examination; `--dry-run` adds them up."""
        return [self.benign()]

    @property
    def extensible(self) -> bool:
        """False: an examination speaks of one end of training, a comparison of equally many steps."""
        return False
