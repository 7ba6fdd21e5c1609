"""What a finished `easy` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headline(summary: Mapping[str, Any]) -> list[str]:
    """The headline numbers of a finished run, a line each, out of its summary."""
    lines = [
        f"{summary['runs']} networks of each kind, {summary['epochs']} epochs, {summary['images']:,} images of "
        f"{summary['data']}, {summary['examples']:,} of them asked about"
    ]
    lines += [
        f"  {row['kind']:<5} error rate {row['error_rate']:.3f}, variance over examples {row['over_dispersion']:.2f} "
        f"times the binomial's ({row['over_dispersion_low']:.2f} to {row['over_dispersion_high']:.2f}), split-half "
        f"reliability {row['split_half']:.2f}"
        for row in summary["rows"]
    ]
    return lines
