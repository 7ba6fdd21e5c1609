"""Rank correlation and a straight line, in a few lines each: SciPy is no dependency of Rote."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation, ties at their mean rank; infinities are ranks like all others.

    Raises:
        ValueError: fewer than two pairs, unequal lengths, or a NaN.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1 or x.size < 2 or np.isnan(x).any() or np.isnan(y).any():
        raise ValueError(f"spearman needs at least two pairs of numbers; got {list(x.shape)} and {list(y.shape)}")
    a, b = mean_ranks(x), mean_ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float((a * a).sum() * (b * b).sum()))
    # Where one of them is constant nothing is ordered, and no order is shown.
    return float((a * b).sum() / scale) if scale else 0.0


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 on, equal values at the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    return (last - (counts - 1) / 2)[inverse]


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
