"""Which runs are compared: paired by seed, equal in everything but what the claim contrasts."""

from __future__ import annotations

import json

import pytest

from rote.claims import claims_table
from rote.claims.records import read_records
from rote.runs import CorruptRunFile

from .test_states import LOW, MILD, plain_runs

WITHOUT = LOW["probe_accuracy"]


def state_of(lines):
    return [(line.seeds, line.state) for line in lines]


def test_pairs_share_their_seeds(runs, judged):
    runs.benign(augment=MILD, seeds=(0, 1, 2, 3))
    plain_runs(runs, WITHOUT, seeds=(1, 2, 3, 4))
    assert state_of(judged(3)) == [(3, "holds")]


def test_differences_are_paired(runs, judged):
    """The same offset on noisy seeds: unpaired, the interval would be far too wide."""
    noise = [0.0, 0.1, -0.1, 0.2, -0.2]
    runs.benign(augment=MILD, summary={"probe_accuracy": [0.5 + n for n in noise]})
    plain_runs(runs, [0.44 + n for n in noise])
    (line,) = judged(3)
    assert line.state == "holds"
    assert line.measured == "probe with - without +6.0 [+6.0, +6.0] points"


@pytest.mark.parametrize(
    "different", [{"epochs": 300}, {"images": 256}, {"width": 8}, {"lr": 2e-3}, {"batch_size": 64}, {"data": "digits"}]
)
def test_conditions_that_differ_otherwise_are_not_compared(different, runs, judged):
    runs.benign(augment=MILD)
    plain_runs(runs, WITHOUT, **different)
    assert {line.state for line in judged(3)} == {"not run"}


@pytest.mark.parametrize("alike", [{"evaluations": 2}, {"device": "cpu"}, {"mixup_p": 0.3}, {"out": "elsewhere"}])
def test_conditions_that_differ_in_name_only_are_compared(alike, runs, judged):
    runs.benign(augment=MILD)
    plain_runs(runs, WITHOUT, **alike)
    assert state_of(judged(3)) == [(5, "holds")]


def test_runs_of_other_semantics_are_not_compared(runs, judged):
    runs.benign(augment=MILD)
    before = set(runs.folders)
    plain_runs(runs, WITHOUT)
    for folder in set(runs.folders) - before:
        record = json.loads((folder / "config.json").read_text())
        record["identity"]["semantics"] = 0
        (folder / "config.json").write_text(json.dumps(record))
    assert {line.state for line in judged(3)} == {"not run"}


def test_a_line_for_each_data_set_and_recipe(runs, judged):
    for data in ("folder", "digits"):
        for recipe in (MILD, "benign-full"):
            runs.benign(augment=recipe, data=data)
    lines = judged(2)
    assert len(lines) == 4
    assert [line.covers for line in lines] == ["CIFAR-10", "CIFAR-10", "digits", "digits"]


@pytest.mark.parametrize(
    "other", [{"augment": "strength-0.5"}, {"augment": "same-class"}, {"noise": 0.5}, {"views": 4}, {"loss": "ce"}]
)
def test_other_matters_are_left_to_other_claims(other, runs, judged):
    runs.benign(**{"augment": MILD, **other})
    assert {line.state for line in judged(2)} == {"not run"}


def test_a_scale_that_is_missing_is_not_run(runs):
    runs.benign(augment=MILD, data="digits")
    lines = [line for line in claims_table(runs.folders) if line.criterion.number == 2]
    assert [(line.covers, line.state) for line in lines] == [("digits", "holds"), ("CIFAR-10", "not run")]
    assert "data: no run on CIFAR-10" in lines[1].reason


def test_few_seeds_decide_nothing(runs, judged):
    runs.benign(augment=MILD, seeds=(0, 1))
    (line,) = judged(2)
    assert (line.state, line.reason) == ("undecided", "2 of 3 seeds")
    plain_runs(runs, WITHOUT, seeds=(0, 1, 2, 3))
    assert judged(1)[0].reason == "4 of 5 seeds"  # an expected effect below 5 points wants 5


def test_unfinished_runs_do_not_count(runs):
    runs.benign(augment=MILD, seeds=(0,))
    (folder,) = runs.folders
    (folder / "summary.json").unlink()
    lines = claims_table([folder])
    assert {line.state for line in lines} == {"not run"}
    assert "1 given runs are not finished" in lines[0].reason


def test_a_run_made_twice_counts_once(runs, judged):
    runs.benign(augment=MILD, seeds=(0, 1, 2))
    runs.benign(augment=MILD, seeds=(0, 1, 2), evaluations=1)
    assert judged(2)[0].seeds == 3


def test_memorization_is_a_condition(runs, judged):
    runs.benign(augment=MILD, summary={"train_accuracy": [1.0, 1.0, 0.97, 1.0, 1.0]})
    assert judged(2)[0].state == "undecided"


def test_budget_limited_sizes_are_no_capacities(runs, judged):
    def frontier(position):
        return [{"parameters": 1000 * 2**k, "samples": 100 * 2**k, "budget_limited": k == 5} for k in range(6)]

    runs.capacity([], frontier=frontier)
    (line,) = judged(10)
    assert (line.state, line.reason) == ("undecided", "5 of 6 sizes not limited by budget or data")


