"""The plan of a sweep: every run with its settings, its seed and its folder, before anything starts."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rote import data
from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.suite.planned import seeded
from rote.runs import RunMismatch
from rote.runs.folder import SUMMARY, read_json
from rote.runs.whole_files import plain, write_json, write_parquet

PLAN = "plan.parquet"
SWEEP = "sweep.json"
# Fields that a grid has no business with: seeds have their own option, the others say where and how.
_NOT_IN_A_GRID = frozenset({"seed", "out", "name", "fresh", "root", "keep_checkpoints"})


@dataclass(frozen=True)
class SweepRun:
    """One run of a sweep.

    Attributes:
        run_id: its place in the plan, from 0 on.
        seed: of the run.
        values: its values of the grid, by field.
        config: all of its options.
        folder: its run folder.
        config_hash: of its identity, twelve hex digits.
    """

    run_id: int
    seed: int
    values: Mapping[str, Any]
    config: ExperimentConfig
    folder: Path
    config_hash: str

    @property
    def finished(self) -> bool:
        """Whether its folder holds it, complete."""
        if not (self.folder / SUMMARY).exists():
            return False
        return read_json(self.folder / SUMMARY).get("epochs") == self.config.epochs

    @property
    def words(self) -> str:
        """Its settings in a few words."""
        return ", ".join([*(f"{name}={_word(value)}" for name, value in self.values.items()), f"seed {self.seed}"])


@dataclass(frozen=True)
class SweepPlan:
    """All runs of a sweep.

    Attributes:
        experiment: its name.
        grid: values of every field that is varied.
        seeds: number of seeds.
        folder: where plan, records and tables go.
        runs: combination after combination, each with all of its seeds.
        default: the options in common.
    """

    experiment: str
    grid: Mapping[str, Sequence[Any]]
    seeds: int
    folder: Path
    runs: tuple[SweepRun, ...]
    default: ExperimentConfig

    @property
    def combinations(self) -> list[tuple[SweepRun, ...]]:
        """The runs that differ in their seed alone."""
        return [self.runs[first : first + self.seeds] for first in range(0, len(self.runs), self.seeds)]

    def write(self) -> None:
        """Writes plan.parquet and sweep.json.

        Raises:
            RunMismatch: the folder holds another sweep.
        """
        about = {
            "experiment": self.experiment,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "seeds": self.seeds,
            "config": self.default.as_dict(),
            "config_hashes": [run.config_hash for run in self.runs],
        }
        path = self.folder / SWEEP
        if path.exists() and read_json(path).get("config_hashes") != about["config_hashes"]:
            raise RunMismatch(f"{self.folder} holds another sweep; choose another --out")
        write_json(path, about)
        write_parquet(
            self.folder / PLAN,
            {
                "run_id": [run.run_id for run in self.runs],
                "seed": [run.seed for run in self.runs],
                "config_hash": [run.config_hash for run in self.runs],
                "folder": [str(run.folder) for run in self.runs],
                "values": [json.dumps(plain(run.values), sort_keys=True) for run in self.runs],
            },
        )


def sweep_plan(
    default: ExperimentConfig,
    grid: Mapping[str, Sequence[Any]],
    seeds: int = 1,
    *,
    bank: ImageBank | None = None,
) -> SweepPlan:
    """Plans a sweep; nothing is written.

    Args:
        default: the options in common; its seed is the first one.
        grid: field -> values. All combinations are run, the last field varying fastest.
        seeds: number of seeds of each.
        bank: the data, where it is loaded already.

    Raises:
        ValueError: a field that the experiment does not have or that a grid cannot vary, a value twice, options that
            do not fit the data or the network, or two combinations that are one run.
    """
    fields = {field.name for field in dataclasses.fields(default)}
    for name, values in grid.items():
        if name not in fields:
            raise ValueError(f"--grid {name}: {default.name_of_experiment} has no such option")
        if name in _NOT_IN_A_GRID:
            raise ValueError(f"--grid {name}: cannot be varied by a grid{'; give --seeds' if name == 'seed' else ''}")
        if not values or len(set(values)) < len(values):
            raise ValueError(f"--grid {name} must be distinct values, at least one; got {tuple(values)}")
    if default.name is not None:
        raise ValueError(f"--name is for one run; a sweep names folders by their config, got {default.name!r}")
    if default.fresh:
        raise ValueError("--fresh is for one run; a sweep goes on with what is there: remove the folders to start over")
    if seeds < 1:
        raise ValueError(f"--seeds must be at least 1; got {seeds}")
    banks: dict[tuple, ImageBank] = {}
    runs: list[SweepRun] = []
    for combination in itertools.product(*grid.values()):
        values = dict(zip(grid, combination, strict=True))
        config = dataclasses.replace(default, **values)
        for number in range(seeds):
            own = seeded(config, number)
            start = launch(own, model=None, data=_bank(own, bank, banks), taps=None, fields={})
            identity = start.place.identity
            runs.append(SweepRun(len(runs), own.seed, values, own, start.place.path, identity.hash))
    twice = [run for run in runs if [other.folder for other in runs].count(run.folder) > 1]
    if twice:
        raise ValueError(f"--grid makes one run of several combinations: {'; '.join(run.words for run in twice[:4])}")
    return SweepPlan(default.name_of_experiment, dict(grid), seeds, _folder(default, runs), tuple(runs), default)


def plan_of(folder: Path) -> list[dict[str, Any]]:
    """The rows of a sweep folder's plan.parquet: run_id, seed, config_hash, folder, values (a dict)."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(Path(folder) / PLAN).to_pylist()
    return [{**row, "values": json.loads(row["values"])} for row in rows]


def _bank(config: ExperimentConfig, given: ImageBank | None, loaded: dict[tuple, ImageBank]) -> ImageBank:
    if given is not None:
        return given
    key = (config.data, config.root, config.size, config.decoder)
    if key not in loaded:
        loaded[key] = data.load(config.data, config.root, size=config.size, decoder=config.decoder)
    return loaded[key]


def _folder(default: ExperimentConfig, runs: Sequence[SweepRun]) -> Path:
    """`<out>/sweep-<experiment>-<hash of its runs>`, so that the same command finds it again."""
    joined = "\n".join(run.config_hash for run in runs)
    name = f"sweep-{default.name_of_experiment}-{hashlib.sha256(joined.encode()).hexdigest()[:12]}"
    return Path(default.out) / name


def _word(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
