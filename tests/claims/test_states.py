"""Every claim reaches every state, by runs that differ in what the claim speaks of."""

from __future__ import annotations

import pytest

from rote.claims.table import ROWS

from .states_capacity import claim_24, claim_25, claim_26  # noqa: F401
from .states_learning import claim_19, claim_23, claim_27, claim_28, claim_30  # noqa: F401
from .states_noise import claim_15, claim_16, claim_17, claim_18  # noqa: F401
from .states_noise_fitting import claim_20, claim_21, claim_22  # noqa: F401

MILD = "benign-mild"
LOW = {"probe_accuracy": [0.385, 0.389, 0.387, 0.386, 0.388]}


def plain_runs(runs, probe, accuracy=1.0, **more):
    runs.benign(augment="none", summary={"probe_accuracy": probe, "train_accuracy": accuracy}, **more)


def claim_1(runs, state):
    probes = {
        "holds": [0.38, 0.384, 0.382, 0.381, 0.383],
        "fails": [0.30, 0.304, 0.302, 0.301, 0.303],
        "undecided": [0.33, 0.36, 0.40, 0.37, 0.36],
    }
    plain_runs(runs, probes[state])


def claim_2(runs, state):
    probe = {"holds": 0.495, "fails": 0.40, "undecided": 0.437}[state]
    runs.benign(augment=MILD, summary={"probe_accuracy": [probe + s for s in (0, 0.01, -0.01, 0.005, -0.005)]})


def claim_3(runs, state):
    runs.benign(augment=MILD)
    without = {"holds": 0.387, "fails": 0.48, "undecided": 0.446}[state]
    plain_runs(runs, [without, without + 0.008, without - 0.01, without, without])


def claim_4(runs, state):
    runs.benign(augment=MILD)
    fresh = {"holds": 0.26, "fails": 0.45, "undecided": 0.396}[state]
    runs.benign(augment=MILD, labels="fresh", summary={"probe_accuracy": [fresh + s for s in (0, 0.02, -0.02, 0, 0)]})


def claim_5(runs, state):
    runs.layers(projector={"holds": 0.3, "fails": 0.55, "undecided": 0.491}[state])


def claim_6(runs, state):
    runs.layers(loo={"holds": 0.11, "fails": 0.3, "undecided": 0.149}[state])
    runs.layers(augment="none", loo=0.83)


def cell(views, mode, bits, accuracy, half=None):
    row = {"views": views, "label_mode": mode, "labels_per_parameter_bits": bits, "accuracy_pool": accuracy}
    return row | {"accuracy_half_budget": accuracy - 0.005 if half is None else half}


def claim_7(runs, state):
    much = {"holds": 0.5, "fails": 0.9, "undecided": 0.6985}[state]
    runs.capacity([cell(9, "random", 0.5, 1.0), cell(75, "random", 4.0, much)], spread=0.2)


def claim_8(runs, state):
    same = {"holds": 0.9, "fails": 0.6, "undecided": 0.701}[state]
    for seed, jitter in enumerate((0.0, 0.01, -0.01)):
        row = cell(75, "same", 0.05, same + jitter)
        runs.capacity([cell(75, "random", 4.0, 0.5), row], seeds=(seed,))


def claim_9(runs, state):
    probes = {
        "holds": (0.39, 0.42, 0.45, 0.48),
        "fails": (0.49, 0.48, 0.47, 0.46),
        "undecided": (0.446, 0.42, 0.45, 0.48),
    }[state]
    runs.benign(augment=MILD)
    for views, probe in zip((1, 4, 16, 64), probes, strict=True):
        noise = [probe + s for s in (0, 0.01, -0.01, 0.005, -0.005)]
        runs.benign(augment=MILD, views=views, summary={"probe_accuracy": noise})


