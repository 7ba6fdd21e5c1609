"""Intervals over seeds and rank correlation are SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from rote.statistics import kendall, mean_ranks, spearman, t_interval, t_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 30, 99])
def test_t_quantile_is_scipys(degrees):
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


def test_t_interval_is_scipys():
    values = [0.11, 0.13, 0.08, 0.12, 0.10]
    expected = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert t_interval(values) == pytest.approx(expected, rel=1e-9)
    # Of two values: 12.706 times half their distance.
    assert t_interval([1.0, 3.0]) == pytest.approx((2 - 12.7062047, 2 + 12.7062047))
    with pytest.raises(ValueError, match="at least two runs; got 1"):
        t_interval([1.0])


def test_mean_ranks_are_scipys():
    values = np.random.default_rng(2).integers(0, 9, 40)
    assert np.array_equal(mean_ranks(values), stats.rankdata(values))


def test_spearman_is_scipys():
    rng = np.random.default_rng(0)
    for n in (2, 3, 5, 8, 40):
        x, y = rng.integers(0, 6, n) + np.arange(n) / 3, rng.integers(0, 4, n)  # with ties
        if len(set(y.tolist())) > 1:
            assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_kendall_is_scipys():
    rng = np.random.default_rng(1)
    for n in (2, 3, 5, 8, 40):
        x, y = rng.integers(0, 6, n) + np.arange(n) / 3, rng.integers(0, 4, n)  # with ties
        if len(set(y.tolist())) > 1:
            assert kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    assert kendall(range(5), [1, 2, 3, 5, 4]) == pytest.approx(0.8)
    assert kendall([1, 2, 3, 4], [1, 2, math.inf, math.inf]) == pytest.approx(
        stats.kendalltau([1, 2, 3, 4], [1, 2, 9, 9]).statistic
    )
    assert kendall([1, 2, 3], [5, 5, 5]) == 0.0
    with pytest.raises(ValueError, match="at least two pairs"):
        kendall([1, math.nan], [1, 2])


def test_never_counts_as_last():
    assert spearman([1, 2, 3, 4], [10, 20, math.inf, math.inf]) == pytest.approx(
        stats.spearmanr([1, 2, 3, 4], [10, 20, 99, 99]).statistic
    )


def test_what_is_constant_has_no_order():
    assert spearman([1, 2, 3], [5, 5, 5]) == 0.0


@pytest.mark.parametrize(("x", "y"), [([1], [2]), ([1, 2], [1, 2, 3]), ([1, math.nan], [1, 2]), ([[1, 2]], [[1, 2]])])
def test_spearman_wants_pairs_of_numbers(x, y):
    with pytest.raises(ValueError, match="at least two pairs"):
        spearman(x, y)
