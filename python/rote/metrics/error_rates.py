"""rote/metrics/error_rates.py: how often single examples are got wrong over many networks, against pure chance.

Were all examples equally hard, the number of R independent networks that get an example wrong would be binomial with
the common probability p, and error rates would have the variance p (1 - p) / R over examples. Examples that are easier
or harder than others spread them further (arXiv 1706.05394, section 3.1, compares the sorted rates; the ratio of the
variances is ours). With rho the correlation of two networks' errors over examples the ratio is 1 + (R - 1) rho.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rote.statistics import t_quantile


class OverDispersion(NamedTuple):
    """The spread of error rates over that of equally hard examples.

    Attributes:
        ratio: variance over examples of the rate / (p (1 - p) / R); 1 where all examples are equally hard. NaN where
            every network is right about everything, or wrong.
        low, high: 95 % interval over the networks, by the jackknife.
    """

    ratio: float
    low: float
    high: float


def over_dispersion(wrong: np.ndarray) -> OverDispersion:
    """Over-dispersion of error rates, with its interval.

    The jackknife leaves out one network at a time; ratios of R - 1 networks are brought to R by their correlation rho,
    (ratio - 1) / (R - 2).

    Args:
        wrong: bool [R, N], whether network r is wrong about example i; R at least 3, N at least 2.

    Raises:
        ValueError: fewer networks or examples.
    """
    wrong = np.asarray(wrong, dtype=bool)
    if wrong.ndim != 2 or wrong.shape[0] < 3 or wrong.shape[1] < 2:
        raise ValueError(f"wrong must be bool [R, N] with R >= 3 and N >= 2; got shape {list(wrong.shape)}")
    runs = len(wrong)
    total = wrong.sum(0, dtype=np.float64)
    ratio = float(_ratio(total[None] / runs, runs)[0])
    fewer = (total - wrong) / (runs - 1)  # [R, N], the rates without each of the networks
    without = 1 + (runs - 1) * (_ratio(fewer, runs - 1) - 1) / (runs - 2)
    error = math.sqrt((runs - 1) / runs * float(((without - without.mean()) ** 2).sum()))
    half = t_quantile(runs - 1) * error
    return OverDispersion(ratio, ratio - half, ratio + half)


def over_dispersion_within(wrong: np.ndarray, groups: np.ndarray) -> float:
    """The spread of error rates within groups, over that of examples equally hard within their group.

    With examples grouped by label, classes that networks prefer do not count: sums over groups of the squared
    deviations from the group's rate, over those of (n - 1) p (1 - p) / R with the group's n and p.

    Args:
        wrong: bool [R, N].
        groups: int [N].

    Returns:
        The ratio, 1 where all examples of a group are equally hard; NaN where no group has both errors and right
        answers.
    """
    rates, groups = np.asarray(wrong).mean(0), np.asarray(groups)
    found = expected = 0.0
    for group in np.unique(groups):
        own = rates[groups == group]
        p = float(own.mean())
        found += float(((own - p) ** 2).sum())
        expected += (len(own) - 1) * p * (1 - p) / len(wrong)
    return found / expected if expected else math.nan


def binomial_rates(runs: int, p: float, examples: int) -> np.ndarray:
    """The error rates of equally hard examples, sorted: float64 [examples], quantiles of Binomial(R, p) / R.

    The quantiles at (i + 1/2) / examples take the place of the random draws that arXiv 1706.05394 sorts.

    Args:
        runs: R.
        p: probability of an error, in [0, 1].
        examples: how many.

    Raises:
        ValueError: p outside [0, 1], or fewer than one of the others.
    """
    if not 0 <= p <= 1 or runs < 1 or examples < 1:
        raise ValueError(
            f"p must be in [0, 1], runs and examples at least 1; got p = {p}, runs = {runs}, examples = {examples}"
        )
    at = (np.arange(examples) + 0.5) / examples
    if p in (0.0, 1.0):
        return np.full(examples, p)
    logs = np.array([math.lgamma(n) for n in range(1, runs + 2)])  # logs[k] = log k!
    k = np.arange(runs + 1)
    mass = np.exp(logs[runs] - logs[k] - logs[runs - k] + k * math.log(p) + (runs - k) * math.log1p(-p))
    return np.searchsorted(np.cumsum(mass) / mass.sum(), at) / runs


def _ratio(rates: np.ndarray, runs: int) -> np.ndarray:
    """Rates [K, N] of `runs` networks -> the ratio of variances, [K]."""
    p = rates.mean(1)
    expected = p * (1 - p) / runs
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, rates.var(1, ddof=1) / expected, math.nan)
