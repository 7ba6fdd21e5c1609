"""Training dynamics of Dataset Cartography (Swayamdipta et al. 2020), as JSON lines.

One file `dynamics_epoch_<k>.jsonl` an epoch in a folder `training_dynamics`, one line an example,

    {"guid": 17, "logits_epoch_0": [-0.47, -0.22, 0.94], "gold": 0}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rote.metrics.exchange.dynamics import ExampleDynamics, check_logits
from rote.metrics.exchange.errors import ExchangeError
from rote.metrics.exchange.json_lines import checked_guid, guids, lines_of, write_lines

FOLDER = "training_dynamics"
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
    names = checked_guid(guid, len(labels))
    if not np.isfinite(logits).all():
        raise ValueError("logits must be finite, since JSON has no other numbers")
    written = []
    for number, epoch in enumerate(logits, first_epoch):
        key = f"logits_epoch_{number}"
        path = Path(folder) / FOLDER / f"dynamics_epoch_{number}.jsonl"
        write_lines(
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
        for place, line in lines_of(files[epoch]):
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
        guids(first), np.array([gold for _, gold in first.values()], dtype=np.int64), np.stack(table)
    )


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
