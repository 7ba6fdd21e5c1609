"""Is memorization benign? The verdict of a run, with the 95 % interval it rests on.

The gain is the probe on true labels after training minus the better of two baselines: the same network at its
initialization, and raw pixels. Comparing with initialization alone would credit training for what pixels already give.

    not memorized   the network does not fit the labels it was given
    benign          the gain is at least 5 points and its interval lies above 0
    malign          the interval of the gain lies below 5 points
    undecided       neither
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MEMORIZED = 0.99
"""Clean training accuracy from which labels count as memorized."""
MEMORIZED_WITH_VIEWS = 0.95
"""Accuracy on fresh views from which labels count as memorized with their views."""
BENIGN_GAIN = 0.05
"""Gain from which memorization counts as benign."""

BENIGN = "benign"
MALIGN = "malign"
UNDECIDED = "undecided"
NOT_MEMORIZED = "not memorized"
VERDICTS = (BENIGN, MALIGN, UNDECIDED, NOT_MEMORIZED)

# Two-sided 95 %.
_NORMAL_QUANTILE = 1.959963984540054
# Gains are ratios of counts; 5 points must not be missed by the last bit of a float.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Gain:
    """A probe gain with its 95 % interval.

    Attributes:
        value: probe minus the better baseline, in [-1, 1].
        low: lower end of the interval.
        high: upper end of the interval.
        baseline: "init" or "pixels", whichever was better.
    """

    value: float
    low: float
    high: float
    baseline: str


def verdict(gain: Gain, *, memorized: bool) -> str:
    """One of `VERDICTS`."""
    if not memorized:
        return NOT_MEMORIZED
    if gain.value >= BENIGN_GAIN - _ROUNDING and gain.low > 0.0:
        return BENIGN
    if gain.high < BENIGN_GAIN:
        return MALIGN
    return UNDECIDED


def is_memorized(clean_accuracy: float) -> bool:
    """Whether labels are memorized at this clean training accuracy."""
    return clean_accuracy >= MEMORIZED - _ROUNDING


def gain_of_run(final: Sequence[bool], initial: Sequence[bool], pixels: Sequence[bool]) -> Gain:
    """The gain of one run, from which queries each probe answered rightly.

    The interval treats the queries as the sample: another test set of this size would give another gain. It says
    nothing about another seed. Both paired intervals are made and the lower ends and the upper ends combined by their
    minimum, since the gain over the better baseline is the smaller of the two gains.

    Args:
        final: bool [Q], correct after training.
        initial: bool [Q], correct at initialization, the same queries.
        pixels: bool [Q], correct on raw pixels, the same queries.

    Raises:
        ValueError: the lengths differ or there are no queries.
    """
    over_initial = paired_interval(final, initial)
    over_pixels = paired_interval(final, pixels)
    gains = [float(np.mean(final) - np.mean(baseline)) for baseline in (initial, pixels)]
    return Gain(
        value=min(gains),
        low=min(over_initial[0], over_pixels[0]),
        high=min(over_initial[1], over_pixels[1]),
        baseline="init" if gains[0] < gains[1] else "pixels",
    )


def paired_interval(after: Sequence[bool], before: Sequence[bool]) -> tuple[float, float]:
    """95 % interval of the difference of two accuracies measured on the same queries.

    Agresti and Min's adjusted interval for matched pairs (Statistics in Medicine 24, 2005): half a query is added to
    each of the four cells of the paired table, then the normal interval is taken. It keeps its coverage where few
    answers changed, where the plain normal interval shrinks to nothing.

    Args:
        after: bool [Q].
        before: bool [Q], the same queries.

    Returns:
        (low, high) of mean(after) - mean(before), inside [-1, 1].

    Raises:
        ValueError: the lengths differ or there are no queries.
    """
    after, before = np.asarray(after, dtype=bool), np.asarray(before, dtype=bool)
    if after.shape != before.shape or after.ndim != 1 or after.size == 0:
        raise ValueError(
            "after and before must hold the same queries, bool [Q] with Q > 0; got shapes "
            f"{list(after.shape)} and {list(before.shape)}"
        )
    n = after.size + 2.0
    gained = np.count_nonzero(after & ~before) + 0.5
    lost = np.count_nonzero(before & ~after) + 0.5
    difference = (gained - lost) / n
    half = _NORMAL_QUANTILE * math.sqrt((gained + lost) / n - difference**2) / math.sqrt(n)
    return max(-1.0, difference - half), min(1.0, difference + half)
