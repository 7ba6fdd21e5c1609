"""What a finished `diversity` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [
        f"{summary['labels']} labels, {summary['images']:,} images of {summary['data']}, {summary['steps']:,} steps"
    ]
    lines += [f"  {_row(row['recipe'], row)}" for row in summary["rows"]]
    if summary["spearman_steps_strength"] is not None:
        lines.append(
            f"  rank correlation of strength and steps to 90 %: {summary['spearman_steps_strength']:+.2f}; best probe "
            f"{summary['optimum_probe']:.3f} at strength {summary['optimum_strength']:g}, "
            f"{summary['strongest_probe']:.3f} at the strongest"
        )
    return lines


def _row(name: str, row: Mapping[str, Any]) -> str:
    steps = "never" if row["steps_to_90"] is None else f"after {row['steps_to_90']:,} steps"
    return (
        f"{name}: 90 % of the labels {steps}, distance of views {row['view_distance']:.2f}, "
        f"probe {row['probe_accuracy']:.3f}"
    )
