"""What claims 20 to 22 read, and what they leave alone."""

from __future__ import annotations

import pytest

from rote.claims.criterion import NARROW

from . import states_noise_fitting as made


@pytest.mark.parametrize(
    ("number", "changes", "state"),
    [
        (20, {}, "holds"),
        (20, {"classes": 0.0}, "fails"),
        (20, {"exemplar": -0.2}, "fails"),
        (20, {"classes": 0.105}, "undecided"),
        (21, {}, "holds"),
        (21, {"real": 0.9}, "fails"),
        (21, {"real": 0.5, "random": 0.9}, "fails"),
        (21, {"real": 4.5}, "fails"),
        (21, {"real": 1.01}, "undecided"),
    ],
)
def test_every_part_of_sensitivity_counts(number, changes, state, runs, judged):
    made.sensitivity(runs, **changes)
    (line,) = judged(number)
    assert (line.state, line.covers, line.seeds) == (state, "digits", 3)
    assert "training accuracy 0.90" in line.measured


def test_half_a_sensitivity_run_decides_nothing(runs, judged):
    made.sensitivity(runs, inputs=("real",))
    assert {line.state for number in (20, 21) for line in judged(number)} == {"not run"}
    made.sensitivity(runs, settings=("classes",))
    assert [line.state for line in judged(20)] == ["not run"]
    assert [line.state for line in judged(21)] == ["holds"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [({}, "holds"), ({"rand_x": 1.0}, "fails"), ({"rand_y": 1.0}, "fails"), ({"rand_x": 1.505}, "undecided")],
)
def test_both_kinds_of_noise_count(changes, state, runs, judged):
    made.csr(runs, **changes)
    (line,) = judged(22)
    assert (line.state, line.covers, line.seeds) == (state, NARROW, 3)
    assert "CSR randX / real at 90%" in line.measured
    assert "on real inputs 1.25" in line.measured


def test_runs_without_a_ratio_leave_it_open(runs, judged):
    made.csr(runs, missing=(1,))
    (line,) = judged(22)
    assert (line.state, line.seeds) == ("undecided", 2)
    made.csr(runs, missing=(0, 1, 2), lr=0.5)
    assert len(judged(22)) == 1


def test_other_conditions_of_csr_are_left_alone(runs, judged):
    made.csr(runs, conditions=("real", "randY"))
    made.csr(runs, shares=(0.2, 0.8))
    assert {line.state for line in judged(22)} == {"not run"}
    made.csr(runs, data="digits", root=None, shares=(0.5, 1.0))
    assert [(line.covers, line.state) for line in judged(22)] == [("digits", "holds")]


def test_real_data_without_critical_samples_has_a_doubt(runs, judged):
    made.csr(runs, missing=(2,))
    (line,) = judged(22)
    assert line.reason == "2 of 3 seeds"
