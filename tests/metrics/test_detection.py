"""Detection against scikit-learn, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from rote.metrics.detection import detection


@pytest.mark.parametrize("levels", [4, 10**6])
def test_average_precision_is_scikit_learns(levels):
    rng = np.random.default_rng(0)
    planted = rng.random(300) < 0.1
    score = np.round((planted + rng.normal(size=300)) * levels) / levels if levels > 10 else rng.integers(0, 4, 300)
    found = detection(score, planted)
    assert found.average_precision == pytest.approx(average_precision_score(planted, score))
    assert found.flagged is None


def test_precision_at_the_planted_number():
    planted = np.array([1, 1, 0, 0, 1, 0], dtype=bool)
    assert detection([9, 8, 7, 6, 5, 4], planted).precision == pytest.approx(2 / 3)
    # The third place is shared by three, one of them planted.
    assert detection([9, 8, 5, 5, 5, 4], planted).precision == pytest.approx((2 + 1 / 3) / 3)
    assert detection([9, np.nan, 5, 4, 8, np.nan], planted).precision == pytest.approx(2 / 3)
    rng = np.random.default_rng(1)
    many = rng.random(200) < 0.2
    score, total = rng.integers(0, 9, 200), many.sum()
    drawn = [many[np.lexsort((rng.permutation(200), -score))[:total]].mean() for _ in range(4000)]
    assert detection(score, many).precision == pytest.approx(np.mean(drawn), abs=0.005)


def test_decisions():
    planted = np.array([1, 1, 0, 0], dtype=bool)
    found = detection([4, 3, 2, 1], planted, [True, False, True, False])
    assert (found.flagged, found.flagged_precision, found.flagged_recall) == (2, 0.5, 0.5)
    none = detection([4, 3, 2, 1], planted, np.zeros(4, dtype=bool))
    assert none.flagged_recall == 0
    assert math.isnan(none.flagged_precision)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="planted must hold some examples and not all; got 0 of 3"):
        detection([1, 2, 3], [False] * 3)
    with pytest.raises(ValueError, match="must be"):
        detection([1, 2, 3], [True, False])
