"""Tables as the figures take them: rows, whatever holds them, and their means over seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rote.report.estimates import Estimate
from rote.report.records import finite

# Rows (a sequence of mappings), columns (a mapping of sequences of one length), or anything that `dict(...)` makes
# columns of, as it does of a pandas DataFrame.
Table = Any
Row = Mapping[str, Any]


def rows_of(table: Table, *needed: str) -> list[dict[str, Any]]:
    """The rows of a table.

    Args:
        table: a sequence of mappings, one a row, or a mapping of columns of equal length (lists, arrays), such as
            `load_run(folder).table("layers.csv")`.
        *needed: columns that must be there.

    Raises:
        TypeError: `table` is neither.
        ValueError: it has no rows, lacks a column, or its columns differ in length.
    """
    if isinstance(table, (str, bytes)):
        raise TypeError("table must be rows or columns, got text; read a file with load_run(folder).table(name)")
    if not isinstance(table, Sequence):
        table = _rows_of_columns(table)
    if not all(isinstance(row, Mapping) for row in table):
        kinds = sorted({type(row).__name__ for row in table if not isinstance(row, Mapping)})
        raise TypeError(f"table must be rows (mappings) or a mapping of columns, got rows of {', '.join(kinds)}")
    rows = [{str(name): _plain(value) for name, value in row.items()} for row in table]
    if not rows:
        raise ValueError("table must have at least one row, got none")
    present = {name for row in rows for name in row}
    missing = [name for name in needed if name not in present]
    if missing:
        raise ValueError(f"table must have the columns {', '.join(missing)}; it has {', '.join(sorted(present))}")
    return rows


@dataclass(frozen=True)
class Mean:
    """What several seeds measured at one place: the place, and the estimate."""

    at: dict[str, Any]
    estimate: Estimate

    @property
    def mean(self) -> float:
        return self.estimate.mean

    @property
    def interval(self) -> tuple[float, float] | None:
        return self.estimate.interval


def over_seeds(rows: Iterable[Row], by: Sequence[str], value: str | Callable[[Row], Any]) -> list[Mean]:
    """The mean over seeds of one column, for every combination of the columns `by`, in order of appearance.

    Rows whose value is missing are left out. Two rows of one combination must be of different seeds (column
    `seed`, and where there is none `run`): what differs in anything else is no repetition and is never averaged.

    Raises:
        ValueError: two rows of one combination are of the same seed.
    """
    take = value if callable(value) else (lambda row: row.get(value))
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if finite(take(row)) is not None:
            groups.setdefault(tuple(row.get(name) for name in by), []).append(row)
    means = []
    for key, group in groups.items():
        seeds = [row.get("run") if row.get("seed") is None else row["seed"] for row in group]
        if len(set(seeds)) < len(seeds):
            twin = seeds.index(next(seed for seed in seeds if seeds.count(seed) > 1))
            other = seeds.index(seeds[twin], twin + 1)
            names = {**group[twin], **group[other]}
            apart = [name for name in names if group[twin].get(name) != group[other].get(name)] or ["nothing"]
            place = ", ".join(f"{name}={part}" for name, part in zip(by, key, strict=True))
            raise ValueError(
                f"table must have one row a seed at {place}; two are of seed {seeds[twin]} and differ in "
                f"{', '.join(apart)}: pass the rows of one kind, or give every seed's rows a column 'seed'"
            )
        found = tuple(finite(take(row)) for row in group)
        means.append(Mean(dict(zip(by, key, strict=True)), Estimate(found)))
    return means


def numbers(means: Iterable[Mean], value: str, **extra: Any) -> list[dict[str, Any]]:
    """Means as the rows of a table: the place, the mean, the ends of its 95 % interval, the number of seeds."""
    return [
        {
            **extra,
            **mean.at,
            value: mean.mean,
            f"{value}_low": mean.interval[0] if mean.interval else None,
            f"{value}_high": mean.interval[1] if mean.interval else None,
            "seeds": len(mean.estimate.values),
        }
        for mean in means
    ]


def distinct(rows: Iterable[Row], name: str) -> list[Any]:
    """The values of a column in order of appearance, None left out."""
    return [value for value in dict.fromkeys(row.get(name) for row in rows) if value is not None]


def only(rows: Sequence[Row], name: str, wanted: Any) -> list[Row]:
    """The rows of one value of a column; with `wanted=None` all of them, if they agree.

    Raises:
        ValueError: no row has the value, or none was named and there are several.
    """
    there = distinct(rows, name)
    if wanted is None:
        if len(there) > 1:
            raise ValueError(f"table must have one {name}, or {name}= must name one of {', '.join(map(str, there))}")
        return list(rows)
    found = [row for row in rows if row.get(name) == wanted]
    if not found:
        raise ValueError(f"{name} must be one of the table's ({', '.join(map(str, there))}), got {wanted!r}")
    return found


def _rows_of_columns(table: Any) -> list[dict[str, Any]]:
    try:
        columns = {str(name): list(column) for name, column in dict(table).items()}
    except (TypeError, ValueError):
        raise TypeError(f"table must be rows (mappings) or a mapping of columns, got {type(table).__name__}") from None
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"table must have columns of one length, got {lengths}")
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    """numpy scalars as Python's own; nan as None, since a missing number comes as nan in a numpy column."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    return None if isinstance(value, float) and value != value else value
