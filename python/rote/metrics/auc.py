"""rote/metrics/auc.py: how well a score ranks one kind of examples above another, with an interval.

The area under the ROC curve is P[a positive example scores higher than a negative one], ties counted half (the
Mann-Whitney statistic). Its variance over examples is that of DeLong, DeLong and Clarke-Pearson 1988: with the share
V10 of negatives below each positive, and V01 of positives above each negative, var(V10) / m + var(V01) / n.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

_NORMAL = 1.959963984540054  # the 97.5 % quantile


class AreaUnderCurve(NamedTuple):
    """An area under the ROC curve.

    Attributes:
        value: in [0, 1]; 1/2 is chance.
        standard_error: over examples.
        low, high: ends of the 95 % interval, the normal one cut to [0, 1]. Where the ranking is perfect its width is 0.
        positives, negatives: numbers of examples.
    """

    value: float
    standard_error: float
    low: float
    high: float
    positives: int
    negatives: int


def area_under_curve(scores: np.ndarray, positive: np.ndarray) -> AreaUnderCurve:
    """The area with DeLong's interval. Examples are taken as independent draws: the interval speaks of other examples
    under these networks, not of other networks.

    Args:
        scores: float [N], finite; high ones are to be positive.
        positive: bool [N].

    Raises:
        ValueError: shapes that differ, a score that is not finite, or fewer than two examples of a kind.
    """
    scores, positive = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    if scores.ndim != 1 or scores.shape != positive.shape:
        raise ValueError(f"scores and positive must be [N]; got {list(scores.shape)} and {list(positive.shape)}")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    above, below = scores[positive], scores[~positive]
    if min(len(above), len(below)) < 2:
        raise ValueError(
            f"an area needs at least two examples of either kind; got {len(above)} positive, {len(below)} negative"
        )
    v10, v01 = _shares_below(above, below), 1 - _shares_below(below, above)
    value = float(v10.mean())
    error = math.sqrt(v10.var(ddof=1) / len(above) + v01.var(ddof=1) / len(below))
    low, high = max(0.0, value - _NORMAL * error), min(1.0, value + _NORMAL * error)
    return AreaUnderCurve(value, error, low, high, len(above), len(below))


def _shares_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """float64, for each value the share of the others below it, equal ones counted half."""
    ordered = np.sort(others)
    left, right = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return (left + right) / (2 * len(others))
