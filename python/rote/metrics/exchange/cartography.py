"""Dataset Cartography (Swayamdipta et al. 2020): training dynamics and data maps as JSON lines.

Dynamics: one file `dynamics_epoch_<k>.jsonl` an epoch in a folder `training_dynamics`, one line an example,

    {"guid": 17, "logits_epoch_0": [-0.47, -0.22, 0.94], "gold": 0}

Data map: one line an example with guid, index, confidence, variability, correctness and, where its own code writes it,
threshold_closeness = confidence (1 - confidence) and forgetfulness, in which 1000 stands for an example that was never
right. Here `never_learned` says that, and the count stays a count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rote.metrics.exchange.dynamics import ExampleDynamics, check_logits
from rote.metrics.exchange.errors import ExchangeError
from rote.runs.whole_files import writing_whole

FOLDER = "training_dynamics"
NEVER_LEARNED = 1000
_FILE = re.compile(r"dynamics_epoch_(\d+)\.jsonl")


@dataclass(frozen=True)
class CartographyDynamics:
    """What a folder of training dynamics holds.

    Attributes:
        guid: [N], int64, or str where a guid is text, in the order of the first file.
        gold: int64 [N], the labels.
        logits: float64 [E, N, C], in the order of the epochs.
    """

    guid: np.ndarray
    gold: np.ndarray
    logits: np.ndarray

    def dynamics(self) -> ExampleDynamics:
        """Loss, margin and probability along training; `example_id` is the position in `guid`."""
        return ExampleDynamics.of_logits(self.logits, self.gold)


def write_cartography(
    folder: Path | str, logits: Any, labels: Any, guid: Sequence[Any] | None = None, *, first_epoch: int = 0
) -> list[Path]:
    """Writes `<folder>/training_dynamics/dynamics_epoch_<k>.jsonl`, one file an epoch.

    Args:
        folder: what the tool calls the model's folder.
        logits: float [E, N, C], finite.
        labels: int [N].
        guid: N integers or texts, each once; None is 0 ... N - 1.
        first_epoch: k of the first file; the tool's own begin at 0.

    Raises:
        ValueError: shapes, labels or guids that do not fit, or numbers that JSON has not.
    """
    logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    check_logits(logits, labels)
    names = _checked_guid(guid, len(labels))
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite, since JSON has no other numbers")
    written = []
    for number, epoch in enumerate(logits, first_epoch):
        key = f"logits_epoch_{number}"
        path = Path(folder) / FOLDER / f"dynamics_epoch_{number}.jsonl"
        _write_lines(
            path,
            ({"guid": n, key: e, "gold": g} for n, e, g in zip(names, epoch.tolist(), labels.tolist(), strict=True)),
        )
        written.append(path)
    return written


def read_cartography(folder: Path | str) -> CartographyDynamics:
    """Reads a folder of training dynamics: the model's folder, or `training_dynamics` itself.

    Raises:
        FileNotFoundError: no such files.
        ExchangeError: a line that is not what it should be; an epoch that is missing, or lacks an example or holds
            another label or number of classes than the first.
    """
    folder = Path(folder)
    inside = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    files = {int(found[1]): path for path in inside.glob("*.jsonl") if (found := _FILE.fullmatch(path.name))}
    if not files:
        raise FileNotFoundError(2, "no dynamics_epoch_<k>.jsonl", str(inside))
    epochs = sorted(files)
    missing = sorted(set(range(epochs[0], epochs[-1] + 1)) - set(epochs))
    if missing:
        raise ExchangeError(f"{inside}: dynamics_epoch_{missing[0]}.jsonl is missing among epochs 0 to {epochs[-1]}")
    first: dict[Any, tuple[int, int]] = {}
    classes: int | None = None
    table: list[np.ndarray] = []
    for epoch in epochs:
        rows: dict[Any, list[float]] = {}
        for place, line in _lines(files[epoch]):
            guid, gold, logits = _dynamics(line, epoch, place)
            classes = len(logits) if classes is None else classes
            if len(logits) != classes:
                raise ExchangeError(f"{place}: wanted {classes} logits as in the first line, got {len(logits)}")
            if not 0 <= gold < classes:
                raise ExchangeError(f"{place}: wanted gold in [0, {classes}), got {gold}")
            if guid in rows:
                raise ExchangeError(f"{place}: guid {guid!r} comes twice")
            if epoch == epochs[0]:
                first[guid] = (len(first), gold)
            elif guid not in first:
                raise ExchangeError(f"{place}: guid {guid!r} is not in dynamics_epoch_{epochs[0]}.jsonl")
            elif first[guid][1] != gold:
                raise ExchangeError(f"{place}: gold of guid {guid!r} was {first[guid][1]}, is {gold}")
            rows[guid] = logits
        if len(rows) < len(first):
            lacking = next(guid for guid in first if guid not in rows)
            raise ExchangeError(f"{files[epoch]}: lacks guid {lacking!r} of dynamics_epoch_{epochs[0]}.jsonl")
        if not rows:
            raise ExchangeError(f"{files[epoch]}: holds no example")
        table.append(np.array([rows[guid] for guid in first], dtype=np.float64))
    return CartographyDynamics(
        _guids(first), np.array([gold for _, gold in first.values()], dtype=np.int64), np.stack(table)
    )


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
    names = _checked_guid(guid, len(confidence))
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
    _write_lines(Path(path), rows)
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
    for place, line in _lines(path):
        for name, column in columns.items():
            if name not in line:
                raise ExchangeError(f"{place}: lacks {name!r}")
            if name != "guid" and (isinstance(line[name], bool) or not isinstance(line[name], (int, float))):
                raise ExchangeError(f"{place}: wanted a number as {name}, got {line[name]!r}")
            column.append(line[name])
        forgotten.append(line.get("forgetfulness"))
    if not forgotten:
        raise ExchangeError(f"{path}: holds no example")
    found = {
        "guid": _guids(columns["guid"]),
        "confidence": np.array(columns["confidence"], dtype=np.float64),
        "variability": np.array(columns["variability"], dtype=np.float64),
        "correctness": np.array(columns["correctness"]),
    }
    if all(value is not None for value in forgotten):
        counts = np.array(forgotten, dtype=np.int64)
        found["never_learned"] = counts == NEVER_LEARNED
        found["forgetfulness"] = np.where(found["never_learned"], 0, counts)
    return found


def _dynamics(line: dict[str, Any], epoch: int, place: str) -> tuple[Any, int, list[float]]:
    key = f"logits_epoch_{epoch}"
    for name in ("guid", key, "gold"):
        if name not in line:
            raise ExchangeError(f"{place}: lacks {name!r}")
    guid, gold, logits = line["guid"], line["gold"], line[key]
    if isinstance(guid, bool) or not isinstance(guid, (int, str)):
        raise ExchangeError(f"{place}: wanted an integer or text as guid, got {guid!r}")
    if isinstance(gold, bool) or not isinstance(gold, int):
        raise ExchangeError(f"{place}: wanted an integer as gold, got {gold!r}")
    numbers = isinstance(logits, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in logits)
    if not numbers or len(logits) < 2:
        raise ExchangeError(f"{place}: wanted two numbers or more as {key}, got {logits!r}")
    return guid, gold, logits


def _checked_guid(guid: Sequence[Any] | None, count: int) -> list[Any]:
    names = list(range(count)) if guid is None else [g.item() if hasattr(g, "item") else g for g in guid]
    if len(names) != count or len(set(names)) != count:
        raise ValueError(
            f"guid must be {count} names, each once; got {len(names)}, {len(set(names))} of them different"
        )
    if not all(isinstance(name, (int, str)) and not isinstance(name, bool) for name in names):
        raise ValueError("guid must be integers or texts")
    return names


def _guids(names: Any) -> np.ndarray:
    names = list(names)
    return np.array(names, dtype=np.int64 if all(isinstance(name, int) for name in names) else object)


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place in words, object) of every line that is not empty."""
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
            except json.JSONDecodeError as error:
                raise ExchangeError(f"{path}, line {number}: not JSON: {error.msg}") from None
            if not isinstance(line, dict):
                raise ExchangeError(f"{path}, line {number}: wanted an object, got {type(line).__name__}")
            yield f"{path}, line {number}", line


def _write_lines(path: Path, rows: Any) -> None:
    with writing_whole(path) as aside, open(aside, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
