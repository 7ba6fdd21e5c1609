"""`invariance`: which layers make the views of an image alike, by operation (arXiv 2210.14019 read as invariance"""

from __future__ import annotations

from rote.experiments.invariance.experiment import InvarianceConfig, invariance

__all__ = ["InvarianceConfig", "invariance"]
