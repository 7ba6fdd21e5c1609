"""`benign`: does a network that memorizes random labels learn good features? (arXiv 2210.14019, E1 and E2)"""

from __future__ import annotations

from rote.experiments.benign.experiment import BenignConfig, benign

__all__ = ["BenignConfig", "benign"]
