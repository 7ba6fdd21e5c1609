"""Error rates over networks: against SciPy, by hand, and on draws whose spread is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from rote.metrics.error_rates import binomial_rates, over_dispersion, over_dispersion_within

RNG = np.random.default_rng


def drawn(probabilities, runs, seed=0):
    """bool [R, N]: independent errors with the given probability of each example."""
    return RNG(seed).random((runs, len(probabilities))) < probabilities


def test_by_hand():
    """Rates 0, 1/4, 3/4, 1: variance .25 * 5 / 6, p = 1/2, binomial variance 1/16."""
    wrong = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 1]], dtype=bool)
    variance = np.var([0, 0.25, 0.75, 1], ddof=1)
    assert over_dispersion(wrong).ratio == pytest.approx(variance / (0.25 / 4))


def test_ratio_is_one_plus_the_correlation_of_networks():
    """1 + (R - 1) rho with rho the mean covariance of pairs of networks over p (1 - p), up to N / (N - 1)."""
    wrong = drawn(RNG(1).beta(0.5, 2, 400), 12)
    examples, p = wrong.shape[1], wrong.mean()
    rates = wrong - p
    pairs = [float(rates[a] @ rates[b]) / (examples - 1) for a in range(12) for b in range(12) if a != b]
    own = sum(float(r @ r) / (examples - 1) for r in rates) / 12
    expected = (own + 11 * np.mean(pairs)) / (p * (1 - p))
    assert over_dispersion(wrong).ratio == pytest.approx(expected)


def test_equally_hard_examples_have_ratio_one():
    inside = []
    for seed in range(40):
        found = over_dispersion(drawn(np.full(500, 0.3), 20, seed))
        assert found.ratio == pytest.approx(1, abs=0.25)
        inside.append(found.low <= 1 <= found.high)
    assert np.mean(inside) >= 0.9


def test_the_interval_covers_the_spread_of_real_differences():
    """Probabilities drawn once, networks anew: the ratio expected is 1 + (R - 1) Var(p_i) / (p (1 - p))."""
    hardness = RNG(3).beta(1, 1, 300)
    p = hardness.mean()
    true = 1 + 29 * hardness.var(ddof=1) / (p * (1 - p))
    found = [over_dispersion(drawn(hardness, 30, seed)) for seed in range(60)]
    assert np.mean([f.ratio for f in found]) == pytest.approx(true, rel=0.05)
    assert np.mean([f.low <= true <= f.high for f in found]) >= 0.85


def test_jackknife_is_the_textbooks():
    wrong = drawn(RNG(4).beta(1, 2, 50), 7)

    def scaled(part):
        runs = len(part)
        rates = part.mean(0)
        p = rates.mean()
        rho = (np.var(rates, ddof=1) / (p * (1 - p) / runs) - 1) / (runs - 1)
        return 1 + 6 * rho

    without = np.array([scaled(np.delete(wrong, r, axis=0)) for r in range(7)])
    error = math.sqrt(6 / 7 * ((without - without.mean()) ** 2).sum())
    half = scipy.stats.t.ppf(0.975, 6) * error
    found = over_dispersion(wrong)
    assert found.high - found.ratio == pytest.approx(half)
    assert found.ratio - found.low == pytest.approx(half)


def test_all_right_has_no_ratio():
    found = over_dispersion(np.zeros((4, 10), dtype=bool))
    assert all(math.isnan(value) for value in found)


@pytest.mark.parametrize("shape", [(2, 10), (5, 1), (5,), (2, 3, 4)])
def test_too_few(shape):
    with pytest.raises(ValueError, match=r"wrong must be bool \[R, N\] with R >= 3 and N >= 2"):
        over_dispersion(np.zeros(shape, dtype=bool))


def test_within_groups_preferred_classes_do_not_count():
    groups = np.arange(1000) % 2
    wrong = drawn(np.where(groups, 0.9, 0.2), 40)
    assert over_dispersion(wrong).ratio > 10
    assert over_dispersion_within(wrong, groups) == pytest.approx(1, abs=0.15)
    # Of one group it is the plain ratio.
    assert over_dispersion_within(wrong, np.zeros(1000)) == pytest.approx(over_dispersion(wrong).ratio)
    assert math.isnan(over_dispersion_within(np.zeros((4, 6), dtype=bool), groups[:6]))


@pytest.mark.parametrize(("runs", "p"), [(100, 0.9), (7, 0.31), (1000, 0.5)])
def test_binomial_quantiles_are_scipys(runs, p):
    at = (np.arange(333) + 0.5) / 333
    assert np.array_equal(binomial_rates(runs, p, 333), scipy.stats.binom.ppf(at, runs, p) / runs)


def test_binomial_ends():
    assert binomial_rates(10, 0.0, 3).tolist() == [0, 0, 0]
    assert binomial_rates(10, 1.0, 3).tolist() == [1, 1, 1]
    for runs, p, examples in ((0, 0.5, 3), (10, 1.5, 3), (10, 0.5, 0)):
        with pytest.raises(ValueError, match="p must be in"):
            binomial_rates(runs, p, examples)
