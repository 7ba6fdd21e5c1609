"""What a finished run says in a few lines of text: each experiment has a `headline.py` of its own."""

from __future__ import annotations

import importlib

from rote.runs import Run


def headline(run: Run) -> list[str]:
    """The headline numbers of a finished run, a line each."""
    own = importlib.import_module(f"rote.experiments.{run.experiment}.headline")
    return own.headline(run.summary)
