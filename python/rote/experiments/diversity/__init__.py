"""`diversity`: memorization and features against how different the views of an image are (arXiv 2210.14019, E6)."""

from __future__ import annotations

from rote.experiments.diversity.experiment import DiversityConfig, diversity

__all__ = ["DiversityConfig", "diversity"]
