"""What a finished `depth` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [f"{summary['images']:,} images of {summary['data']}, each depth at its best learning rate"]
    for row in summary["rows"]:
        epochs = "no" if row["epochs_to_99"] is None else row["epochs_to_99"]
        tested = "diverged" if row["test_accuracy"] is None else f"test {row['test_accuracy']:.3f}"
        lines.append(
            f"  equal {row['equal']}, norm {row['norm']}, depth {row['depth']}, width {row['width']}: random labels to "
            f"99 % in {epochs} epochs; true labels: {tested}"
        )
    for row in summary["comparisons"]:
        lines.append(
            f"  equal {row['equal']}, norm {row['norm']}: rank correlation of depth and epochs "
            f"{row['spearman_depth_epochs']:+.2f}"
        )
    return lines
