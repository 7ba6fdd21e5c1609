"""What `rote sweep` is told beside the options of its experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rote.experiments.workers import FAILURES


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """Options of `rote sweep` of its own."""

    seeds: int = 1
    """Seeds of every combination: the experiment's own seed and those after it."""
    executor: Literal["local", "ray"] = "local"
    """Who runs: this process on one device, or actors on Ray, each pinned to a device."""
    workers: int = 1
    """Actors on Ray."""
    ray_address: str | None = None
    """Ray cluster to join, e.g. auto; without it one is started on this machine."""
    retries: int = 1
    """How often a failed run is tried again, over all calls of the sweep."""
    retry: tuple[Literal["diverged", "memory", "died", "error"], ...] = ("memory", "died", "error")
    """Failures that are tried again; a run that diverged would do so again."""
    metrics: tuple[str, ...] = ()
    """Numbers of summary.json in the table; all that are numbers by default."""
    no_forecast: bool = False
    """Do not time a few steps of every combination before the start."""
    dry_run: bool = False
    """Print the plan and its cost, and start nothing."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"--seeds must be at least 1; got {self.seeds}")
        if self.workers < 1 or (self.workers > 1 and self.executor == "local"):
            raise ValueError(f"--workers must be 1 without --executor ray, at least 1 with it; got {self.workers}")
        if self.retries < 0:
            raise ValueError(f"--retries must not be negative; got {self.retries}")
        unknown = [kind for kind in self.retry if kind not in FAILURES]
        if unknown:
            raise ValueError(f"--retry must be out of {', '.join(FAILURES)}; got {', '.join(unknown)}")
