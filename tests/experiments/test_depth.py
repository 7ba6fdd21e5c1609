"""`depth`: equal parameters, the best rate by hand and from the stored looks, going on after a stop."""

from __future__ import annotations

import csv
import json

import pytest

from rote import models
from rote.experiments import DepthConfig, depth, headline
from rote.experiments.depth.tables import best_of_random, best_of_true, comparisons

FIELDS = {
    "images": 32,
    "validation": 40,
    "width": 24,
    "depths": (1, 2),
    "norms": ("batch",),
    "lr": (1e-3, 1e-2),
    "epochs": 30,
    "true_epochs": 2,
    "batch_size": 16,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return depth(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def looks(run, name):
    return json.loads((run.dir / "cells" / f"{name}.json").read_text())["looks"]


def built(shape):
    options = {"in_channels": 3, "image_size": 16, "num_classes": 10, "whiten": True}
    network = models.build("zhang-mlp", **options, depth=shape["depth"], width=shape["width"])
    return network.parameter_counts()["total"]


def test_equal_width_and_equal_parameters(run):
    rows = run.summary["rows"]
    assert [(row["equal"], row["depth"]) for row in rows] == [
        *(("width", 1), ("width", 2), ("parameters", 1), ("parameters", 2))
    ]
    assert [row["width"] for row in rows[:3]] == [24, 24, 24]
    assert [row["parameters"] for row in rows] == [built(row) for row in rows]
    budget, narrowed = rows[2]["parameters"], rows[3]
    assert narrowed["width"] < 24
    assert built(narrowed) <= budget < built({**narrowed, "width": narrowed["width"] + 1})
    # The shallowest network of both comparisons is one and was trained once.
    assert len(list((run.dir / "cells").glob("*.json"))) == 2 * 3


def test_rows_are_those_of_the_stored_looks(run):
    row = run.summary["rows"][1]
    random, true = (looks(run, f"{labels}_norm=batch_depth=2_width=24") for labels in ("random", "true"))
    last = random[-1]
    if row["epochs_to_99"] is not None:
        assert max(value for value in last["accuracy"] if value is not None) >= 0.99
        assert row["epochs_to_99"] == last["epoch"] == len(random)
        assert row["steps_to_99"] == 2 * last["epoch"]
        earlier = [value for look in random[:-1] for value in look["accuracy"] if value is not None]
        assert all(value < 0.99 for value in earlier)
    best = max(range(2), key=lambda n: true[-1]["validation"][n])
    assert row["test_accuracy"] == true[-1]["test"][best]
    assert row["lr_true"] == FIELDS["lr"][best]
    with open(run.dir / "depth_rates.csv", newline="") as file:
        by_rate = list(csv.DictReader(file))
    assert len(by_rate) == 2 * 2 * 3
    assert {row["labels"] for row in by_rate} == {"random", "true"}
    assert "random labels to 99 %" in "\n".join(headline(run))


def test_something_is_memorized(run):
    assert any(row["epochs_to_99"] is not None for row in run.summary["rows"])


def test_the_first_rate_to_know_its_labels_is_the_best():
    rates = (1e-3, 1e-2, 1e-1)
    found = best_of_random([{"epoch": 7, "step": 70, "accuracy": [0.5, 0.992, 0.991]}], rates)
    assert (found["epochs_to_99"], found["steps_to_99"], found["lr_random"]) == (7, 70, 1e-2)
    assert not found["lr_random_at_edge"]
    found = best_of_random([{"epoch": 40, "step": 400, "accuracy": [0.7, None, 0.9]}], rates)
    assert (found["epochs_to_99"], found["random_accuracy"], found["lr_random"]) == (None, 0.9, 1e-1)
    assert found["lr_random_at_edge"]
    found = best_of_random([{"epoch": 40, "step": 400, "accuracy": [None, None, None]}], rates)
    assert (found["random_accuracy"], found["lr_random"]) == (None, None)


def test_true_labels_are_selected_on_the_validation_part():
    look = {"epoch": 4, "train": [1.0, 0.9], "validation": [0.3, 0.4], "test": [0.6, 0.35]}
    found = best_of_true([look], (1e-3, 1e-2))
    assert (found["test_accuracy"], found["validation_accuracy"], found["lr_true"]) == (0.35, 0.4, 1e-2)
    broken = {"epoch": 4, "train": [None] * 2, "validation": [None] * 2, "test": [None] * 2}
    assert best_of_true([broken], (1e-3, 1e-2))["test_accuracy"] is None


def test_comparisons_by_hand():
    def row(dial, epochs, validation, test):
        own = {"equal": "width", "norm": "batch", "depth": dial, "epochs_to_99": epochs}
        return own | {"validation_accuracy": validation, "test_accuracy": test}

    rows = [row(1, 30, 0.4, 0.41), row(2, 20, 0.5, 0.45), row(4, 10, 0.45, 0.47), row(8, None, 0.4, 0.43)]
    (found,) = comparisons(rows)
    # Ranks 1, 2, 3, 4 against 3, 2, 1, 4.
    assert found["spearman_depth_epochs"] == pytest.approx(0.2)
    assert (found["best_depth"], found["deepest"]) == (2, 8)
    assert found["test_change"] == pytest.approx(-0.02)
    rows[3]["test_accuracy"] = None
    assert comparisons(rows)[0]["test_change"] is None


@pytest.mark.parametrize("moment", [3, 40])
def test_goes_on_where_it_was_killed(run, assert_goes_on, moment):
    assert_goes_on(depth, FIELDS, moment, run)


def test_a_rate_that_diverges_is_none_of_the_best(tmp_path):
    found = depth(**{**FIELDS, "lr": (1e-3, 1e30), "norms": ("none",), "equal": ("width",), "epochs": 3}, out=tmp_path)
    for row in found.summary["rows"]:
        assert row["lr_true"] == 1e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depths": (2,)}, "--depths"),
        ({"depths": (2, 1)}, "--depths"),
        ({"lr": ()}, "--lr"),
        ({"lr": (1e-2, 1e-3)}, "--lr"),
        ({"equal": ()}, "--equal"),
        ({"norms": ("batch", "batch")}, "--norms"),
        ({"depth": 3}, "--depth "),
        ({"width": None}, "--width"),
        ({"validation": 0}, "--validation"),
        ({"true_epochs": 0}, "--true-epochs"),
        ({"mixup": "labels"}, "--mixup"),
        ({"label_classes": 4}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        DepthConfig(**change)
