"""A straight line through points; rank correlation is that of the experiments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rote.experiments.statistics import mean_ranks, spearman

__all__ = ["mean_ranks", "slope", "spearman"]


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of the least-squares line.

    Raises:
        ValueError: fewer than two different x.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    centred = x - x.mean()
    spread = float((centred * centred).sum())
    if spread == 0:
        raise ValueError("a slope needs at least two different x")
    return float((centred * (y - y.mean())).sum() / spread)
