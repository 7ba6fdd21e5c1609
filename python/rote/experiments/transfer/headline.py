"""What a finished `transfer` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [
        f"{summary['networks']} networks pre-trained on random labels of half of {summary['images']:,} images of "
        f"{summary['data']}, training accuracy {summary['pretrain_accuracy']:.3f}",
        f"  misalignment of their first-layer filters: {summary['misalignment']:.2f} "
        f"({summary['misalignment_random_basis']:.2f} with random bases), {summary['misalignment_init']:.2f} at "
        "initialization",
    ]
    for start, epochs in summary["epochs_to_90"].items():
        found = [
            f"{labels} labels to .90 in {'no' if count is None else format(count, '.1f')} epochs"
            for labels, count in epochs.items()
        ]
        if summary["test_accuracy"] is not None:
            found.append(f"test accuracy {summary['test_accuracy'][start]:.3f}")
        lines.append(f"  the other half from {start}: {', '.join(found)}")
    return lines
