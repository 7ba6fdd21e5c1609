"""`ideal`: what augmentations could do (arXiv 2210.14019, E5). The same images under none, under a recipe, and under"""

from __future__ import annotations

from rote.experiments.ideal.experiment import IdealConfig, ideal

__all__ = ["IdealConfig", "ideal"]
