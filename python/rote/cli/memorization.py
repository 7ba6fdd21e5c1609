"""`rote scores memorization [options]`: the experiment of that name; `rote run memorization` is the same."""

from __future__ import annotations

from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Runs it to its end, or goes on with it where it stopped."""
    from rote.cli import run as experiment

    return experiment.run(["memorization", *arguments])
