"""`size`: the size of a network against its memorization of single examples."""

from __future__ import annotations

from rote.experiments.size.experiment import SizeConfig, size

__all__ = ["SizeConfig", "size"]
