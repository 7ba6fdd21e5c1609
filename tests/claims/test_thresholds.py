"""Every threshold of every claim from both sides: one quantity moves a little, all others stay where they hold."""

from __future__ import annotations

import pytest

from rote.claims.evidence import Evidence
from rote.claims.records import read_records
from rote.claims.table import ROWS

from . import states_learning, states_noise, thresholds_closer_look, thresholds_memorization
from .runs import Runs
from .thresholds import CASES, benign

__all__ = ["thresholds_closer_look", "thresholds_memorization"]  # whose import lists their cases


def state(number, make, value, root):
    runs = Runs(root)
    make(runs, value)
    finished, _ = read_records(runs.folders)
    (line,) = ROWS[number](Evidence(finished))
    assert line.criterion.number == number
    return line.state, line


@pytest.mark.parametrize("name", CASES)
def test_either_side(name, tmp_path):
    number, make, threshold, side, margin = CASES[name]
    for value, wanted in ((threshold + side * margin, "holds"), (threshold - side * margin, "fails")):
        found, line = state(number, make, value, tmp_path / wanted)
        assert found == wanted, f"{value}: {line.measured} ({line.reason})"


# Rank correlations of few values move in steps ------------------------------------------------------------------------


def pools(runs, probes):
    for views, probe in zip((1, 4, 16, None), probes, strict=True):
        benign(runs, probe, views=views)


def strengths(runs, steps):
    runs.diversity((0.42, 0.46, 0.49, 0.46, 0.42), steps)


def order_of_conditions(runs, steps):
    states_noise.noise(runs, steps=dict(zip(states_noise.STEPS, (100 * step for step in steps), strict=True)))


def errors_of_levels(runs, half):
    where = {"condition": "random-labels", "corruption": 0.5}
    states_noise.noise(runs, change=states_noise.set_where(half, "test_accuracy", **where))


def depths(runs, epochs):
    states_learning.depth(runs, epochs=epochs)


@pytest.mark.parametrize(
    ("number", "make", "holding", "failing"),
    [
        (9, pools, (0.40, 0.45, 0.43, 0.50), (0.40, 0.50, 0.45, 0.47)),  # rho .8 and .4
        (11, strengths, (200, 400, 1600, 800, None), (400, 200, 1600, 800, None)),  # .9 and .8
        (15, order_of_conditions, (1, 2, 3, 5, 4), (2, 1, 3, 5, 4)),  # tau .8 and .6
        (18, errors_of_levels, 0.17, 0.05),  # rho .9, beyond the level .75, and .7, beyond that of 1
        (28, depths, (30, 20, 40, 10), (20, 30, 10, 40)),  # -.4 and .4
    ],
)
def test_either_order(number, make, holding, failing, tmp_path):
    for values, wanted in ((holding, "holds"), (failing, "fails")):
        found, line = state(number, make, values, tmp_path / wanted)
        assert found == wanted, f"{values}: {line.measured} ({line.reason})"
