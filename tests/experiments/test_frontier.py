"""The frontier: bisection against a known threshold, and the slope against scipy."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
import scipy.stats

from rote.experiments import capacity
from rote.experiments.capacity.frontier import TOLERANCE, bracket, log_log_slope, next_number


def searched(threshold: int, start: int, most: int) -> dict[int, bool]:
    fitted: dict[int, bool] = {}
    while (number := next_number(fitted, start, most)) is not None:
        assert number not in fitted
        assert 1 <= number <= most
        fitted[number] = number <= threshold
        assert len(fitted) < 60
    return fitted


@pytest.mark.parametrize("start", [1, 7, 300, 1000, 50_000])
@pytest.mark.parametrize("threshold", [0, 1, 2, 13, 250, 999, 1000, 40_000])
def test_bisection_brackets_the_threshold(threshold, start):
    fitted = searched(threshold, start, 50_000)
    low, high = bracket(fitted)
    assert low <= threshold < high
    assert high <= max(low * (1 + TOLERANCE), low + 1)


def test_a_good_start_needs_few_attempts():
    assert len(searched(1000, 900, 50_000)) <= 5
    assert len(searched(1000, 1150, 50_000)) <= 5


def test_data_may_end_before_the_frontier():
    fitted = searched(10**6, 100, 500)
    assert bracket(fitted) == (500, None)


def test_a_lucky_fit_above_a_failure_does_not_count():
    assert bracket({100: True, 130: False, 170: True}) == (100, 130)
    assert bracket({}) == (0, None)


def test_slope_against_scipy():
    generator = np.random.default_rng(0)
    x = np.array([1e3, 2e3, 4e3, 8e3, 16e3, 32e3] * 3)
    y = 0.3 * x**0.93 * np.exp(generator.normal(0, 0.1, len(x)))
    expected = scipy.stats.linregress(np.log(x), np.log(y))
    found = log_log_slope(x, y)
    half = scipy.stats.t.ppf(0.975, len(x) - 2) * expected.stderr
    assert found.slope == pytest.approx(expected.slope, rel=1e-12)
    assert found.intercept == pytest.approx(expected.intercept, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((expected.slope - half, expected.slope + half), rel=1e-9)


def test_slope_of_a_power_law_by_hand():
    found = log_log_slope([1, 2, 4], [3, 6, 12])
    assert found == pytest.approx((1.0, 1.0, 1.0, math.log(3)))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1, 2], [1, 2], "n >= 3"),
        ([1, 2, 3], [1, 2], "n >= 3"),
        ([1, 2, 3], [1, 0, 3], "positive"),
        ([1, 2, float("nan")], [1, 2, 3], "positive"),
        ([2, 2, 2], [1, 2, 3], "different"),
    ],
)
def test_bad_points_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        log_log_slope(x, y)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return capacity(
        frontier=True,
        augment="none",
        widths=(1, 2, 3),
        batch_size=64,
        projector_width=4,
        visits=50,
        lr=(3e-2,),
        out=tmp_path_factory.mktemp("runs"),
    )


def test_a_frontier_in_small(run):
    rows = run.summary["frontier"]
    assert [row["width"] for row in rows] == [1, 2, 3]
    assert [row["parameters"] for row in rows] == sorted(row["parameters"] for row in rows)
    with open(run.dir / "frontier.csv", newline="") as file:
        assert [row["samples"] for row in csv.DictReader(file)] == [str(row["samples"]) for row in rows]
    for row in rows:
        at = run.metrics.select(metric="accuracy_pool", width=row["width"], images=row["samples"])
        assert max(line["value"] for line in at) >= 0.99
        above = run.metrics.select(metric="accuracy_pool", width=row["width"], images=row["bracket_high"])
        assert max(line["value"] for line in above) < 0.99
        assert row["samples"] < row["bracket_high"] <= max(row["samples"] * (1 + TOLERANCE), row["samples"] + 1)
        assert 0.9 * row["samples"] * math.log2(10) < row["bits"] <= row["samples"] * math.log2(10)
        assert row["bits_per_parameter"] == pytest.approx(row["bits"] / row["parameters"])
    expected = scipy.stats.linregress(
        np.log([row["parameters"] for row in rows]), np.log([row["samples"] for row in rows])
    )
    assert run.summary["slope"] == pytest.approx(expected.slope)
    low, high = run.summary["slope_interval"]
    assert low <= run.summary["slope"] <= high
    assert run.summary["rows"] == []


def test_a_finished_frontier_returns_at_once(run):
    before = (run.dir / "summary.json").stat().st_mtime_ns
    again = capacity(
        frontier=True,
        augment="none",
        widths=(1, 2, 3),
        batch_size=64,
        projector_width=4,
        visits=50,
        lr=(3e-2,),
        out=run.dir.parent,
    )
    assert (again.dir / "summary.json").stat().st_mtime_ns == before
