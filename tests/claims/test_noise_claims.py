"""Claims 15 to 18: what counts as evidence, and what is made of trainings that never fit or diverge."""

from __future__ import annotations

import pytest

from .states_noise import STEPS, noise, set_where


def test_a_training_that_never_gets_there_is_the_last(runs, judged):
    noise(runs, steps={**STEPS, "random-labels": None})
    (line,) = judged(15)
    assert line.state == "holds"
    assert "tau of the order 1.000" in line.measured


def test_one_exchange_is_a_tau_of_eight_tenths(runs, judged):
    noise(runs, steps={**STEPS, "random-pixels": 950})
    (line,) = judged(15)
    assert (line.state, "tau of the order 0.800" in line.measured) == ("holds", True)


def test_a_diverged_training_did_not_fit(runs, judged):
    noise(runs, change=set_where(None, "train_accuracy", condition="gaussian"))
    (line,) = judged(15)
    assert line.state == "fails"


def test_memorizing_little_under_regularizers_fails(runs, judged):
    noise(runs, change=set_where(0.5, "train_accuracy", condition="random-labels", crop=True, weight_decay=5e-4))
    (line,) = judged(17)
    assert line.state == "fails"


def test_a_diverged_training_has_the_largest_error(runs, judged):
    noise(runs, change=set_where(None, "test_accuracy", condition="random-labels", corruption=0.25))
    (line,) = judged(18)
    # Ranks of levels 1 2 3 4 5 against 1 5 2 3 4: rho = 1 - 6 * (9 + 1 + 1 + 1) / 120.
    assert "with test error 0.400" in line.measured
    assert line.state == "fails"


def test_other_levels_under_regularizers_do_not_count(runs, judged):
    def change(rows, _):
        (full,) = (r for r in rows if r["condition"] == "random-labels" and r["crop"] and r["weight_decay"])
        return [{**full, "corruption": 0.5, "train_accuracy": 0.2}, *rows]

    noise(runs, change=change)
    assert judged(17)[0].state == "holds"


@pytest.mark.parametrize(
    ("number", "fields", "change"),
    [
        (15, {}, lambda rows, _: [row for row in rows if row["condition"] != "gaussian"]),
        (17, {}, lambda rows, _: [row for row in rows if not row["crop"]]),
        (18, {}, lambda rows, _: [row for row in rows if row["corruption"] != 0.5]),
    ],
)
def test_parts_of_a_run_are_no_evidence(runs, judged, number, fields, change):
    noise(runs, change=change, **fields)
    assert {line.state for line in judged(number)} == {"not run"}


def test_levels_of_inputs_are_no_levels_of_labels(runs, judged):
    noise(
        runs,
        levels_of="gaussian",
        change=lambda rows, _: [{**row, "condition": "gaussian"} if 0 < row["corruption"] < 1 else row for row in rows],
    )
    assert {line.state for line in judged(18)} == {"not run"}


def test_benign_runs_show_no_leak_on_their_own_scale(runs, judged):
    runs.benign(summary={"test_accuracy": [0.1, 0.101, 0.099, 0.1, 0.1]})
    (line,) = judged(16)
    assert (line.covers, line.state) == ("CIFAR-10", "holds")


def test_two_scales_of_claim_16(runs, judged):
    noise(runs)
    runs.benign(summary={"test_accuracy": [0.3, 0.301, 0.299, 0.3, 0.3]})
    found = {line.covers: line.state for line in judged(16)}
    assert found == {"CIFAR-10, narrow networks": "holds", "CIFAR-10": "fails"}
