"""The table of claims, as its maker hands it over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from rote.report import numbers
from rote.report.embed import prose
from rote.report.layout import section
from rote.report.rows import Row
from rote.report.tables.html import Html, badge, plain, table

STATES = ("holds", "fails", "undecided", "not run")
# What stands small in the cell of another column, where the table has it.
BELOW = {"claim": ("criterion",), "state": ("reason",), "measured": ("interval", "seeds", "scale", "command")}
_FIRST = ("number", "claim", "state", "measured")


def claims(rows: Sequence[Row]) -> str:
    """Claims with their state, those that fail as plainly as the others.

    Args:
        rows: mappings with `number`, `claim`, `state`, `measured` and, below these, `criterion`, `reason`, `interval`,
            `seeds`, `scale`, `command`; further columns follow as they come. None need be there.
    """
    if not rows:
        return ""
    names = [name for name in dict.fromkeys(str(name) for row in rows for name in row) if _filled(rows, name)]
    below = {name for column in names for name in BELOW.get(column, ())}
    shown = [name for name in _FIRST if name in names]
    shown += [name for name in names if name not in below and name not in shown]
    columns = [("#" if name == "number" else name.replace("_", " "), name == "number") for name in shown]
    cells = [[_cell(row, name) for name in shown] for row in rows]
    counted = [(state, sum(_state(row) == state for row in rows)) for state in STATES]
    said = ", ".join(f"{state}: {count}" for state, count in counted if count)
    lead = "One row, one statement that could be refuted, with a criterion fixed before the run."
    lead += f" {said[0].upper()}{said[1:]}." if said else ""
    body = f"<div class='wrapping'>{table(columns, cells, caption='Claims')}</div>"
    return section("claims", "The claims, one by one", lead, body)


def _filled(rows: Sequence[Row], name: str) -> bool:
    return any(row.get(name) not in (None, "") for row in rows)


def _state(row: Row) -> str:
    return str(row.get("state") or "").split(":")[0].strip().lower()


def _cell(row: Row, name: str) -> Html:
    value = row.get(name)
    if name == "state" and value not in (None, ""):
        head = badge(str(value))
    else:
        head = numbers.NONE if value in (None, "") else prose(plain(value))
    return Html(head + "".join(_small(row, part) for part in BELOW.get(name, ())))


def _small(row: Mapping[str, object], name: str) -> str:
    """What belongs to a cell, below it and small; the command folded away."""
    value = row.get(name)
    if value in (None, "", 0, "0"):
        return ""
    if name == "command":
        return f"<details><summary>how it is run</summary><code>{escape(str(value))}</code></details>"
    words = {
        "criterion": f"holds when: {value}",
        "interval": f"95 % interval {value}",
        "seeds": numbers.several(int(value), "seed") if str(value).isdigit() else f"seeds: {value}",
    }
    return f"<small>{prose(words.get(name, str(value)))}</small>"
