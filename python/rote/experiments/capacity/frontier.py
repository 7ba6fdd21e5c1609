"""The capacity frontier: bisection for the most labels that fit, and the slope of capacity against parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rote.statistics import t_quantile

# As long as only one side of the frontier is known, the number of samples moves by this factor.
STEP = 1.3
# Bisection ends when the smallest number that did not fit is at most this much above the largest that did.
TOLERANCE = 0.07


class Bracket(NamedTuple):
    """What is known of a frontier.

    Attributes:
        low: the largest number that fitted below every one that did not; 0 if none did.
        high: the smallest number that did not fit; None if all did.
    """

    low: int
    high: int | None


def bracket(fitted: Mapping[int, bool]) -> Bracket:
    """The frontier after some attempts, {number: whether it fitted}.

    Where a number fits above one that did not, the smallest that did not decides: fitting depends on the course of a
    training, and a frontier should not rest on its luckiest one.
    """
    high = min((number for number, fits in fitted.items() if not fits), default=None)
    return Bracket(max((n for n, fits in fitted.items() if fits and (high is None or n < high)), default=0), high)


def next_number(fitted: Mapping[int, bool], start: int, most: int) -> int | None:
    """The number to try next: geometric steps until the frontier is crossed, then geometric bisection.

    Args:
        fitted: what was tried, {number: whether it fitted}.
        start: the first number to try.
        most: the largest number there can be.

    Returns:
        A number in [1, most] that was not tried, or None when the frontier is known.
    """
    low, high = bracket(fitted)
    if not fitted:
        wanted = start
    elif high is None:
        if low >= most:
            return None
        wanted = max(low + 1, round(low * STEP))
    elif low == 0:
        if high <= 1:
            return None
        wanted = min(high - 1, round(high / STEP))
    else:
        wanted = round(math.sqrt(low * high))
        if high <= low * (1 + TOLERANCE) or wanted in (low, high):
            return None
    return min(max(wanted, 1), most)


class Slope(NamedTuple):
    """A straight line through points in logarithms.

    Attributes:
        slope: of log y against log x.
        low: lower end of its 95 % interval.
        high: upper end.
        intercept: natural logarithm of y at x = 1.
    """

    slope: float
    low: float
    high: float
    intercept: float


def log_log_slope(x: Sequence[float], y: Sequence[float]) -> Slope:
    """Ordinary least squares of log y on log x, with the slope's 95 % t interval.

    slope = Sxy / Sxx; its standard error is sqrt(RSS / (n - 2) / Sxx), and the interval is +- t(0.975, n - 2) of it.
    Points of several seeds are pooled: each is a point of its own, so that the spread between seeds enters RSS.

    Args:
        x: positive numbers [n], not all alike.
        y: positive numbers [n].

    Raises:
        ValueError: fewer than three points, lengths that differ, numbers that are not positive, or equal x.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise ValueError(f"x and y must be [n] with n >= 3; got shapes {list(x.shape)} and {list(y.shape)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x > 0).all() and (y > 0).all()):
        raise ValueError("x and y must be positive and finite: their logarithms are wanted")
    x, y = np.log(x), np.log(y)
    dx, dy = x - x.mean(), y - y.mean()
    sxx = float(dx @ dx)
    if sxx == 0.0:
        raise ValueError("x must hold at least two different numbers")
    slope = float(dx @ dy) / sxx
    residuals = dy - slope * dx
    error = math.sqrt(float(residuals @ residuals) / (len(x) - 2) / sxx)
    half = t_quantile(len(x) - 2) * error
    return Slope(slope, slope - half, slope + half, float(y.mean() - slope * x.mean()))
