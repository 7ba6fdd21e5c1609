"""Tables with a row an example as arrays: tens of thousands of rows are no rows of dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rote.report.rows import Table, rows_of


def example_columns(table: Table, *needed: str) -> dict[str, np.ndarray]:
    """The columns of a table as arrays; missing numbers are nan.

    Raises:
        TypeError, ValueError: as `rows_of`.
    """
    if isinstance(table, Mapping) and table and all(np.ndim(column) == 1 for column in table.values()):
        columns = {str(name): _plain(np.asarray(column)) for name, column in table.items()}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"table must have columns of one length, got {lengths}")
        if not min(lengths.values()):
            raise ValueError("table must have at least one row, got none")
        missing = [name for name in needed if name not in columns]
        if missing:
            raise ValueError(f"table must have the columns {', '.join(missing)}; it has {', '.join(sorted(columns))}")
        return columns
    rows = rows_of(table, *needed)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: _plain(np.array([row.get(name) for row in rows], dtype=object)) for name in names}


def numeric(columns: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """A column as float64.

    Raises:
        ValueError: it holds no numbers.
    """
    try:
        return columns[name].astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"table must have numbers in {name}, got {columns[name][:1].tolist()}") from None


def flag(columns: Mapping[str, np.ndarray], name: str) -> np.ndarray | None:
    """A column of truth values; None where there is none."""
    return None if name not in columns else columns[name].astype(bool)


def evenly(count: int, most: int) -> np.ndarray:
    """At most so many of 0 ... count - 1, by a fixed order of chance: the same for the same count."""
    if count <= most:
        return np.arange(count)
    # A multiplicative sequence visits every residue once where the step shares no divisor with the count.
    step = int(count * 0.6180339887498949) | 1
    while np.gcd(step, count) != 1:
        step += 2
    return np.sort(np.arange(most, dtype=np.int64) * step % count)


def _plain(column: Any) -> np.ndarray:
    """Objects as numbers or truth values where they are."""
    if column.dtype.kind != "O":
        return column
    present = [value for value in column if value is not None]
    if present and all(isinstance(value, bool) for value in present) and len(present) == len(column):
        return column.astype(bool)
    if all(isinstance(value, (int, float)) for value in present):
        return np.array([np.nan if value is None else value for value in column], dtype=np.float64)
    return column


def nan_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean of what is there; nan where nothing is."""
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis)
    return np.where(there.any(axis), total / np.maximum(there.sum(axis), 1), np.nan)
