"""What a finished `capacity` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    if "frontier" in summary:
        return _frontier(summary)
    lines = [f"{summary['images']:,} images of {summary['data']}"]
    for row in summary["rows"]:
        limited = ", budget-limited" if row["budget_limited"] else ""
        lines.append(
            f"  {row['parameters']:>7,} parameters, {row['images']:,} x {row['views']:<4} views, "
            f"{row['label_mode']:<6} labels: {row['accuracy_pool']:.3f} of a pool of {row['pool']:,} at equal "
            f"{row['budget']}, {row['bits_per_parameter']:.2f} of {row['labels_per_parameter_bits']:.2f} bits per "
            f"parameter{limited}"
        )
    return lines


def _frontier(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"the most random labels fitted to 99 %, on images of {summary['data']}"]
    for row in summary["frontier"]:
        limited = [name.replace("_", "-") for name in ("budget_limited", "data_limited") if row[name]]
        lines.append(
            f"  {row['parameters']:>7,} parameters: {row['samples']:,} labels, {row['bits_per_parameter']:.2f} bits "
            f"per parameter{''.join(', ' + name for name in limited)}"
        )
    if summary["slope"] is not None:
        low, high = summary["slope_interval"]
        lines.append(f"  slope in logarithms {summary['slope']:.2f} (95 % interval {low:.2f} to {high:.2f})")
    return lines
