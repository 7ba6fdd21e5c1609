"""What a finished `ideal` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    return [
        f"{summary['labels']} labels, {summary['images']:,} images of {summary['data']}, {summary['steps']:,} steps",
        *(f"  {_row(row['condition'], row)}" for row in summary["rows"]),
        f"  same-class (an oracle) - {summary['augment']}: {100 * summary['difference']:+.1f} points",
    ]


def _row(name: str, row: Mapping[str, Any]) -> str:
    steps = "never" if row["steps_to_90"] is None else f"after {row['steps_to_90']:,} steps"
    return (
        f"{name}: 90 % of the labels {steps}, distance of views {row['view_distance']:.2f}, "
        f"probe {row['probe_accuracy']:.3f}"
    )
