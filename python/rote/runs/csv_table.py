"""CSV tables of a run folder, read back with the types they were written from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rote.runs.errors import CorruptRunFile


def read_csv(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV table as dicts; an empty cell is None, numbers and truth values are such again.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptRunFile: it is not a CSV table: not text, without a header, or with a row of another length.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptRunFile(f"{path} is not a CSV table: {error}") from None
    if not lines:
        raise CorruptRunFile(f"{path} is not a CSV table: it has no header")
    header, *body = lines
    for number, line in enumerate(body, 2):
        if len(line) != len(header):
            raise CorruptRunFile(f"{path}, row {number}: must have {len(header)} cells, has {len(line)}")
    return [{name: cell(text) for name, text in zip(header, line, strict=True)} for line in body]


def columns(rows: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Rows as numpy columns: int64, float64 (a missing number is nan), bool, else objects (a missing one is None)."""
    return {name: _column([row.get(name) for row in rows]) for name in (rows[0] if rows else ())}


def cell(text: str) -> Any:
    """A CSV cell as the value it stands for."""
    if text == "":
        return None
    if text in ("True", "False"):  # as they are written; "true" is a kind of labels
        return text == "True"
    try:
        number = float(text)
    except ValueError:
        return text
    return int(text) if text.lstrip("+-").isdigit() else number


def _column(values: list[Any]) -> np.ndarray:
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {int} and len(present) == len(values) and all(-(2**63) <= value < 2**63 for value in values):
        return np.array(values, dtype=np.int64)
    if present and kinds <= {int, float}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if kinds == {bool} and len(present) == len(values):
        return np.array(values, dtype=bool)
    return np.array(values, dtype=object)
