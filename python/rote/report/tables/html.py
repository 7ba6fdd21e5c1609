"""Tables as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from rote.report import numbers

Column = tuple[str, bool]  # heading, whether its cells are numbers (aligned to the right)


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]], *, caption: str = "") -> str:
    """An HTML table in a frame of its own that scrolls sideways where the screen is narrow."""
    head = "".join(f'<th scope="col"{_number(right)}>{escape(name)}</th>' for name, right in columns)
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, right, first=i == 0) for i, (value, (_, right)) in enumerate(zip(row, columns, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}">'
        f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def badge(verdict: str) -> str:
    """A verdict, or the state of a claim, as a coloured word."""
    if not verdict:
        return numbers.NONE
    kind = {"benign": "good", "holds": "good", "malign": "bad", "fails": "bad"}.get(verdict, "open")
    return f'<span class="badge {kind}">{escape(verdict)}</span>'


class Html(str):
    """Text that is HTML already and must not be escaped again."""


def _number(right: bool) -> str:
    return ' class="n"' if right else ""


def _cell(value: object, right: bool, *, first: bool) -> str:
    content = value if isinstance(value, Html) else escape(str(value))
    return f'<th scope="row"{_number(right)}>{content}</th>' if first else f"<td{_number(right)}>{content}</td>"


def plain(value: Any) -> str:
    """A value of a config or a summary in words."""
    if isinstance(value, Mapping):
        items = {key: plain(item) for key, item in value.items()}
        return ", ".join(f"{key} {text}" for key, text in items.items() if text)
    if isinstance(value, (list, tuple)):
        return ("; " if any(isinstance(item, Mapping) for item in value) else ", ").join(map(plain, value))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
