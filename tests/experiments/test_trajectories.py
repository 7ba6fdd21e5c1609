"""`trajectories`: tables against the stored losses, selection on the validation part alone, going on after a stop."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow.parquet
import pytest
import torch

from rote.data import load
from rote.experiments import TrajectoriesConfig, headline, trajectories
from rote.experiments.inputs.validation import divide
from rote.experiments.trajectories.observing import Level
from rote.experiments.trajectories.tables import heat_map, level_row
from rote.train import redraw_labels

FIELDS = {
    "images": 64,
    "validation": 40,
    "model": "mlp",
    "width": 16,
    "projector_width": 16,
    "noise": (0.0, 0.4, 1.0),
    "epochs": 6,
    "batch_size": 32,
    "lr": 1e-2,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trajectories(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def rows(run, name):
    with open(run.dir / name, newline="") as file:
        return list(csv.DictReader(file))


def dynamics(run, noise, network, epoch):
    place = run.dir / "cells" / f"noise={noise}_network={network}" / "dynamics"
    table = pyarrow.parquet.read_table(place / f"epoch={epoch:04d}.eval_pass.parquet")
    found = {name: table[name].to_numpy(zero_copy_only=False) for name in ("example_id", "loss", "correct")}
    row = np.argsort(found.pop("example_id"))
    return {name: column[row][np.argsort(np.argsort(run.examples["id"]))] for name, column in found.items()}


def test_validation_images_are_not_trained_on(run):
    bank = load("digits")
    parts = divide(bank, 64, 40, 0)
    assert not set(parts.train.tolist()) & set(parts.validation.tolist())
    assert np.array_equal(run.examples["id"], parts.train.numpy())
    counts = torch.bincount(bank.train.labels[parts.train])
    assert int(counts.max() - counts.min()) <= 1
    assert torch.equal(parts.validation, divide(bank, 30, 40, 0).validation)
    for images, validation in ((1400, 64), (None, 1437), (10, 0)):
        with pytest.raises(ValueError, match="--validation and --images must be"):
            divide(bank, images, validation, 0)


def test_rows_are_those_of_the_stored_answers(run):
    examples = run.examples
    table = {(float(r["noise"]), int(r["network"]), int(r["epoch"])): r for r in rows(run, "trajectories.csv")}
    assert len(table) == 3 * 2 * 7
    for noise, name in ((0.0, "0"), (0.4, "0.4"), (1.0, "1")):
        found = dynamics(run, name, 1, 5)
        wrong = examples[f"is_corrupted_{name}"]
        assert np.array_equal(wrong, examples[f"label_used_{name}"] != examples["label_true"])
        row = table[noise, 1, 5]
        right = found["correct"]
        assert float(row["train_accuracy"]) == pytest.approx(right.mean())
        assert float(row["fit_clean"]) == pytest.approx(right[~wrong].mean())
        assert float(row["loss_clean"]) == pytest.approx(found["loss"][~wrong].mean(), rel=1e-5)
        if noise:
            assert float(row["fit_corrupted"]) == pytest.approx(right[wrong].mean())
        else:
            assert row["fit_corrupted"] == row["loss_corrupted"] == ""
    assert examples["label_redrawn_0.4"].sum() == 64 - int(64 * 0.6)
    assert len(headline(run)) == 4


def test_scores_are_those_of_the_recorded_epochs(run):
    for network, half in ((0, "first"), (1, "second")):
        epochs = [dynamics(run, "0.4", network, epoch) for epoch in range(7)]
        losses, right = (np.stack([epoch[name] for epoch in epochs]) for name in ("loss", "correct"))
        assert run.examples[f"mean_loss_0.4_{half}"] == pytest.approx(losses.mean(0), rel=1e-5)
        assert run.examples[f"correctness_0.4_{half}"] == pytest.approx(right.mean(0))
        assert run.examples[f"forgetting_events_0.4_{half}"] == pytest.approx((right[:-1] & ~right[1:]).sum(0))
    heat = run.table("trajectories_heatmap.parquet")
    assert set(heat["noise"]) == {0.0, 0.4, 1.0}
    assert len(heat["loss"]) == 3 * 7 * 50


def test_selection_is_on_the_noisy_validation_part(run):
    table = rows(run, "trajectories.csv")
    for level in run.summary["rows"]:
        selected, finals = [], []
        for network in "01":
            own = [r for r in table if float(r["noise"]) == level["noise"] and r["network"] == network]
            best = max(own[1:], key=lambda r: (float(r["validation_accuracy"]), -int(r["epoch"])))
            selected.append(float(best["test_accuracy"]))
            finals.append(float(own[-1]["test_accuracy"]))
        assert level["test_selected"] == pytest.approx(np.mean(selected))
        assert level["test_final"] == pytest.approx(np.mean(finals))
        assert level["test_gain"] == pytest.approx(np.mean(selected) - np.mean(finals))
        assert level["third_epoch"] == 2


def test_level_rows_by_hand():
    def row(network, epoch, validation, oracle, test, clean, corrupted, train):
        names = ("network", "epoch", "validation_accuracy", "validation_accuracy_oracle", "test_accuracy")
        names += ("fit_clean", "fit_corrupted", "train_accuracy")
        return dict(zip(names, (network, epoch, validation, oracle, test, clean, corrupted, train), strict=True))

    table = [
        row(0, 0, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1),  # before training: never selected
        row(0, 1, 0.4, 0.5, 0.50, 0.6, 0.1, 0.3),
        row(0, 2, 0.4, 0.6, 0.55, 0.8, 0.2, 0.5),
        row(0, 3, 0.3, 0.4, 0.60, 0.9, 0.9, 0.9),  # the best test accuracy, selected by nobody
    ]
    level = Level(0.4, *[torch.zeros(3, dtype=torch.int64), torch.tensor([1, 1, 0]).bool()], torch.zeros(3), None)
    found = level_row(table, level)
    assert (found["selected_epoch"], found["test_selected"], found["test_final"]) == (1, 0.5, 0.6)
    assert found["fit_gap_at_peak"] == pytest.approx(0.5)
    assert (found["oracle_epoch"], found["test_oracle"]) == (2, 0.55)
    assert (found["fitted_at_third"], found["third_epoch"], found["redrawn"]) == (0.3, 1, 2)


def test_validation_labels_are_as_noisy():
    bank = load("digits")
    parts = divide(bank, 100, 50, 0)
    level = Level.of(bank, parts, 0.4, 10, 0)
    expected, redrawn = redraw_labels(bank.train.labels[parts.validation], parts.validation, 10, 0, 0.4)
    assert torch.equal(level.validation_used, expected)
    assert int(redrawn.sum()) == 20


def test_heat_map_sorts_by_one_half_and_shows_the_other():
    rng = np.random.default_rng(0)
    noise = rng.random((4, 3, 500)).astype(np.float32)
    ease = noise + 10 * np.arange(500)[::-1]  # the last example is the easiest
    level = Level(0.5, None, None, torch.arange(500) < 250, None)
    for losses, slope in ((ease, True), (noise, False)):
        found = {name: np.array(values) for name, values in heat_map({0.5: losses}, [level]).items()}
        last = found["loss"][found["epoch"] == 2]
        assert len(last) == 50
        assert np.array_equal(found["bin"][found["epoch"] == 2], np.arange(50))
        rise = np.corrcoef(np.arange(50), last)[0, 1]
        assert rise > 0.99 if slope else abs(rise) < 0.5
        if slope:
            assert found["share_corrupted"][0] == 0
            assert found["share_corrupted"][-1] == 1
            # Examples 490 to 499 are the first ten, and the mean of the last two networks is shown.
            assert last[0] == pytest.approx(losses[2:, 2, 490:].mean(), rel=1e-5)


def test_networks_are_trained(run):
    table = [row for row in rows(run, "trajectories.csv") if row["noise"] == "0.0"]
    assert np.mean([float(row["loss_clean"]) for row in table if row["epoch"] == "6"]) < np.mean(
        [float(row["loss_clean"]) for row in table if row["epoch"] == "0"]
    )
    assert {row["running_accuracy"] for row in table if row["epoch"] == "0"} == {""}
    # Both networks begin at weights of their own, and those of another share at the same ones.
    starts = {(noise, network): dynamics(run, noise, network, 0)["loss"] for noise in ("0", "1") for network in (0, 1)}
    assert not np.array_equal(starts["0", 0], starts["0", 1])
    same = run.examples["label_used_1"] == run.examples["label_true"]
    assert np.array_equal(starts["0", 0][same], starts["1", 0][same])


@pytest.mark.parametrize("moment", [3, 9])
def test_goes_on_where_it_was_killed(run, assert_goes_on, moment):
    assert_goes_on(trajectories, FIELDS, moment, run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": ()}, "--noise"),
        ({"noise": (0.4, 0.4)}, "--noise"),
        ({"noise": (1.4,)}, "--noise"),
        ({"networks": 3}, "--networks"),
        ({"validation": 0}, "--validation"),
        ({"epochs": 10}, "--epochs must be a multiple of three"),
        ({"mixup": "labels"}, "--mixup"),
        ({"label_classes": 4}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        TrajectoriesConfig(**change)
