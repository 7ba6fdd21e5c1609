"""What a finished `location` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [
        f"{summary['images_permuted']:,} wrong labels among {summary['images']:,} of {summary['data']}, augmentation "
        f"{summary['augment']}, training accuracy {summary['train_accuracy']:.3f}"
    ]
    if summary.get("last_minus_best_other") is not None:
        falls = ", ".join(f"{name} {100 * fall:+.1f}" for name, fall in summary["fall_permuted"].items())
        lines.append(
            f"  blocks put back to epoch {summary['rewound_epoch']}, fall on wrong labels in points: {falls}; last "
            f"block - best other {100 * summary['last_minus_best_other']:+.1f}"
        )
    if "neurons_permuted" in summary:
        lines.append(
            f"  neurons to flip an answer, median: {summary['neurons_permuted']:g} with a wrong label, "
            f"{summary['neurons_unpermuted']:g} with a right one"
        )
    if "tied_permuted_before" in summary:
        before, after = summary["tied_permuted_before"], summary["tied_permuted_dropped"]
        lines.append(f"  example-tied dropout: {before:.3f} of wrong labels, {after:.3f} without the tied channels")
    if "latent_layer" in summary:
        lines.append(
            f"  linear probe of {summary['latent_layer']} on test images {summary['latent_accuracy']:.3f}, the "
            f"network's own answers {summary['own_accuracy']:.3f}"
        )
    return lines
