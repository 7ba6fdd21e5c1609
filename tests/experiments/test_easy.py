"""`easy`: tables against the stored errors, noise that is noise, and going on after a stop."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from rote import models
from rote.data import load
from rote.data.corruption import corrupted
from rote.experiments import EasyConfig, easy, headline
from rote.experiments.easy.tables import curve_rows, extreme_rows, kind_row
from rote.train import random_labels

FIELDS = {
    "images": 48,
    "examples": 40,
    "runs": 6,
    "together": 3,
    "width": 16,
    "lr": 5e-2,
    "batch_size": 16,
    "epochs": 1,
    "filter_epochs": 1,
    "filter_width": 4,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return easy(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def errors(run, kind):
    return np.concatenate([np.load(run.dir / f"cells/{kind}_runs={r}-{r + 2}.npz")["wrong"] for r in (0, 3)])


def rows(run, name):
    with open(run.dir / name, newline="") as file:
        return list(csv.DictReader(file))


def test_tables_are_those_of_the_stored_errors(run):
    half = np.arange(6) % 2 == 0
    for kind, row in zip(("real", "randX", "randY"), run.summary["rows"], strict=True):
        wrong = errors(run, kind)
        assert wrong.shape == (6, 40)
        used = run.examples["label_randY" if kind == "randY" else "label_true"]
        assert row == pytest.approx(kind_row(kind, wrong, half, used), nan_ok=True)
        assert run.examples[f"error_rate_{kind}"] == pytest.approx(wrong.mean(0))
        assert run.examples[f"error_rate_{kind}_first"] == pytest.approx(wrong[::2].mean(0))
        assert run.examples[f"error_rate_{kind}_second"] == pytest.approx(wrong[1::2].mean(0))
        r = np.corrcoef(wrong[::2].mean(0), wrong[1::2].mean(0))[0, 1]
        assert row["split_half"] == pytest.approx(2 * r / (1 + r))
        assert run.summary[f"over_dispersion_{kind}"] == row["over_dispersion"]
        logged = run.metrics.select(metric="accuracy_clean", kind=kind)
        assert [line["value"] for line in logged] == pytest.approx(1 - wrong.mean(1))
    assert [row["kind"] for row in rows(run, "easy.csv")] == ["real", "randX", "randY"]
    assert {row["kind"] for row in rows(run, "easy_curve.csv")} == {"real", "randX", "randY", "binomial"}
    assert len(headline(run)) == 4


def test_the_network_is_the_papers_on_whitened_images(run):
    built = run.record["architecture"]
    assert (built["name"], built["depth"], built["norm"], built["whiten"]) == ("zhang-mlp", 2, "none", True)
    # 16 x 16 x 3 -> 16 -> 16 -> 10, with biases.
    assert run.summary["parameters"] == 768 * 16 + 16 + 16 * 16 + 16 + 16 * 10 + 10


def test_labels_and_images_of_the_kinds(run):
    bank = load("digits")
    ids = torch.tensor(run.examples["id"])
    assert torch.equal(ids, bank.balanced_order(0)[:40])
    assert np.array_equal(run.examples["label_true"], bank.train.labels[ids].numpy())
    assert np.array_equal(run.examples["label_randY"], random_labels(ids, 10, 0).numpy())
    noise, chosen = corrupted(bank, "gaussian", seed=0, ids=ids)
    assert chosen.all()
    assert noise.float().mean() == pytest.approx(float(bank.train.images.float().mean()), rel=0.05)


def test_sorting_by_the_other_half_shows_no_order_in_chance():
    rng = np.random.default_rng(0)
    half = np.arange(40) % 2 == 0
    wrong = {"randX": rng.random((40, 1000)) < 0.6, "real": rng.random((40, 1000)) < np.linspace(0.05, 0.95, 1000)}
    curve = curve_rows(wrong, half)
    own = {kind: [row for row in curve if row["kind"] == kind] for kind in ("randX", "real", "binomial")}
    assert {len(points) for points in own.values()} == {100}
    flat = [row["error_rate"] for row in own["randX"]]
    assert abs(np.polyfit([row["share"] for row in own["randX"]], flat, 1)[0]) < 0.06
    assert np.polyfit([row["share"] for row in own["real"]], [row["error_rate"] for row in own["real"]], 1)[0] > 0.7
    # Sorted by itself chance rises, as the binomial does.
    for point, reference in zip(own["randX"], own["binomial"], strict=True):
        assert point["error_rate_sorted"] == pytest.approx(reference["error_rate_sorted"], abs=0.04)
    assert [row["error_rate"] for row in own["binomial"]] == pytest.approx([wrong["randX"].mean()] * 100)


def test_extremes_are_chosen_by_one_half_and_told_by_the_other():
    wrong = np.zeros((8, 100), dtype=bool)
    wrong[:, 50:] = True
    wrong[1::2, 0] = True  # right in the half that sorts, wrong in the other
    half = np.arange(8) % 2 == 0
    examples = {"id": np.arange(100) + 7, "label_true": np.arange(100) % 10}
    found = extreme_rows({"real": wrong}, half, examples, {"real": np.arange(100) % 3})
    first = found[0]
    assert (first["id"], first["end"], first["error_rate_sorted_by"], first["error_rate"]) == (7, "easiest", 0, 1)
    assert {row["id"] - 7 >= 50 for row in found if row["end"] == "hardest"} == {True}
    assert [row["label_used"] for row in found[:3]] == [0, 1, 2]


def test_filters_are_those_of_the_first_layer(run):
    with np.load(run.dir / "filters.npz") as stored:
        assert set(stored) == {"init", "real", "randY"}
        built = models.build("closer-look-cnn", in_channels=3, image_size=16, num_classes=10, width=4, seed=0)
        assert stored["real"].shape == (4, 3, 5, 5)
        assert np.array_equal(stored["init"], next(built.parameters()).detach().numpy())
        assert not np.array_equal(stored["real"], stored["init"])
        assert not np.array_equal(stored["real"], stored["randY"])


@pytest.mark.parametrize("moment", [2, 11])
def test_goes_on_where_it_was_killed(run, assert_goes_on, moment):
    assert_goes_on(easy, FIELDS, moment, run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kinds": ()}, "--kinds"),
        ({"kinds": ("real", "real")}, "--kinds"),
        ({"runs": 7}, "--runs"),
        ({"runs": 4}, "--runs"),
        ({"examples": 1}, "--examples"),
        ({"together": 0}, "--together"),
        ({"filter_epochs": -1}, "--filter-epochs"),
        ({"filter_width": 0}, "--filter-width"),
        ({"mixup": "labels"}, "--mixup"),
        ({"label_classes": 4}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        EasyConfig(**change)


def test_more_examples_than_images(tmp_path):
    with pytest.raises(ValueError, match="--examples must be at most 48"):
        easy(**{**FIELDS, "examples": 49}, out=tmp_path)
    with pytest.raises(ValueError, match="--filter-model must be a convolutional network"):
        easy(**{**FIELDS, "filter_model": "mlp", "kinds": ("real",)}, out=tmp_path)
