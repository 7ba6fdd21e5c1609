"""What a finished `benign` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    low, high = summary["probe_gain_interval"]
    better = {"init": "initialization", "pixels": "raw pixels"}[summary["probe_gain_baseline"]]
    return [
        f"verdict: {summary['verdict']}" if summary["verdict"] else f"control: {summary['labels']} labels",
        f"  {summary['labels']} labels, augmentation {summary['augment']}, {summary['images']:,} images of "
        f"{summary['data']}, {summary['steps']:,} steps",
        f"  training accuracy: {summary['train_accuracy']:.3f} clean, "
        f"{summary['train_accuracy_fresh_views']:.3f} on fresh views",
        f"  probe on true labels: {summary['probe_accuracy']:.3f} after training, "
        f"{summary['probe_accuracy_init']:.3f} at initialization, {summary['probe_accuracy_raw']:.3f} on raw pixels",
        f"  gain over {better}: {100 * summary['probe_gain']:+.1f} points "
        f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f})",
    ]