def test_missing_combinations_leave_conventions_undecided(runs, judged):
    for norm in ("batch", "group"):
        runs.benign(augment=MILD, norm=norm)
        plain_runs(runs, WITHOUT, norm=norm)
    (line,) = judged(14)
    assert line.state == "undecided"
    assert line.reason.startswith("10 of 12 combinations not run")


def test_one_combination_alone_says_nothing_of_conventions(runs, judged):
    runs.benign(augment=MILD)
    plain_runs(runs, WITHOUT)
    assert {line.state for line in judged(14)} == {"not run"}


def test_conventions_are_of_pairs_with_fully_random_labels(runs, judged):
    for norm in ("batch", "group"):
        runs.benign(augment=MILD, norm=norm)
        plain_runs(runs, WITHOUT, norm=norm)
    runs.benign(augment=MILD, loss="ce", noise=0.5)
    plain_runs(runs, WITHOUT, loss="ce", noise=0.5)
    runs.benign(augment=MILD, loss="ce")
    (line,) = judged(14)
    assert line.reason.startswith("10 of 12 combinations not run")
    assert line.scale.endswith(", 3,600 steps")
    assert line.seeds == 5


def test_the_commands_make_the_runs(runs, judged):
    runs.benign(augment=MILD, seeds=(0, 1, 2), epochs=900)
    plain_runs(runs, WITHOUT, seeds=(0, 1, 2))
    (line,) = judged(3)
    assert line.commands == (
        "for seed in 0 1 2; do rote run benign --data folder --root DIR --images 512 --augment benign-mild "
        "--seed $seed; done",
        "for seed in 0 1 2; do rote run benign --data folder --root DIR --images 512 --seed $seed; done",
    )


def test_damaged_runs_are_named(runs):
    runs.benign(augment=MILD, seeds=(0,), summary={"probe_accuracy": None})
    with pytest.raises(CorruptRunFile, match=r"summary.json: probe_accuracy must be a number; got None"):
        claims_table(runs.folders)
    runs.benign(augment=MILD, seeds=(1,))
    record = json.loads((runs.folders[-1] / "config.json").read_text())
    del record["config"]["view_seed"]
    (runs.folders[-1] / "config.json").write_text(json.dumps(record))
    with pytest.raises(CorruptRunFile, match="view_seed"):
        claims_table(runs.folders)


def test_a_table_that_was_cut_off_is_named(runs):
    runs.benign(augment=MILD, seeds=(0,))
    (folder,) = runs.folders
    (folder / "layers.csv").write_text("layer,moment,accuracy\nencoder,init,0.5\nencoder,fi")
    (record,), _ = read_records([folder])
    with pytest.raises(CorruptRunFile, match=r"layers.csv, row 3: must have 3 cells, has 2"):
        record.rows("layers.csv")


def test_views_looked_at_count_as_those_trained_on(runs, judged):
    """Without augmentation there are no views of the run's own; the recipe of the other condition is named."""
    extra = {"invariance_images": 512}
    runs.invariance(augment=MILD, gain=0.3, extra={**extra, "view_recipe": None})
    runs.invariance(augment="none", gain=0.01, extra={**extra, "view_recipe": MILD})
    runs.invariance(augment="none", gain=0.01, extra={**extra, "view_recipe": "benign-full"})
    assert state_of(judged(13)) == [(5, "holds")]


def test_collapsed_features_have_no_invariance(runs, judged):
    runs.invariance(augment=MILD, gain=0.3)
    runs.invariance(augment="none", gain=0.01)
    for folder in runs.folders[:2]:
        summary = json.loads((folder / "summary.json").read_text())
        (folder / "summary.json").write_text(json.dumps(summary | {"invariance_encoder": None}))
    (line,) = judged(13)
    assert (line.seeds, line.state) == (3, "undecided")
    assert line.reason.startswith("invariance is undefined in 2 pairs")


def test_a_pool_of_single_views_is_not_one_of_many(runs, judged):
    from .test_states import cell

    rows = [cell(1, "random", 0.5, 1.0), cell(96, "random", 4.0, 0.5), cell(96, "same", 0.05, 0.9)]
    single = cell(1, "random", 4.0, 0.99) | {"images": 64 * 96}
    runs.capacity([single, *rows], spread=0.2)
    assert [line.state for line in judged(7)] == ["holds"]
    assert [line.state for line in judged(8)] == ["holds"]


def test_a_recipe_at_strength_one_is_the_recipe(runs, judged):
    """Both names have one run folder, called after whichever was made first."""
    runs.benign(augment=f"{MILD}@1")
    plain_runs(runs, WITHOUT)
    runs.benign(augment=f"{MILD}@0.5")
    (line,) = judged(3)
    assert line.state == "holds"
    assert "benign-mild, " in line.scale


def test_a_frontier_of_limited_sizes_is_undecided(runs, judged):
    runs.capacity(
        [], frontier=lambda _: [{"parameters": 1000 * 2**k, "samples": 50, "budget_limited": True} for k in (0, 1)]
    )
    (line,) = judged(10)
    assert (line.state, line.seeds) == ("undecided", 3)
    assert line.reason.startswith("0 of 6 sizes not limited")
    assert "slope 0.000" in line.measured
