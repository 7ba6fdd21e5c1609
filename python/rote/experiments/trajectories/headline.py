"""What a finished `trajectories` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [
        f"{summary['networks']} networks of each share of redrawn labels, {summary['images']:,} images of "
        f"{summary['data']}, {summary['epochs']} epochs"
    ]
    for row in summary["rows"]:
        gap = row["fit_gap_at_peak"]
        apart = "" if gap is None else f", fit of clean over wrong labels there {100 * gap:+.1f} points"
        lines.append(
            f"  {row['noise']:g} redrawn: fitted {row['fitted_at_third']:.3f} at a third of the steps and "
            f"{row['fitted_final']:.3f} at the end; test {row['test_selected']:.3f} at the selected epoch "
            f"({row['selected_epoch']:.1f}), {row['test_final']:.3f} at the last{apart}"
        )
    return lines
