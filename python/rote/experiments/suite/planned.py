"""What a suite is told, and one run of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.presets import preset

CLAIMS = tuple(range(1, 31))


@dataclass(frozen=True, kw_only=True)
class SuiteConfig:
    """Options of `rote run suite`."""

    preset: Literal["laptop", "quick", "paper"] = "laptop"
    """Scale of the runs."""
    rows: str = "1-30"
    """Claims to make the runs for, e.g. 1-4,9."""
    seeds: int = 3
    """Seeds of every condition; claim 1 takes at least 5 when it takes 3."""
    data: str = "cifar10"
    """Data set of the large runs: cifar10, or folder with CIFAR-10 as pictures."""
    root: Path | None = None
    """Its folder. Without it only the runs on digits are made, and the other claims are not run: data."""
    out: Path = Path("runs/suite")
    """Folder of the runs, the tables and the page."""
    device: str = "auto"
    """Device: auto, cpu or cuda."""
    dry_run: bool = False
    """Print the plan with the expected time of each part, and start nothing."""

    def __post_init__(self) -> None:
        self.claims()
        if self.seeds < 1:
            raise ValueError(f"--seeds must be at least 1; got {self.seeds}")

    def claims(self) -> tuple[int, ...]:
        """The numbers that `rows` names, ascending.

        Raises:
            ValueError: it is no list of numbers and ranges of claims.
        """
        found: set[int] = set()
        for part in self.rows.split(","):
            first, dash, last = part.strip().partition("-")
            if not (first.isdigit() and (last.isdigit() or not dash)):
                raise ValueError(f"--rows must be like 1-14 or 1-4,9; got {self.rows!r}")
            found |= set(range(int(first), int(last or first) + 1))
        if not found or not found <= set(CLAIMS):
            raise ValueError(f"--rows must be out of {CLAIMS[0]}-{CLAIMS[-1]}; got {self.rows!r}")
        return tuple(sorted(found))


@dataclass(frozen=True)
class Planned:
    """One run of the suite.

    Attributes:
        part: what it is for, in words.
        claims: the claims that read it.
        config: the run.
    """

    part: str
    claims: tuple[int, ...]
    config: ExperimentConfig


def of(suite: SuiteConfig, experiment: str, **fields: Any) -> Any:
    """An experiment under the suite's preset, on its data and device."""
    config = preset(suite.preset, experiment)
    place: dict[str, Any] = {"out": suite.out, "device": suite.device}
    if experiment != "capacity":
        place |= {"data": suite.data, "root": suite.root}
    return dataclasses.replace(config, **place, **fields)


def seeded(config: Any, seed: int, **fields: Any) -> Any:
    """The run of one seed, the preset's own seeds moved on by it."""
    own = {} if config.label_seed is None else {"label_seed": config.label_seed + seed}
    return dataclasses.replace(config, seed=config.seed + seed, **own, **fields)


def plain(config: Any) -> Any:
    """The same run without augmentation."""
    return dataclasses.replace(config, augment="none")
