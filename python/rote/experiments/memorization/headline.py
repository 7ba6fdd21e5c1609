"""What a finished `memorization` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rote.metrics.memorization import SINGLE_SCORES_FROM


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    split_half = "unknown" if summary["split_half"] is None else f"{summary['split_half']:.2f}"
    caution = ": no single score is to be quoted" if summary["runs"] < SINGLE_SCORES_FROM else ""
    lines = [
        f"memorization of single examples by {summary['runs']:,} networks on {100 * summary['share']:g} % of "
        f"{summary['images']:,} images of {summary['data']}",
        f"  accuracy {summary['train_accuracy']:.3f} on images trained on, {summary['held_out_accuracy']:.3f} on "
        f"held-out ones, {summary['test_accuracy']:.3f} on test images",
        f"  standard error of a score {summary['standard_error']:.3f}, reliability {split_half}{caution}",
        f"  {summary['influence_pairs']:,} pairs of high influence, {summary['influence_pairs_opposite']:,} as large "
        "with the other sign",
    ]
    if summary["auc"] is not None:
        lines.append(
            f"  {summary['corrupted']:,} wrong labels above right ones: area under the curve {summary['auc']:.3f} "
            f"(95 % interval {summary['auc_low']:.3f} to {summary['auc_high']:.3f})"
        )
    return lines
