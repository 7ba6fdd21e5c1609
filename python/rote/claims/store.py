"""Stored results: what the table of claims reads of each run, and nothing that belongs to one machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rote.runs import RunMismatch
from rote.runs.folder import CONFIG, SUMMARY, read_json
from rote.runs.whole_files import write_bytes, write_json

KEPT = ("experiment", "identity", "hash", "versions", "num_classes", "classes", "recipe")
PLACES = ("root", "out", "name", "fresh", "keep_checkpoints")
LARGEST_TABLE = 256 * 1024
"""Bytes; larger tables are no small tables."""


def store(folders: Iterable[Path], to: Path) -> list[Path]:
    """Copies config, summary and small CSV tables of finished runs.

    Args:
        folders: run folders; those that are not finished are left out.
        to: the folder; each run gets one of its own in it, named by experiment and hash.

    Returns:
        The folders written.

    Raises:
        ValueError: a run's table is too large to be stored.
        RunMismatch: the place of a run holds files that are no stored run's.
    """
    written = []
    for folder in map(Path, folders):
        if not (folder / SUMMARY).exists():
            continue
        record = read_json(folder / CONFIG)
        # Given names may repeat between folders of runs; hashes do not.
        place = to / (f"{record['experiment']}-{record['hash']}" if "hash" in record else folder.name)
        if place.resolve() != folder.resolve():
            _copy(folder, record, place)
        written.append(place)
    return written


def stored_config(record: dict[str, Any]) -> dict[str, Any]:
    """config.json without the command line, the machine and its paths."""
    kept = {key: record[key] for key in KEPT if key in record}
    kept["config"] = {key: value for key, value in record["config"].items() if key not in PLACES}
    return kept


def _copy(folder: Path, record: dict[str, Any], place: Path) -> None:
    if place.exists():
        if not (place / CONFIG).exists():
            raise RunMismatch(f"{place} holds files that no run wrote; choose another folder to store results in")
        shutil.rmtree(place)
    tables = sorted(folder.glob("*.csv"))
    for table in tables:
        if table.stat().st_size > LARGEST_TABLE:
            raise ValueError(
                f"{table} has {table.stat().st_size:,} bytes; stored tables have at most {LARGEST_TABLE:,}"
            )
    for table in tables:
        write_bytes(place / table.name, table.read_bytes())
    write_json(place / CONFIG, stored_config(record))
    write_json(place / SUMMARY, read_json(folder / SUMMARY))
