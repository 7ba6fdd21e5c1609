"""The grid of `rote demo`: what the papers' phenomenon looks like on real digits, within three minutes on two cores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.benign import BenignConfig, benign
from rote.experiments.capacity import CapacityConfig, capacity
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """Options of `rote demo`."""

    out: Path = Path("runs/demo")
    """Folder of the runs and the page."""
    seed: int = 0
    """Seed of all runs."""
    device: str = "auto"
    """Device: auto, cpu or cuda."""

    def grid(self) -> list[ExperimentConfig]:
        """Every kind of labels with and without augmentation, in equally many steps, and one capacity grid."""
        place = {"out": self.out, "seed": self.seed, "device": self.device}
        conditions = [
            BenignConfig(
                name=f"{labels}-labels-{'augmented' if augment != 'none' else 'plain'}",
                labels=labels,
                augment=augment,
                **CONDITION,
                **place,
            )
            for augment in ("digits", "none")
            for labels in ("random", "true", "fresh")
        ]
        return [*conditions, CapacityConfig(name="capacity", **CAPACITY, **place)]


# Chosen so that random labels are memorized in both conditions and the whole grid takes under three minutes.
CONDITION = {
    "data": "digits",
    "images": 192,
    "model": "convnet",
    "width": 24,
    "projector_width": 1024,
    "epochs": 380,
    "batch_size": 48,
    "lr": 2e-3,
    "schedule": "constant",
    "evaluations": 8,
}
CAPACITY = {
    "data": "digits",
    "images": 32,
    "augment": "digits",
    "norm": "batch",
    "epochs": 1600,
    "budget": "steps",
    "single_views": False,
    "views": (1, 4, 16, 64),
    "lr": (1e-2,),
}


def demo(config: DemoConfig) -> Iterator[Run]:
    """Makes the runs of the grid one after another, those that are missing, and yields each when it is finished."""
    for run in config.grid():
        yield capacity(run) if isinstance(run, CapacityConfig) else benign(run)
