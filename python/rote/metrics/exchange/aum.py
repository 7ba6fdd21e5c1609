"""AUM (Pleiss et al. 2020): `aum_values.csv` and `full_aum_records.csv`.

    sample_id,aum                                                                               sorted, largest first
    sample_id,num_measurements,target_logit,target_val,other_logit,other_val,margin,aum         one line an update

target_logit is the label, target_val its logit, other_logit the class of the largest other logit, other_val that logit,
margin their difference and aum the mean of the example's margins so far.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rote.metrics.exchange.dynamics import check_logits
from rote.metrics.exchange.errors import ExchangeError
from rote.runs.whole_files import writing_whole

VALUES, RECORDS = "aum_values.csv", "full_aum_records.csv"
_NUMBERS = ("num_measurements", "target_logit", "target_val", "other_logit", "other_val", "margin", "aum")
_WHOLE = ("num_measurements", "target_logit", "other_logit")
_WHOLE_NAME = re.compile(r"0|-?[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class AumRecords:
    """Every update of every example.

    Attributes:
        sample_id: [N], int64 or text, in order of appearance.
        label: int64 [N], the last target_logit of each.
        margin: float64 [U, N], U the largest number of updates; NaN beyond an example's own.
        other: int64 [U, N], the class of the largest other logit; -1 beyond.
        aum: float64 [N], the mean margin.
    """

    sample_id: np.ndarray
    label: np.ndarray
    margin: np.ndarray
    other: np.ndarray
    aum: np.ndarray


def write_aum(path: Path | str, aum: Any, sample_id: Sequence[Any] | None = None) -> Path:
    """Writes `aum_values.csv`, the largest first.

    Args:
        path: the file, or the folder to write `aum_values.csv` into.
        aum: float [N].
        sample_id: N names, each once; None is 0 ... N - 1.

    Raises:
        ValueError: names that do not fit, or an AUM that is not finite.
    """
    values = np.asarray(aum, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"aum must be finite float [N]; got shape {list(values.shape)}")
    names = _checked_names(sample_id, len(values))
    path = _file(path, VALUES)
    order = np.argsort(-values, kind="stable")
    _write(path, ("sample_id", "aum"), ((names[i], float(values[i])) for i in order))
    return path


def read_aum(path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """(sample_id [N], int64 or text; aum float64 [N]) of `aum_values.csv`, in the order of the file.

    Args:
        path: the file, or the folder that holds it.

    Raises:
        FileNotFoundError: no such file.
        ExchangeError: not such a table, or an example that comes twice.
    """
    path = _file(path, VALUES)
    names, values = [], []
    for place, row in _rows(path, ("sample_id", "aum")):
        names.append(row["sample_id"])
        values.append(_number(row, "aum", place))
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ExchangeError(f"{path}: sample_id {twice!r} comes twice")
    return _ids(names), np.array(values, dtype=np.float64)


def write_aum_records(path: Path | str, logits: Any, labels: Any, sample_id: Sequence[Any] | None = None) -> Path:
    """Writes `full_aum_records.csv`, sorted by example and update.

    Args:
        path: the file, or the folder to write `full_aum_records.csv` into.
        logits: float [E, N, C], one update an epoch; a row of NaN where an example was not updated.
        labels: int [N].
        sample_id: as `write_aum`.

    Raises:
        ValueError: shapes, labels or names that do not fit.
    """
    logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    check_logits(logits, labels)
    names = _checked_names(sample_id, len(labels))
    path = _file(path, RECORDS)

    def rows():
        for i in sorted(range(len(names)), key=lambda i: names[i]):
            label, total, count = int(labels[i]), 0.0, 0
            for scores in logits[:, i]:
                if np.isnan(scores).any():
                    continue
                others = scores.copy()
                others[label] = -np.inf
                other = int(others.argmax())
                margin = float(scores[label] - scores[other])
                total, count = total + margin, count + 1
                own, rival = float(scores[label]), float(scores[other])
                yield (names[i], count, label, own, other, rival, margin, total / count)

    _write(path, ("sample_id", *_NUMBERS), rows())
    return path


def read_aum_records(path: Path | str) -> AumRecords:
    """Reads `full_aum_records.csv`; lines may stand in any order.

    Raises:
        FileNotFoundError: no such file.
        ExchangeError: not such a table, an update of an example that is missing or comes twice, or a margin that is not
            the difference of its logits.
    """
    path = _file(path, RECORDS)
    found: dict[str, dict[int, dict[str, float]]] = {}
    for place, row in _rows(path, ("sample_id", *_NUMBERS)):
        values = {name: _number(row, name, place) for name in _NUMBERS}
        for name in _WHOLE:
            if values[name] != int(values[name]) or values[name] < 0:
                raise ExchangeError(f"{place}: wanted a whole number as {name}, got {row[name]!r}")
        difference = values["target_val"] - values["other_val"]
        if not abs(values["margin"] - difference) <= 1e-4 * max(
            1.0, abs(values["target_val"]), abs(values["other_val"])
        ):
            raise ExchangeError(f"{place}: margin {values['margin']} is not target_val - other_val = {difference}")
        updates = found.setdefault(row["sample_id"], {})
        if int(values["num_measurements"]) in updates:
            raise ExchangeError(f"{place}: update {row['num_measurements']} of {row['sample_id']!r} comes twice")
        updates[int(values["num_measurements"])] = values
    for name, updates in found.items():
        if sorted(updates) != list(range(1, len(updates) + 1)):
            raise ExchangeError(f"{path}: the updates of {name!r} must be 1 to {len(updates)}; got {sorted(updates)}")
    longest = max(map(len, found.values()))
    margin = np.full((longest, len(found)), np.nan)
    other = np.full((longest, len(found)), -1, dtype=np.int64)
    label = np.zeros(len(found), dtype=np.int64)
    for i, updates in enumerate(found.values()):
        for number, values in updates.items():
            margin[number - 1, i], other[number - 1, i] = values["margin"], int(values["other_logit"])
        label[i] = int(updates[len(updates)]["target_logit"])
    return AumRecords(_ids(list(found)), label, margin, other, np.nanmean(margin, 0))


def _file(path: Path | str, name: str) -> Path:
    path = Path(path)
    return path if path.suffix == ".csv" else path / name


def _checked_names(sample_id: Sequence[Any] | None, count: int) -> list[Any]:
    names = list(range(count)) if sample_id is None else [s.item() if hasattr(s, "item") else s for s in sample_id]
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f"sample_id must be {count} names, each once; got {len(names)}, {len(set(names))} different")
    return names


def _ids(names: list[str]) -> np.ndarray:
    # "07" is not 7, which may be another example, and what int64 does not hold is a text.
    whole = all(_WHOLE_NAME.fullmatch(name) for name in names)
    return np.array([int(name) for name in names], dtype=np.int64) if whole else np.array(names, dtype=object)


def _write(path: Path, header: Sequence[str], rows: Any) -> None:
    with writing_whole(path) as aside, open(aside, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def _rows(path: Path, needed: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """(place in words, cells) of every line under the header."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExchangeError(f"{path}: not a CSV table: {error}") from None
    header = lines[0] if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        raise ExchangeError(f"{path}: wanted the columns {', '.join(needed)}; lacks {', '.join(missing)}")
    if len(lines) < 2:
        raise ExchangeError(f"{path}: holds no example")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(header):
            raise ExchangeError(f"{path}, row {number}: wanted {len(header)} cells, got {len(line)}")
        rows.append((f"{path}, row {number}", dict(zip(header, line, strict=True))))
    return rows


def _number(row: dict[str, str], name: str, place: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ExchangeError(f"{place}: wanted a finite number as {name}, got {row[name]!r}")
    return value
