"""What a finished `csr` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [
        f"critical samples among {summary['queries']:,} test inputs, networks trained on {summary['images']:,} images "
        f"of {summary['data']}"
    ]
    names = [key.removeprefix("train_accuracy_") for key in summary if key.startswith("train_accuracy_")]
    for name in names:
        lines.append(
            f"  {name}: training accuracy {summary[f'train_accuracy_{name}']:.3f}, test accuracy "
            f"{summary[f'test_accuracy_{name}']:.3f}, critical sample ratio {summary[f'csr_{name}']:.3f}"
        )
    ratios = [
        f"{summary[key]:.2f} for {kind}"
        for kind in ("randX", "randY")
        if summary.get(key := f"csr_ratio_{kind}") is not None
    ]
    if ratios:
        accuracy = 100 * summary["matched_accuracy"]
        lines.append(f"  ratio to real data at a training accuracy of {accuracy:.0f} %: {', '.join(ratios)}")
    return lines
