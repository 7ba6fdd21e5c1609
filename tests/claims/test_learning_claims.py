"""What claims 19, 23, 27, 28 and 30 read, and what they leave alone."""

from __future__ import annotations

import csv
import json

import pytest

from rote.claims import judge
from rote.claims.criterion import NARROW
from rote.runs import CorruptRunFile

from . import states_learning as made


def test_an_interval_contains_a_value():
    # mean 1.01, deviation .01, three values: half width 0.02484
    values = (1.0, 1.01, 1.02)
    assert judge.contains("x", values, 1.0).state == "holds"
    assert judge.contains("x", values, 0.98).state == "fails"
    assert judge.contains("x", values, 1.04).state == "fails"
    assert judge.contains("x", [1.0], 1.0).state == "undecided"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "holds"),
        ({"rand_x": 1.1}, "fails"),
        ({"rand_y": 1.0}, "undecided"),
        ({"rand_y": 0.5}, "fails"),
        ({"rand_y": 25.0}, "fails"),
        ({"real": 2.0, "rand_y": 1.5}, "fails"),
    ],
)
def test_every_part_of_easy_counts(changes, state, runs, judged):
    made.easy(runs, **changes)
    (line,) = judged(19)
    assert (line.state, line.covers, line.seeds) == (state, NARROW, 3)


def test_easy_without_a_kind_or_with_views_decides_nothing(runs, judged):
    made.easy(runs, kinds=("real", "randX"))
    made.easy(runs, augment="flip-crop")
    assert {line.state for line in judged(19)} == {"not run"}


def test_digits_are_a_line_of_their_own(runs, judged):
    made.trajectories(runs)
    made.trajectories(runs, data="digits", root=None, thirds=(0.9, 0.9, 0.9), spread=0.0)
    assert [(line.covers, line.state) for line in judged(30)] == [(NARROW, "holds"), ("digits", "fails")]
    assert "true, noisy, random: 0.950, 0.700, 0.400" in judged(30)[0].measured


def test_claims_of_other_shares_are_left_alone(runs, judged):
    made.trajectories(runs, noise=(0.0, 0.2))
    assert {line.state for number in (23, 27, 30) for line in judged(number)} == {"not run"}
    made.trajectories(runs, noise=(0.4,), thirds=(0.5,))
    assert [line.state for line in judged(23)] == ["holds"]
    assert {line.state for line in judged(30)} == {"not run"}


def test_selected_and_final_values_are_told(runs, judged):
    made.trajectories(runs, gain=0.1, spread=0.0)
    (line,) = judged(27)
    assert line.measured == "selected - final test +10.0 [+10.0, +10.0] points (test 0.600 selected, 0.500 final)"


def test_a_level_that_is_missing_is_an_error(runs, judged):
    made.trajectories(runs)
    folder = runs.folders[0]
    table = folder / "trajectories_levels.csv"
    table.write_text(table.read_text().replace("\n0.4,", "\n0.5,"))
    with pytest.raises(CorruptRunFile, match=r"one number fit_gap_at_peak at noise 0.4; got \[\]"):
        judged(27)


def test_depth_has_a_line_for_each_normalization(runs, judged):
    made.depth(runs, norms=("batch", "none"))
    lines = judged(28)
    assert [line.state for line in lines] == ["holds", "holds"]
    assert "depths 1 to 8 at equal width, width 64, batch normalization" in lines[0].scale
    assert lines[1].scale.endswith("without normalization")


def test_a_normalization_is_judged_by_its_own_rows(runs, judged):
    made.depth(runs, norms=("batch", "none"))
    for folder in runs.folders:
        path = folder / "depth.csv"
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if row["norm"] == "none":
                row["epochs_to_99"] = str(5 * int(row["depth"]))
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    assert [line.state for line in judged(28)] == ["holds", "fails"]


def test_a_depth_that_never_knows_its_labels_is_the_latest(runs, judged):
    made.depth(runs, epochs=(40, 30, 20, None))
    (line,) = judged(28)
    # Ranks of depth 1, 2, 3, 4 against 3, 2, 1, 4: rho = 1 - 6 * (4 + 0 + 4 + 0) / 60.
    assert "epochs to 99 % 0.200" in line.measured
    assert "3 of 12 networks did not reach 99 %" in line.measured
    assert line.state == "fails"


def test_rates_at_the_end_of_those_tried_are_told(runs, judged):
    made.depth(runs, at_edge=True)
    assert "(3 of 24 best learning rates are the lowest or highest tried)" in judged(28)[0].measured


def test_without_any_memorization_depth_is_undecided(runs, judged):
    made.depth(runs, epochs=(None,) * 4)
    (line,) = judged(28)
    assert (line.state, line.reason) == ("undecided", "no network came to know 99 % of the random labels")


def test_the_best_depth_is_that_of_validation(runs, judged):
    """Depth 2 is the best on the test images; depth 4 was selected."""
    made.depth(runs, test=(0.4, 0.5, 0.42, 0.42))
    (line,) = judged(28)
    assert line.state == "holds"
    assert "deepest - best +0.0" in line.measured


def test_a_deepest_network_that_diverged_has_no_accuracy(runs, judged):
    made.depth(runs, test=(0.4, 0.41, 0.42, None))
    assert judged(28)[0].state == "fails"


def test_commands_name_the_options(runs, judged):
    made.easy(runs, width=128)
    (line,) = judged(19)
    assert line.commands == (
        "for seed in 0 1 2; do rote run easy --data folder --root DIR --width 128 --seed $seed; done",
    )
    for folder in runs.folders:
        assert json.loads((folder / "config.json").read_text())["experiment"] == "easy"
