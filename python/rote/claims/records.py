"""What the table of claims reads of a run: its config, its summary and its small tables. No arrays, no weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rote.data.cifar10 import CLASSES as CIFAR_CLASSES
from rote.runs import CorruptRunFile, RunIncomplete
from rote.runs.csv_table import read_csv
from rote.runs.folder import CONFIG, SUMMARY, read_json

SEEDS = ("data_seed", "label_seed", "init_seed", "order_seed", "view_seed")


@dataclass(frozen=True)
class RunRecord:
    """One finished run.

    Attributes:
        folder: where it lies.
        experiment: its experiment.
        config: the resolved config.
        summary: summary.json.
        record: all of config.json.
    """

    folder: Path
    experiment: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    record: Mapping[str, Any]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The five seeds, by which the runs of two conditions are paired."""
        return tuple(self.config[seed] for seed in SEEDS)

    @property
    def recipe(self) -> str:
        """The augmentation's name. A recipe at strength 1 is the recipe: both names have one run folder."""
        return str(self.config.get("augment")).removesuffix("@1")

    @property
    def data(self) -> str:
        """The data set's name; a picture folder that holds CIFAR-10's classes is called that."""
        name = str(self.summary.get("data") or self.config.get("data"))
        is_cifar = name == "cifar10" or tuple(self.record.get("classes") or ()) == CIFAR_CLASSES
        return "CIFAR-10" if is_cifar else name

    @cached_property
    def data_fingerprint(self) -> str:
        """The fingerprint of the data's pixels and labels."""
        return str((self.record.get("identity") or {}).get("data") or self.config.get("data"))

    def number(self, name: str) -> float:
        """A number of the summary.

        Raises:
            CorruptRunFile: it is not there; the message names the file and the key.
        """
        value = self.summary.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise CorruptRunFile(f"{self.folder / SUMMARY}: {name} must be a number; got {value!r}")
        return float(value)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of one of the run's CSV tables, numbers as numbers, empty cells as None.

        Raises:
            RunIncomplete: the run has no such table.
            CorruptRunFile: it is no table, or has a row of another length.
        """
        path = self.folder / name
        if not path.exists():
            raise RunIncomplete(f"{self.folder} has no {name}")
        # A table without rows has no columns either: a frontier measures no grid.
        return read_csv(path) if path.read_bytes().strip() else []


def read_records(folders: Iterable[Path]) -> tuple[list[RunRecord], list[Path]]:
    """The finished runs among the given run folders, and the folders of those that are not finished.

    Raises:
        CorruptRunFile: a config.json or summary.json is damaged.
    """
    finished, unfinished = [], []
    for folder in folders:
        if not (folder / SUMMARY).exists():
            unfinished.append(folder)
            continue
        record = read_json(folder / CONFIG)
        try:
            experiment, config = record["experiment"], record["config"]
        except KeyError as missing:
            raise CorruptRunFile(f"{folder / CONFIG} lacks the key {missing}") from None
        absent = [seed for seed in SEEDS if not isinstance(config.get(seed), int)]
        if absent:
            raise CorruptRunFile(f"{folder / CONFIG}: {', '.join(absent)} must be whole numbers")
        finished.append(RunRecord(folder, experiment, config, read_json(folder / SUMMARY), record))
    return finished, unfinished
