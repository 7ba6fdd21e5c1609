"""The rule that turns values into states, by hand-worked intervals and by SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from rote.claims import judge
from rote.statistics import slope, spearman


def test_interval_is_scipys():
    values = [0.1, 0.13, 0.08, 0.11, 0.12]
    mean, error = np.mean(values), scipy.stats.sem(values)
    expected = scipy.stats.t.interval(0.95, 4, mean, error)
    assert judge.at_least("x", values, 0).interval == pytest.approx(expected, abs=1e-12)


# mean 0.10, deviation 0.01, three values: half width 4.3027 * 0.01 / sqrt(3) = 0.02484
VALUES = (0.09, 0.10, 0.11)


@pytest.mark.parametrize(
    ("threshold", "state"),
    [(0.0751, "holds"), (0.0752, "undecided"), (0.10, "undecided"), (0.1248, "undecided"), (0.1249, "fails")],
)
def test_effects_are_judged_by_the_whole_interval(threshold, state):
    assert judge.at_least("x", VALUES, threshold).state == state
    mirrored = {"holds": "fails", "fails": "holds", "undecided": "undecided"}[state]
    assert judge.at_most("x", VALUES, threshold).state == mirrored


@pytest.mark.parametrize(
    ("low", "high", "state"),
    [(0, 0.2, "holds"), (0.08, 0.2, "undecided"), (0, 0.12, "undecided"), (0.13, 0.2, "fails"), (-1, 0.07, "fails")],
)
def test_a_band(low, high, state):
    assert judge.within("x", VALUES, low, high).state == state


def test_thresholds_survive_rounding():
    assert judge.at_least("x", [0.1 + 0.2 - 0.25] * 3, 0.05).state == "holds"
    assert judge.at_most("x", [0.1 + 0.2] * 3, 0.3).state == "holds"
    assert judge.contains("x", [0.3] * 3, 0.1 + 0.2).state == "holds"
    assert judge.contains("x", [0.1 + 0.2] * 3, 0.3).state == "holds"
    assert judge.above("x", [0.0] * 3, 0.0).state == "fails"
    assert judge.below("x", [0.7] * 3, 0.7).state == "fails"
    assert judge.each_at_least("x", [0.99 - 1e-12] * 3, 0.99).state == "holds"


def test_a_single_run_decides_no_effect():
    assert judge.at_least("x", [5.0], 0.05).state == "undecided"
    assert judge.at_least("x", [5.0], 0.05).interval is None


def test_memorization_is_asked_of_every_run():
    assert judge.each_at_least("x", [0.99, 1.0, 0.998], 0.99).state == "holds"
    assert judge.each_at_least("x", [0.98, 1.0, 1.0], 0.99).state == "undecided"
    assert judge.each_at_least("x", [0.98, 0.5, 0.3], 0.99).state == "fails"


def test_parts_together():
    assert judge.together(["holds", "holds"]) == "holds"
    assert judge.together(["holds", "undecided"]) == "undecided"
    assert judge.together(["holds", "undecided", "fails"]) == "fails"
    with pytest.raises(ValueError, match="at least one part"):
        judge.together([])


def test_text_shows_mean_and_interval():
    assert str(judge.at_least("gain", VALUES, 0.05, unit="points")) == "gain +10.0 [+7.5, +12.5] points"
    assert str(judge.at_least("slope", [1.0], 0.8)) == "slope 1.000"


def test_spearman_is_scipys():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(0, 5, size=(2, 9))
        assert spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-12)
    assert spearman([1, 4, 16, float("inf")], [0.1, 0.2, 0.3, 0.4]) == 1.0
    assert spearman([1, 2, 3], [5, 5, 5]) == 0.0
    with pytest.raises(ValueError, match="two pairs"):
        spearman([1.0], [1.0])
    with pytest.raises(ValueError, match="two pairs"):
        spearman([1.0, float("nan")], [1.0, 2.0])


def test_slope_is_numpys():
    x, y = np.log([10.0, 100.0, 300.0]), np.log([3.0, 31.0, 90.0])
    assert slope(x, y) == pytest.approx(np.polyfit(x, y, 1)[0])
    with pytest.raises(ValueError, match="two different x"):
        slope([1.0, 1.0], [2.0, 3.0])
