"""The verdict: every outcome is reachable, intervals agree with SciPy and keep their coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rote.experiments.probing.verdict import (
    BENIGN,
    MALIGN,
    NOT_MEMORIZED,
    UNDECIDED,
    Gain,
    gain_of_run,
    is_memorized,
    paired_interval,
    verdict,
)
from rote.statistics import t_interval


def answers(queries: int, right: int, *, shift: int = 0) -> np.ndarray:
    """A probe that answers `right` of the queries, starting with number `shift`."""
    correct = np.zeros(queries, dtype=bool)
    correct[np.arange(shift, shift + right) % queries] = True
    return correct


@pytest.mark.parametrize(
    ("final", "initial", "pixels", "memorized", "expected"),
    [
        (900, 430, 760, True, BENIGN),
        (900, 430, 760, False, NOT_MEMORIZED),
        (770, 430, 760, True, MALIGN),  # far above initialization, but pixels do as well
        (500, 560, 560, True, MALIGN),
        (810, 760, 700, True, BENIGN),  # exactly five points
        (809, 760, 700, True, UNDECIDED),  # just below: the interval reaches beyond five points
    ],
)
def test_every_verdict_can_be_reached_by_one_run(final, initial, pixels, memorized, expected):
    gain = gain_of_run(answers(1000, final), answers(1000, initial), answers(1000, pixels))
    assert verdict(gain, memorized=memorized) == expected


def test_five_points_on_few_queries_are_undecided():
    # 20 queries: 12 right after, 11 before, many answers changed: five points that mean nothing.
    gain = gain_of_run(answers(20, 12), answers(20, 11, shift=6), answers(20, 2))
    assert gain.value == pytest.approx(0.05)
    assert gain.low < 0 < gain.high
    assert verdict(gain, memorized=True) == UNDECIDED


def test_gain_is_over_the_better_baseline():
    gain = gain_of_run(answers(100, 80), answers(100, 30), answers(100, 70))
    assert gain.baseline == "pixels"
    assert gain.value == pytest.approx(0.10)
    gain = gain_of_run(answers(100, 80), answers(100, 70), answers(100, 30))
    assert gain.baseline == "init"
    assert gain.value == pytest.approx(0.10)
    assert gain.low < gain.value < gain.high


@pytest.mark.parametrize("accuracy", [0.99, 0.9900000001, 1.0, 507 / 512])
def test_memorized(accuracy):
    assert is_memorized(accuracy)


@pytest.mark.parametrize("accuracy", [0.0, 0.5, 506 / 512, 0.9899])
def test_not_memorized(accuracy):
    assert not is_memorized(accuracy)


def test_interval_of_unchanged_answers_has_width():
    low, high = paired_interval(answers(100, 50), answers(100, 50))
    assert low < 0 < high
    assert low == pytest.approx(-high)


def test_paired_interval_by_hand():
    # Cells after adding half a query each: gained 10.5, lost 4.5, of 102.
    after = np.r_[np.ones(10), np.zeros(4), np.ones(86)].astype(bool)
    before = np.r_[np.zeros(10), np.ones(4), np.ones(86)].astype(bool)
    difference = 6 / 102
    error = np.sqrt((15 / 102 - difference**2) / 102)
    expected = stats.norm.interval(0.95, loc=difference, scale=error)
    assert paired_interval(after, before) == pytest.approx(expected, abs=1e-12)


def test_paired_interval_keeps_its_coverage():
    rng = np.random.default_rng(0)
    queries, runs = 360, 2000
    # Both right, gained, lost, both wrong: a true gain of 12 points.
    cells = rng.multinomial(queries, [0.7, 0.15, 0.03, 0.12], size=runs)
    covered = 0
    for both, gained, lost, _ in cells:
        after, before = np.zeros(queries, dtype=bool), np.zeros(queries, dtype=bool)
        after[: both + gained] = True
        before[:both] = True
        before[both + gained : both + gained + lost] = True
        low, high = paired_interval(after, before)
        covered += low <= 0.12 <= high
    assert 0.935 <= covered / runs <= 0.97


def test_paired_interval_refuses_other_queries():
    with pytest.raises(ValueError, match="same queries"):
        paired_interval(answers(10, 5), answers(11, 5))
    with pytest.raises(ValueError, match="Q > 0"):
        paired_interval([], [])


@pytest.mark.parametrize(
    ("gains", "memorized", "expected"),
    [
        ([0.10, 0.12, 0.11], True, BENIGN),
        ([0.10, 0.12, 0.11], False, NOT_MEMORIZED),
        ([0.01, -0.01, 0.005], True, MALIGN),
        ([0.30, 0.01, 0.02], True, UNDECIDED),
        ([0.03, 0.06], True, UNDECIDED),
    ],
)
def test_every_verdict_can_be_reached_over_seeds(gains, memorized, expected):
    gain = Gain(float(np.mean(gains)), *t_interval(gains), "init")
    assert verdict(gain, memorized=memorized) == expected
