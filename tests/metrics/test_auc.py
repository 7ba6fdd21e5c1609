"""The area under the ROC curve: scikit-learn's value, DeLong's variance by its definition, coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from rote.metrics.auc import area_under_curve


def drawn(seed: int, positives: int = 40, negatives: int = 160, shift: float = 1.0, step: float = 0.1):
    """Rounded normal scores, so that there are ties."""
    generator = np.random.default_rng(seed)
    values = np.concatenate([generator.normal(shift, 1, positives), generator.normal(0, 1, negatives)])
    return np.round(values / step) * step, np.arange(positives + negatives) < positives


def test_value_is_that_of_scikit_learn():
    for seed in range(5):
        scores, positive = drawn(seed)
        found = area_under_curve(scores, positive)
        assert found.value == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
        assert found.low < found.value < found.high
        assert (found.positives, found.negatives) == (40, 160)


def test_variance_is_delongs_by_loops():
    scores, positive = drawn(3, 12, 30)
    x, y = scores[positive], scores[~positive]
    kernel = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])
    expected = kernel.mean(1).var(ddof=1) / len(x) + kernel.mean(0).var(ddof=1) / len(y)
    found = area_under_curve(scores, positive)
    assert found.standard_error == pytest.approx(np.sqrt(expected))
    assert found.high - found.low == pytest.approx(2 * 1.959963984540054 * np.sqrt(expected))


def test_intervals_hold_the_area_they_should():
    truth = 0.7602499389065233  # P[N(1, 1) > N(0, 1)] = Phi(1 / sqrt 2)
    inside, values, errors = 0, [], []
    for seed in range(400):
        found = area_under_curve(*drawn(seed, step=1e-9))
        inside += found.low <= truth <= found.high
        values.append(found.value)
        errors.append(found.standard_error)
    assert 0.91 <= inside / 400 <= 0.98
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(values), rel=0.1)


def test_perfect_reversed_and_useless_scores():
    positive = np.arange(10) < 4
    perfect = area_under_curve(np.where(positive, 2.0, 1.0), positive)
    assert (perfect.value, perfect.low, perfect.high) == (1.0, 1.0, 1.0)
    assert area_under_curve(np.where(positive, 1.0, 2.0), positive).value == 0.0
    assert area_under_curve(np.ones(10), positive).value == 0.5


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"must be \[N\]"):
        area_under_curve(np.ones(3), np.ones(4, dtype=bool))
    with pytest.raises(ValueError, match="finite"):
        area_under_curve(np.array([np.nan, 1, 2, 3]), np.array([True, True, False, False]))
    with pytest.raises(ValueError, match="at least two examples of either kind; got 1 positive"):
        area_under_curve(np.arange(4.0), np.arange(4) == 0)
