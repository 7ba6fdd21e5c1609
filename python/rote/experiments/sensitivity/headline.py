"""What a finished `sensitivity` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [f"loss-sensitivity through training, {summary['images']:,} images of {summary['data']}"]
    for labels, name in (("classes", "the classes of the data"), ("exemplar", "a class for every image")):
        found = [
            f"{summary[key]:.3f} on {inputs} inputs"
            for inputs in ("real", "random")
            if summary.get(key := f"gini_{inputs}_{labels}") is not None
        ]
        if found:
            lines.append(f"  Gini coefficient with {name}: {', '.join(found)}")
    ratios = [
        f"{summary[key]:.2f} on {inputs} inputs"
        for inputs in ("real", "random")
        if summary.get(key := f"class_ratio_{inputs}") is not None
    ]
    if ratios:
        lines.append(f"  sensitivity to the own class over that to others: {', '.join(ratios)}")
    return lines
