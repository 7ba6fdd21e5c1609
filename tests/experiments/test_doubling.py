"""The doubling rule on trajectories worked out by hand."""

from __future__ import annotations

import math

import pytest

from rote.experiments.capacity.doubling import FIRST_LOOK, Look, Outcome, ladder, outcome
from rote.experiments.capacity.pool_training import Trained, best_of
from rote.train import TrainingDiverged

BITS = math.log2(10)


def looks(*accuracies, first=100, costs=None):
    """Looks at 100, 200, 400, ... steps."""
    costs = costs or [1.0] * len(accuracies)
    steps = [first * 2**k for k in range(len(accuracies))]
    return {s: Look(s, a, c, 0.5, a) for s, a, c in zip(steps, accuracies, costs, strict=True)}


def test_looks_double_up_to_the_budget():
    assert ladder(1600, 1) == [50, 100, 200, 400, 800, 1600]
    assert ladder(1600, 16) == [800, 1600]
    assert ladder(1600, 64) == [1600]
    assert ladder(75, 1) == [75]
    assert ladder(0.4, 1 / 1000) == [1]
    odd = ladder(1001, 1)
    assert odd == [62, 125, 250, 500, 1001]
    assert min(odd) >= FIRST_LOOK


def test_the_next_look_is_asked_for():
    steps = [100, 200, 400, 800]
    assert outcome(steps, {}, BITS) == 100
    assert outcome(steps, looks(0.2, 0.4), BITS) == 400


def test_everything_right_ends_it():
    found = looks(0.2, 1.0)
    assert outcome([100, 200, 400, 800], found, BITS) == Outcome(found[200], found[100], False)


def test_two_idle_doublings_end_it_and_one_does_not():
    steps = [100, 200, 400, 800, 1600]
    assert outcome(steps, looks(0.5, 0.505), BITS) == 400
    assert outcome(steps, looks(0.5, 0.505, 0.6), BITS) == 800
    found = looks(0.5, 0.505, 0.509)
    assert outcome(steps, found, BITS) == Outcome(found[400], found[200], False)


def test_bits_that_still_come_are_no_full_memory():
    steps = [100, 200, 400, 800]
    saving = looks(0.1, 0.1, 0.1, costs=[3.3, 3.2, 3.1])  # 0.1 bits a doubling, a hundredth of a label is 0.033
    assert outcome(steps, saving, BITS) == 800
    stuck = looks(0.1, 0.1, 0.1, costs=[3.3, 3.28, 3.26])
    assert isinstance(outcome(steps, stuck, BITS), Outcome)
    surer = looks(0.9, 0.9, 0.9, costs=[0.6, 0.4, 0.2])  # no label more, only more of the right ones' probability
    assert isinstance(outcome(steps, surer, BITS), Outcome)


def test_what_rises_to_the_end_is_budget_limited():
    steps = [100, 200, 400]
    assert outcome(steps, looks(0.2, 0.3, 0.4), BITS).budget_limited
    assert not outcome(steps, looks(0.2, 0.3, 0.305), BITS).budget_limited
    assert outcome([100], looks(0.4), BITS).budget_limited, "a training that never doubled tells nothing"


def test_two_budgets_of_one_training():
    found = looks(0.2, 0.4, 0.6, 0.8)
    assert outcome([200, 400], found, BITS).look.step == 400
    assert outcome([100, 200, 400, 800], found, BITS).look.step == 800


def test_best_rate_is_the_most_accurate_then_the_fastest():
    slow = Trained(1e-3, tuple(looks(0.5, 0.7, 1.0).values()), None)
    fast = Trained(1e-2, tuple(looks(0.5, 1.0).values()), None)
    steps = [100, 200, 400]
    assert best_of([slow, fast], steps, 10)[0] is fast
    assert best_of([slow], steps, 10)[1].look.accuracy == 1.0
    unfinished = Trained(1e-1, tuple(looks(0.9).values()), None)
    assert best_of([unfinished, slow], steps, 10)[0] is slow


def test_a_rate_that_broke_down_counts_with_what_it_knew():
    broken = Trained(1.0, tuple(looks(0.5, 0.7).values()), 250)
    best, found = best_of([broken], [100, 200, 400], 10)
    assert (best, found.look.accuracy, found.before.accuracy, found.budget_limited) == (broken, 0.7, 0.5, True)
    with pytest.raises(TrainingDiverged, match="step 3"):
        best_of([Trained(1.0, (), 3), Trained(2.0, (), 7)], [100], 10)


def test_stored_and_read_again():
    one = Trained(1e-2, tuple(looks(0.5, 0.7).values()), None)
    assert Trained.from_dict(one.as_dict()) == one
