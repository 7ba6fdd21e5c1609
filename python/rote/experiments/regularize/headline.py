"""What a finished `regularize` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    none = summary["rows"][0]
    lines = [
        f"regularizers on {summary['images']:,} images of {summary['data']}, {summary['epochs']:,} epochs; without: "
        f"{none['random_train_accuracy']:.3f} of random labels known, test accuracy {none['test_selected']:.3f} on "
        "true ones"
    ]
    for fall in summary["falls"]:
        lines.append(
            f"  {fall['technique']}: {100 * fall['fall']:.1f} points less of random labels at strength "
            f"{fall['strength']:.2g}, for {100 * fall['cost']:.1f} points of test accuracy"
        )
    return lines
