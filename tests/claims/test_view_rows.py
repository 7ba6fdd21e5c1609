"""Claims 7 to 11, of numbers and kinds of views: what counts as evidence, and what leaves them undecided."""

from __future__ import annotations

import pytest

from rote.claims.rows_recipes import interior_choices

from .test_states import MILD, cell

LITTLE, MUCH = cell(9, "random", 0.5, 1.0), cell(75, "random", 4.0, 0.5)


@pytest.mark.parametrize(
    ("bits", "states"), [(3.2, ["holds"]), (5.0, ["holds"]), (3.1, ["not run"]), (5.1, ["not run"])]
)
def test_cells_near_the_bits_asked_for(runs, judged, bits, states):
    runs.capacity([LITTLE, {**MUCH, "labels_per_parameter_bits": bits}], spread=0)
    assert [line.state for line in judged(7)] == states


def test_the_nearest_cell_counts(runs, judged):
    further = cell(80, "random", 4.4, 0.9)
    runs.capacity([LITTLE, further, MUCH, cell(80, "same", 0.05, 0.2), cell(75, "same", 0.05, 0.9)], spread=0)
    assert [line.state for line in judged(7)] == ["holds"]
    (line,) = judged(8)
    assert line.state == "holds"
    assert "same - random at 4 bits per parameter (64 x 75 views) +40.0" in line.measured


def test_pools_that_were_not_looked_at_on_their_way(runs, judged):
    runs.capacity([LITTLE, {**MUCH, "accuracy_half_budget": None}], spread=0)
    assert [line.state for line in judged(7)] == ["not run"]
    runs.capacity([LITTLE, MUCH], seeds=(3, 4, 5), spread=0)
    (line,) = judged(7)  # the three that were, of six
    assert (line.state, line.seeds) == ("holds", 3)


def test_shared_labels_on_another_pool_are_no_counterpart(runs, judged):
    runs.capacity([LITTLE, MUCH, cell(9, "same", 0.05, 1.0)], spread=0)
    assert [line.state for line in judged(8)] == ["not run"]


def test_pools_are_named_and_want_four_sizes(runs, judged):
    for views, probe in ((None, 0.5), (1, 0.4), (16, 0.45)):
        runs.benign(augment=MILD, views=views, summary={"probe_accuracy": probe})
    (line,) = judged(9)
    assert (line.state, line.reason) == ("undecided", "3 of 4 pool sizes")
    assert line.measured.endswith("(B = 1, 16, infinite)")
    assert line.criterion.number == 9


def test_two_strengths_have_no_interior(runs, judged):
    runs.diversity((0.4, 0.5), (200, 400), strengths=(0.0, 1.0))
    assert [line.state for line in judged(11)] == ["not run"]


def test_three_strengths_are_too_few(runs, judged):
    runs.diversity((0.42, 0.49, 0.44), (200, 400, None), strengths=(0.0, 0.5, 1.0))
    (line,) = judged(11)
    assert (line.state, line.reason) == ("undecided", "3 of 4 strengths")
    assert line.measured.endswith("(strengths 0, 0.5, 1)")


def test_the_other_seeds_choose_the_interior_strength():
    # Each seed's own best is the place that the others rate lower; ends are never chosen.
    assert interior_choices([[9.0, 0.9, 0.2, 9.0], [9.0, 0.1, 0.5, 9.0], [9.0, 0.1, 0.4, 9.0]]) == [2, 1, 1]
