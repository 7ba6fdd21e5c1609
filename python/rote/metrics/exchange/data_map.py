"""Data maps of Dataset Cartography (Swayamdipta et al. 2020), as JSON lines.

One line an example with guid, index, confidence, variability, correctness and, where the tool's own code writes it,
threshold_closeness = confidence (1 - confidence) and forgetfulness, in which 1000 stands for an example that was never
right. Here `never_learned` says that, and the count stays a count.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rote.metrics.exchange.errors import ExchangeError
from rote.metrics.exchange.json_lines import checked_guid, guids, lines_of, write_lines

NEVER_LEARNED = 1000


def write_data_map(path: Path | str, scores: dict[str, Any], guid: Sequence[Any] | None = None) -> Path:
    """Writes a data map (`data_map_coordinates.jsonl`) from scores such as `ExampleDynamics.cartography()`.

    Args:
        path: the file.
        scores: columns of N: `confidence`, `variability`, `correctness` (a count), and where they are there
            `forgetfulness` with `never_learned`, which becomes the tool's 1000.
        guid: as `write_cartography`.

    Raises:
        ValueError: a column is missing, columns differ in length, or a number is not finite.
    """
    missing = [name for name in ("confidence", "variability", "correctness") if name not in scores]
    if missing:
        raise ValueError(f"scores must hold the columns confidence, variability, correctness; lacks {missing}")
    columns = {name: np.asarray(value) for name, value in scores.items()}
    lengths = {name: len(value) for name, value in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"scores must be columns of one length; got {lengths}")
    confidence, variability = columns["confidence"].astype(float), columns["variability"].astype(float)
    if not (np.isfinite(confidence).all() and np.isfinite(variability).all()):
        raise ValueError("confidence and variability must be finite, since JSON has no other numbers")
    names = checked_guid(guid, len(confidence))
    rows = []
    for i, name in enumerate(names):
        row = {
            "guid": name,
            "index": i,
            "threshold_closeness": confidence[i] * (1.0 - confidence[i]),
            "confidence": float(confidence[i]),
            "variability": float(variability[i]),
            "correctness": int(columns["correctness"][i]),
        }
        if "forgetfulness" in columns:
            never = "never_learned" in columns and bool(columns["never_learned"][i])
            row["forgetfulness"] = NEVER_LEARNED if never else int(columns["forgetfulness"][i])
        rows.append(row)
    write_lines(Path(path), rows)
    return Path(path)


def read_data_map(path: Path | str) -> dict[str, np.ndarray]:
    """The columns of a data map: guid, confidence, variability, correctness, and where there forgetfulness (0 in the
    place of 1000) with never_learned.

    Raises:
        FileNotFoundError: no such file.
        ExchangeError: a line that is not what it should be.
    """
    path = Path(path)
    columns: dict[str, list[Any]] = {name: [] for name in ("guid", "confidence", "variability", "correctness")}
    forgotten: list[int | None] = []
    for place, line in lines_of(path):
        for name, column in columns.items():
            if name not in line:
                raise ExchangeError(f"{place}: lacks {name!r}")
            if name != "guid" and (isinstance(line[name], bool) or not isinstance(line[name], (int, float))):
                raise ExchangeError(f"{place}: wanted a number as {name}, got {line[name]!r}")
            column.append(line[name])
        count = line.get("forgetfulness")
        if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
            raise ExchangeError(f"{place}: wanted a whole number as forgetfulness, got {count!r}")
        forgotten.append(count)
    if not forgotten:
        raise ExchangeError(f"{path}: holds no example")
    found = {
        "guid": guids(columns["guid"]),
        "confidence": np.array(columns["confidence"], dtype=np.float64),
        "variability": np.array(columns["variability"], dtype=np.float64),
        "correctness": np.array(columns["correctness"]),
    }
    if all(value is not None for value in forgotten):
        counts = np.array(forgotten, dtype=np.int64)
        found["never_learned"] = counts == NEVER_LEARNED
        found["forgetfulness"] = np.where(found["never_learned"], 0, counts)
    return found
