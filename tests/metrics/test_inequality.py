"""The Gini coefficient against hand-worked cases and its definition by pairs."""

from __future__ import annotations

import numpy as np
import pytest

from rote.metrics import gini


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0, 3.0, 3.0], 0.0),
        ([0.0, 0.0, 0.0, 4.0], 0.75),
        ([1.0, 3.0], 0.25),  # |1 - 3| twice of four pairs is a mean of 1; twice the mean value is 4
        ([4.0, 1.0, 2.0, 3.0], 0.25),  # (-3 - 2 + 3 + 12) / (4 * 10)
        ([7.0], 0.0),
    ],
)
def test_by_hand(values, expected):
    assert gini(values) == pytest.approx(expected, abs=1e-15)


def test_is_the_mean_difference_of_pairs_over_twice_the_mean():
    rng = np.random.default_rng(0)
    for n in (2, 17, 100):
        values = rng.exponential(size=n)
        pairs = np.abs(values[:, None] - values[None, :]).mean()
        assert gini(values) == pytest.approx(pairs / (2 * values.mean()), rel=1e-12)
        assert gini(5 * values) == pytest.approx(gini(values))


def test_nothing_to_share():
    assert np.isnan(gini(np.zeros(3)))


@pytest.mark.parametrize("values", [[], [[1.0]], [1.0, -1.0], [1.0, np.nan], [np.inf, 1.0]])
def test_bad_values(values):
    with pytest.raises(ValueError, match="values must be"):
        gini(values)