def claim_10(runs, state):
    exponent, noise = {"holds": (1.0, 0.02), "fails": (0.4, 0.02), "undecided": (1.15, 0.2)}[state]

    def frontier(position):
        power = exponent + noise * (position - 1)
        return [
            {"parameters": 1000 * 2**k, "samples": round(100 * 2 ** (power * k)), "budget_limited": False}
            for k in range(6)
        ]

    runs.capacity([], frontier=frontier)


def claim_11(runs, state):
    probes = {
        "holds": (0.42, 0.46, 0.49, 0.47, 0.44),
        "fails": (0.42, 0.46, 0.49, 0.50, 0.52),
        "undecided": (0.42, 0.46, 0.49, 0.47, 0.471),
    }[state]
    runs.diversity(probes, (200, 400, 800, 1600, None))


def claim_12(runs, state):
    difference, spread = {"holds": (0.06, 1), "fails": (0.0, 1), "undecided": (0.031, 3)}[state]
    runs.ideal(difference, spread)


def claim_13(runs, state):
    runs.invariance(augment=MILD, gain={"holds": 0.3, "fails": 0.05, "undecided": 0.101}[state])
    runs.invariance(augment="none", gain=0.01)


def claim_14(runs, state):
    for loss in ("mse", "ce"):
        for norm in ("batch", "group"):
            for labels in ({"label_classes": 2}, {}, {"labels": "exemplar"}):
                last = (loss, norm, labels) == ("ce", "group", {"labels": "exemplar"})
                gain = {"holds": 0.05, "fails": -0.05, "undecided": 0.001}[state] if last else 0.05
                options = {"loss": loss, "norm": norm, **labels}
                runs.benign(augment=MILD, **options)
                # The augmented runs have 0.495 and a little more or less; so have these, less the gain.
                noise = [0.495 - gain + s for s in (0.004, 0.0, 0.0, 0.0, 0.0)]
                plain_runs(runs, noise, **options)


def claim_29(runs, state):
    few, all_noisy = {"holds": (0.2, 0.1), "fails": (-0.2, -0.1), "undecided": (0.2, 0.001)}[state]
    runs.location(noise=0.1, last_minus_best=few)
    runs.location(noise=1.0, last_minus_best=all_noisy)


def test_claim_29_is_undecided_where_the_two_shares_of_noise_disagree(runs, judged):
    runs.location(noise=0.1, last_minus_best=0.2)
    runs.location(noise=1.0, last_minus_best=-0.2)
    (line,) = judged(29)
    assert (line.state, line.reason) == ("undecided", "below 0 at one of the two alone")
    assert "put back to epoch 15" in line.measured


def test_claim_29_where_nothing_falls(runs, judged):
    runs.location(noise=0.1, last_minus_best=0.0, spread=0.0)
    runs.location(noise=1.0, last_minus_best=0.0, spread=0.0)
    assert judged(29)[0].state == "undecided"


def test_claim_29_wants_both_shares(runs, judged):
    runs.location(noise=0.1, last_minus_best=0.2)
    assert judged(29)[0].state == "not run"


MAKERS = {name.removeprefix("claim_"): maker for name, maker in dict(globals()).items() if name.startswith("claim_")}


def test_every_claim_is_tried():
    assert {int(number) for number in MAKERS} == set(ROWS)


@pytest.mark.parametrize("state", ["holds", "fails", "undecided"])
@pytest.mark.parametrize("number", MAKERS)
def test_state(number, state, runs, judged):
    MAKERS[number](runs, state)
    (line,) = judged(int(number))
    assert line.state == state, f"{line.measured} ({line.reason})"
    assert bool(line.reason) == (state == "undecided")
    assert line.commands


@pytest.mark.parametrize("number", MAKERS)
def test_not_run(number, runs, judged):
    lines = judged(int(number))
    assert {line.state for line in lines} == {"not run"}
    assert all(line.reason for line in lines)
    assert [line.covers for line in lines] == list(lines[0].criterion.scales)
