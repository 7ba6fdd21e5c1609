"""The table of claims, as its maker hands it over."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import numbers
from rote.report.layout import section
from rote.report.rows import Row
from rote.report.tables.html import Html, badge, plain, table

STATES = ("holds", "fails", "undecided", "not run")


def claims(rows: Sequence[Row]) -> str:
    """Claims with their state; columns as they come, a state as a badge, those that fail as plainly as the others."""
    if not rows:
        return ""
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    names.sort(key=lambda name: {"number": 0, "#": 0, "claim": 1, "state": 2}.get(name, 3))  # otherwise as they come
    names = [name for name in names if any(row.get(name) not in (None, "") for row in rows)]
    columns = [(name.replace("_", " "), _numeric(rows, name)) for name in names]
    cells = [[_cell(row.get(name), name) for name in names] for row in rows]
    counted = [(state, sum(_state(row) == state for row in rows)) for state in STATES]
    said = ", ".join(f"{state}: {count}" for state, count in counted if count)
    lead = "One row, one statement that could be refuted, with a criterion fixed before the run."
    lead += f" {said[0].upper()}{said[1:]}." if said else ""
    return section(
        "claims",
        "The claims, one by one",
        lead,
        f"<div class='wrapping'>{table(columns, cells, caption='Claims')}</div>",
    )


def _state(row: Row) -> str:
    return str(row.get("state") or "").split(":")[0].split("(")[0].strip().lower()


def _cell(value: object, name: str) -> object:
    if value in (None, ""):
        return numbers.NONE
    if name == "state":
        return Html(badge(str(value)))
    return plain(value)


def _numeric(rows: Sequence[Row], name: str) -> bool:
    values = [row.get(name) for row in rows if row.get(name) not in (None, "")]
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
