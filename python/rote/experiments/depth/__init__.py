"""`depth`: the depth of a network against how fast it memorizes and how well it generalizes."""

from __future__ import annotations

from rote.experiments.depth.experiment import DepthConfig, depth

__all__ = ["DepthConfig", "depth"]
