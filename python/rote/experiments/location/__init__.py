"""`location`: where in a network memorization sits (arXiv 2105.14602, 2307.09542, 2603.19865)."""

from __future__ import annotations

from rote.experiments.location.experiment import LocationConfig, location

__all__ = ["LocationConfig", "location"]
