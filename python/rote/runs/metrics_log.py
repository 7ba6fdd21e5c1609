"""metrics.jsonl: one line a measurement, appended as it happens, and its reader.

A line is `{"step", "epoch", "split", "metric", "layer", "value", ...}`; extra keys say how the value was measured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from rote.runs.errors import CorruptRunFile
from rote.runs.whole_files import plain, write_bytes

KEYS = ("step", "epoch", "split", "metric", "layer", "value")


class Measurements(list):
    """The lines of a metrics.jsonl, a list of dicts in the order they were measured."""

    def select(self, **wanted: Any) -> Measurements:
        """The measurements whose keys have the given values, e.g. `select(metric="loss", split="train")`."""
        return Measurements(m for m in self if all(m.get(key) == value for key, value in wanted.items()))

    def column(self, key: str) -> np.ndarray:
        """One key of all measurements as an array; measurements that lack it give None (an object array)."""
        return np.array([m.get(key) for m in self])

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """All keys as arrays, as a data frame takes them."""
        return {key: self.column(key) for key in dict.fromkeys(key for m in self for key in m)}


class MetricsLog:
    """Appends measurements to a metrics.jsonl, and takes back those a resumed run will make again."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def append(self, measurements: Iterable[dict[str, Any]]) -> None:
        """Appends whole lines in one write.

        Raises:
            ValueError: a measurement lacks one of the six keys.
            OSError: the disk is full or the folder read-only. The line that was cut off is taken back, so that the
                file holds what it held before.
        """
        lines = []
        for measurement in measurements:
            missing = [key for key in KEYS if key not in measurement]
            if missing:
                raise ValueError(f"a measurement needs the keys {', '.join(KEYS)}; {missing} missing in {measurement}")
            lines.append(json.dumps(plain(measurement), ensure_ascii=False, allow_nan=False))
        content = "".join(line + "\n" for line in lines).encode()
        with open(self.path, "ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                written = 0
                while written < len(content):
                    written += file.write(content[written:])
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), before)
                raise

    def keep(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Drops the measurements for which `wanted` is false, and a torn last line."""
        if not self.path.exists():
            return
        kept = [m for m in read_measurements(self.path) if wanted(m)]
        write_bytes(self.path, "".join(json.dumps(m, ensure_ascii=False) + "\n" for m in kept).encode())

    def read(self) -> Measurements:
        """All measurements so far; empty before the first."""
        return read_measurements(self.path) if self.path.exists() else Measurements()


def read_measurements(path: Path) -> Measurements:
    """Reads a metrics.jsonl, whose last line may be torn (a process killed while it wrote).

    Raises:
        CorruptRunFile: any other line is not a measurement.
    """
    lines = Path(path).read_bytes().split(b"\n")
    measurements = Measurements()
    for number, line in enumerate(lines, start=1):
        try:
            measurement = json.loads(line)
            if not isinstance(measurement, dict):
                raise ValueError("not an object")
        except ValueError as error:
            # What follows the last newline was not finished; that much may be lost without harm.
            if number == len(lines):
                break
            raise CorruptRunFile(f"{path}, line {number} is not a measurement: {error}") from None
        measurements.append(measurement)
    return measurements
