"""What is said of a few seeds or settings: t intervals, rank correlation, slopes. (SciPy is no dependency of Rote.)"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % t interval of the mean of independent values.

    Raises:
        ValueError: fewer than two values.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.size < 2:
        raise ValueError(f"an interval over seeds needs at least two runs; got {values.size}")
    half = t_quantile(values.size - 1) * values.std(ddof=1) / math.sqrt(values.size)
    return float(values.mean() - half), float(values.mean() + half)


def t_quantile(degrees: int) -> float:
    """The 97.5 % quantile of Student's t distribution with `degrees` >= 1 degrees of freedom.

    Found by bisection on the distribution function, whose closed form for whole degrees of freedom is in Abramowitz
    and Stegun, 26.7.3 and 26.7.4.
    """
    if degrees < 1:
        raise ValueError(f"degrees must be at least 1; got {degrees}")
    low, high = 0.0, 16.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _central_probability(middle, degrees) < 0.95 else (low, middle)
    return 0.5 * (low + high)


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation, ties at their mean rank; infinities are ranks like all others.

    Returns:
        A number in [-1, 1]; 0 where one of them is constant: nothing is ordered, and no order is shown.

    Raises:
        ValueError: fewer than two pairs, unequal lengths, or a NaN.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1 or x.size < 2 or np.isnan(x).any() or np.isnan(y).any():
        raise ValueError(f"spearman needs at least two pairs of numbers; got {list(x.shape)} and {list(y.shape)}")
    a, b = mean_ranks(x), mean_ranks(y)
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale else 0.0


def kendall(x: Sequence[float], y: Sequence[float]) -> float:
    """Kendall's tau-b, the rank correlation by pairs; infinities are ranks like all others.

    Returns:
        (concordant - discordant pairs) / sqrt(pairs not tied in x * pairs not tied in y), in [-1, 1]; 0 where one of
        them is constant.

    Raises:
        ValueError: fewer than two pairs, unequal lengths, or a NaN.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1 or x.size < 2 or np.isnan(x).any() or np.isnan(y).any():
        raise ValueError(f"kendall needs at least two pairs of numbers; got {list(x.shape)} and {list(y.shape)}")
    # Ranks first: inf - inf is no order.
    a, b = (np.sign(ranks[:, None] - ranks[None, :]) for ranks in (mean_ranks(x), mean_ranks(y)))
    scale = math.sqrt(float((a * a).sum() * (b * b).sum()))
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


def _central_probability(t: float, degrees: int) -> float:
    """P(|T| < t) for Student's t distribution."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    if degrees % 2:
        term, total = cosine, 0.0
        for factor in range(3, degrees + 1, 2):
            total += term
            term *= cosine * cosine * (factor - 1) / factor
        return 2.0 / math.pi * (angle + sine * total)
    term, total = 1.0, 0.0
    for factor in range(2, degrees + 1, 2):
        total += term
        term *= cosine * cosine * (factor - 1) / factor
    return sine * total
