"""What a summary of `location` takes from its tables: from which rows, and by which statistic."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rote.experiments.location.summary import summary_of

CONFIG = SimpleNamespace(parts=("some",), early=2, bn="recalibrated")


def summary(name, rows):
    found = summary_of({name: rows, "not done": []}, CONFIG)
    assert found.pop("parts") == ["some"]
    return found


def rewinding_row(kind, name, epoch, unpermuted, first, second, bn="recalibrated", replaced="alone"):
    both = {"permuted_first": first, "permuted_second": second, "permuted": (first + second) / 2}
    about = {"kind": kind, "name": name, "epoch": epoch, "bn": bn, "replaced": replaced}
    return about | both | {"unpermuted": unpermuted, "restored": 0.25, "test": 0.125}


def test_rewinding():
    rows = [
        rewinding_row("none", "none", 9, 0.5, 0.0, 0.0, bn="running"),
        rewinding_row("none", "none", 9, 1.0, 1.0, 0.9),
        rewinding_row("block", "stage1", 2, 0.8, 0.6, 0.5),
        rewinding_row("block", "stage2", 2, 0.9, 0.3, 0.4),
        rewinding_row("block", "projector", 2, 0.7, 0.2, 0.1),
        rewinding_row("block", "stage1", 0, 0.2, 0.1, 0.1),
        rewinding_row("block", "stage2", 0, 0.2, 0.3, 0.3),
        rewinding_row("block", "projector", 0, 0.2, 0.4, 0.4),
        rewinding_row("layer", "stage1", 2, 0.8, 0.6, 0.5),
        rewinding_row("layer", "hidden", 2, 0.8, 0.1, 0.2),
        rewinding_row("layer", "logits", 2, 0.8, 0.4, 0.3),
        rewinding_row("block", "stage1", 2, 0.0, 0.0, 0.0, replaced="and later"),
    ]
    found = summary("rewinding", rows)
    assert [found[f"accuracy_{kind}"] for kind in ("unpermuted", "permuted", "restored", "test")] == [
        *(1.0, 0.95, 0.25, 0.125)
    ]
    assert found["rewound_epoch"] == 2
    assert (found["last_block"], found["best_other_block"]) == ("projector", "stage2")
    assert found["fall_permuted"] == pytest.approx({"stage1": 0.4, "stage2": 0.6, "projector": 0.8})
    assert found["fall_unpermuted"] == pytest.approx({"stage1": 0.2, "stage2": 0.1, "projector": 0.3})
    assert found["fall_permuted_last"] == pytest.approx(0.8)
    assert found["fall_permuted_best_other"] == pytest.approx(0.6)
    # Either half chooses stage2: (.8 - .5 + .8 - .7) / 2; at initialization stage1, (.5 - .8 + .6 - .9) / 2.
    assert found["last_minus_best_other"] == pytest.approx(0.2)
    assert found["last_minus_best_other_init"] == pytest.approx(-0.3)
    assert found["last_minus_best_other_layers"] == pytest.approx(-0.2)
    without = [{**row, "unpermuted": None} for row in rows]
    assert summary("rewinding", without)["fall_unpermuted"] is None


def test_retraining_is_told_of_blocks_at_its_end():
    rows = [
        {"kind": kind, "name": name, "epoch": epoch, "unpermuted": 0.5 + epoch / 10, "permuted": 0.1, "test": epoch / 4}
        for kind, name in (("block", "stage1"), ("block", "projector"), ("layer", "stage1"), ("layer", "logits"))
        for epoch in (0, 2)
    ]
    assert summary("retraining", rows) == {
        "retrained_unpermuted": {"stage1": 0.7, "projector": 0.7},
        "retrained_permuted": {"stage1": 0.1, "projector": 0.1},
        "retrained_test": {"stage1": 0.5, "projector": 0.5},
    }


def test_gradients_oppose_each_other_most_in_one_block_at_one_epoch():
    rows = [
        {"kind": kind, "epoch": epoch, "cosine": cosine}
        for kind, epoch, cosine in (
            *(("block", 0, 0.2), ("block", 3, -0.5), ("block", 9, -0.1)),
            *(("block", 9, None), ("layer", 9, -0.9)),
        )
    ]
    assert summary("gradients", rows) == {"lowest_cosine": -0.5, "lowest_cosine_epoch": 3}
    assert summary("gradients", rows[3:]) == {}


def test_tied_dropout_before_and_after_channels_are_dropped():
    value = {"own": 0.9, "expected": 0.6, "dropped": 0.1}
    rows = [
        {"epoch": epoch, "state": state, "bn": bn}
        | dict.fromkeys(("unpermuted", "permuted", "restored", "test"), value[state])
        for epoch, bn in ((4, "recalibrated"), (4, "running"))
        for state in value
    ]
    rows += [{**row, "epoch": 2, "permuted": 0.0} for row in rows]
    for row in rows:
        if row["bn"] == "running":
            row["test"] = 0.0
    found = summary("tied", rows)
    assert found == {
        f"tied_{kind}_{when}": value[state]
        for kind in ("unpermuted", "permuted", "restored", "test")
        for when, state in (("before", "expected"), ("dropped", "dropped"))
    }


def test_neurons_by_their_median_and_their_layers():
    rows = [
        {"kind": kind, "neurons": count, "flipped": count < 9}
        for kind, counts in (("permuted", (1, 2, 9)), ("unpermuted", (4, 9, 9)))
        for count in counts
    ]
    found = summary("neurons", rows)
    assert (found["neurons_permuted"], found["neurons_unpermuted"], found["neuron_examples"]) == (2, 9, 3)
    assert (found["flipped_permuted"], found["flipped_unpermuted"]) == pytest.approx((2 / 3, 1 / 3))
    zeroed = [{"kind": "permuted", "layer": name} for name in ("b", "a", "b", "b")] + [
        {"kind": "unpermuted", "layer": "c"}
    ]
    assert summary("zeroed", zeroed) == {"neuron_layers": {"a": 0.25, "b": 0.75}}


def test_geometry_is_of_the_encoders_last_layer_at_the_end():
    rows = [
        {"epoch": epoch, "part": part, "depth": depth, "examples": kind, "capacity": epoch + depth / 10 + more}
        for epoch in (0, 9)
        for part, depth in (("encoder", 1), ("encoder", 2), ("projector", 3))
        for kind, more in (("permuted", 0.01), ("test", 0.02))
    ]
    found = summary("geometry", rows)
    assert found == pytest.approx({"capacity_permuted": 9.21, "capacity_test": 9.22})


def test_the_latent_layer_is_chosen_before_the_end():
    own = {"own_accuracy": 0.3}
    rows = [
        own | {"epoch": epoch, "layer": layer, "method": method, "labels": labels, "accuracy": accuracy}
        for epoch, layer, method, labels, accuracy in (
            (0, "a", "linear", "used", 0.2),
            (3, "a", "linear", "used", 0.6),
            (3, "b", "linear", "used", 0.5),
            (9, "a", "linear", "used", 0.4),
            (9, "b", "linear", "used", 0.8),
            (3, "b", "knn", "used", 0.9),
            (3, "b", "linear", "true", 0.9),
        )
    ]
    found = summary("latent", rows)
    assert (found["latent_layer"], found["latent_best_epoch"], found["latent_best_accuracy"]) == ("a", 3, 0.6)
    assert (found["latent_accuracy"], found["own_accuracy"]) == (0.4, 0.3)
    assert found["latent_gain"] == pytest.approx(0.1)
