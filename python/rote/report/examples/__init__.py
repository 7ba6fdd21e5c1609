"""The page of examples: every training example with its scores, its trajectory and its picture, in one HTML file."""

from __future__ import annotations

from rote.report.examples.page import write_examples_page
from rote.report.examples.suspects import write_suspects_page
from rote.report.examples.table import ExampleTable, Trajectory

__all__ = ["ExampleTable", "Trajectory", "write_examples_page", "write_suspects_page"]
