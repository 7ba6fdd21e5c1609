"""What a finished `size` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NOISY = {"inputs": "inputs", "labels": "labels", "removed": "examples removed"}


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    if summary.get("study") == "convergence":
        return _convergence(summary)
    if summary.get("study") == "noise":
        return _noise_capacity(summary)
    lines = [
        f"memorization of single examples, {summary['images']:,} images of {summary['data']}, "
        f"{100 * summary['noise']:.0f} % of their labels redrawn"
    ]
    for row in summary["rows"]:
        apart = [
            f"{row[key]:.2f} of {name}"
            for key, name in (("memorization_corrupted", "wrong labels"), ("memorization_clean", "right ones"))
            if row[key] is not None
        ]
        lines.append(
            f"  width {row['width']:>3}, {row['parameters']:>7,} parameters: mean score {row['memorization_mean']:.3f} "
            f"({', '.join(apart)}), accuracy {row['train_accuracy']:.3f} on the half trained on and "
            f"{row['held_out_accuracy']:.3f} on the other, reliability {row['split_half']:.2f}"
        )
    return lines


def _convergence(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"epochs to 100 % of {summary['images']:,} images of {summary['data']}, at most {summary['cap']:,}"]
    for row in summary["rows"]:
        over = " (a lower bound)" if row["censored"] else ""
        ratio = "" if row["ratio"] is None or row["kind"] == "clean" else f", {row['ratio']:.2f} times real data"
        lines.append(
            f"  width {row['width']:>3}, {row['images']:>6,} images, {_condition(row)}: "
            f"{row['epochs']:.1f}{over}{ratio}"
        )
    for order in summary["orders"]:
        if order["spearman"] is not None:
            lines.append(f"  ratio against {order['sweep']}, {_condition(order)}: Spearman {order['spearman']:+.2f}")
    return lines


def _condition(row: Mapping[str, Any]) -> str:
    return "real data" if row["kind"] == "clean" else f"{100 * row['level']:g} % noisy {_NOISY[row['kind']]}"


def _noise_capacity(summary: Mapping[str, Any]) -> list[str]:
    lines = [f"best width, {summary['images']:,} images of {summary['data']}, within {100 * summary['tie']:g} points"]
    for row in summary["best"]:
        lines.append(
            f"  {_condition(row)}: {row['best_width']}, accuracy {row['validation_accuracy']:.3f} on validation and "
            f"{row['test_accuracy']:.3f} on test images"
        )
    return lines
