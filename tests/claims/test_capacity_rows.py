"""Claims 24 to 26: what leaves them undecided, and what they do not speak of."""

from __future__ import annotations

import pytest

from rote.claims.criterion import DIGITS, NARROW
from rote.runs import CorruptRunFile

from .states_capacity import convergence, noise, regularize


def test_each_data_set_has_its_line(runs, judged):
    convergence(runs)
    convergence(runs, data="digits")
    noise(runs)
    noise(runs, data="digits")
    for number in (24, 25):
        assert {line.covers for line in judged(number)} == {NARROW, DIGITS}
    assert "noisy labels: +0.45 with images" in judged(24)[0].measured
    assert "removed: -0.50" in judged(25)[0].measured


def test_without_times_of_real_data_there_is_no_order(runs, judged):
    convergence(runs, images=None)
    (line,) = judged(24)
    assert line.state == "undecided"
    assert "fewer than three sizes" in line.reason


def test_the_other_direction_fails(runs, judged):
    convergence(runs, width=0.5)
    (line,) = judged(24)
    assert line.state == "fails"


def test_nothing_is_wider_than_the_widest(runs, judged):
    noise(runs, clean=64)
    (line,) = judged(25)
    assert line.state == "undecided"
    assert "widest network is the best on clean data" in line.reason


def test_runs_of_other_studies_say_nothing(runs, judged):
    noise(runs)
    assert judged(24)[0].state == "not run"
    convergence(runs, kinds=("labels",))
    assert judged(24)[0].state == "not run"


def test_regularizers_need_something_to_prevent(runs, judged):
    regularize(runs, known=0.8)
    (line,) = judged(26)
    assert line.state == "undecided"
    assert "only 0.800 of the random labels are memorized" in line.reason


@pytest.mark.parametrize("change", [{"dropout": 0.3, "other": 0.1}, {"both": 0.4}])
def test_each_part_can_fail(change, runs, judged):
    regularize(runs, **change)
    (line,) = judged(26)
    assert line.state == "fails"


def test_runs_without_all_techniques_do_not_decide(runs, judged):
    regularize(runs, techniques=("dropout", "input-noise"))
    assert judged(26)[0].state == "not run"
    regularize(runs, allowed_cost=0.05)
    assert judged(26)[0].state == "not run"


def test_damaged_summaries_name_themselves(runs, judged):
    convergence(runs)
    folder = runs.folders[0]
    (folder / "summary.json").write_text('{"data": "folder", "images": 5, "epochs": 3, "orders": 7}')
    with pytest.raises(CorruptRunFile, match="orders must be a list"):
        judged(24)
