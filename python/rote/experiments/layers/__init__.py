"""`layers`: where in the network the signal and the noise sit (arXiv 2210.14019, E3)."""

from __future__ import annotations

from rote.experiments.layers.experiment import LayersConfig, layers

__all__ = ["LayersConfig", "layers"]
