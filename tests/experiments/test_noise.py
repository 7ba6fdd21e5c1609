"""`noise`: what each training sees, how fast it fitted, and going on after a stop."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

import rote
from rote import models
from rote.data import corrupt_inputs, pixel_statistics
from rote.experiments import NoiseConfig, headline, noise
from rote.experiments.forecasting.forecaster import Forecaster
from rote.experiments.inputs.loading import load_inputs
from rote.experiments.noise.cells import CONDITIONS, Cell, CellSource, cells_of, central
from rote.experiments.noise.fitting import Epoch, epochs_to_accuracy, epochs_to_loss
from rote.train import corrupt_labels, random_labels

FIELDS = {
    "data": "digits",
    "images": 64,
    "model": "zhang-mlp",
    "width": 32,
    "lr": 0.05,
    "epochs": 24,
    "evaluations": 2,
    "batch_size": 32,
    "levels": (0.5,),
    "grid": True,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return noise(**FIELDS, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def source():
    config = NoiseConfig(**FIELDS).resolved()
    return CellSource(config, load_inputs(config), 10)


def test_every_training_has_a_row(run):
    rows = run.summary["rows"]
    with open(run.dir / "noise.csv", newline="") as file:
        assert [row["test_accuracy"] for row in csv.DictReader(file)] == [str(row["test_accuracy"]) for row in rows]
    assert [(row["condition"], row["corruption"]) for row in rows[:6]] == [
        *((name, 0.0 if name == "true" else 1.0) for name in CONDITIONS),
        ("random-labels", 0.5),
    ]
    grid = {(row["condition"], row["crop"], row["weight_decay"]) for row in rows if row["corruption"] != 0.5}
    assert grid >= {(name, c, d) for name in ("true", "random-labels") for c in (False, True) for d in (0.0, 5e-4)}
    assert len(rows) == 12
    own = models.build("zhang-mlp", in_channels=3, image_size=14, num_classes=10, width=32, norm="none")
    assert {row["parameters"] for row in rows} == {own.parameter_counts()["total"]}
    assert run.record["architecture"]["image_size"] == [14, 14]
    assert "accuracy" in headline(run)[1]
    true = rows[0]
    assert true["train_accuracy"] > 0.9 > 0.15 > abs(rows[4]["test_accuracy"] - 0.1)


def test_times_are_those_of_the_epochs(run):
    for row in run.summary["rows"]:
        about = {key: row[key] for key in ("condition", "corruption", "crop", "weight_decay")}
        running = run.metrics.select(metric="accuracy_running", **about)
        assert [line["epoch"] for line in running] == list(range(1, 25))
        assert [line["step"] for line in running] == list(range(2, 49, 2))
        reached = [line["step"] for line in running if line["value"] >= 0.9]
        assert row["steps_to_90"] == (reached[0] if reached else None)
        assert row["train_accuracy_running"] == running[-1]["value"]
        clean = run.metrics.select(metric="accuracy_clean", **about)
        assert [line["epoch"] for line in clean] == [12, 24]
        assert row["train_accuracy"] == clean[-1]["value"]


def test_examples_say_what_was_trained_on(run):
    examples = run.examples
    ids = torch.tensor(examples["id"])
    labels = torch.tensor(examples["label_true"])
    assert torch.equal(labels, rote.data.load("digits").train.labels[ids])
    name = "random-labels_1_crop=center_decay=0"
    assert examples[f"label_redrawn_{name}"].all()
    assert np.array_equal(examples[f"label_used_{name}"], random_labels(ids, 10, 0).numpy())
    assert np.array_equal(examples[f"is_corrupted_{name}"], examples[f"label_used_{name}"] != labels.numpy())
    half = "random-labels_0.5_crop=center_decay=0"
    used, redrawn = corrupt_labels(labels, ids, 10, 0, p=0.5, kind="coin")
    assert np.array_equal(examples[f"label_used_{half}"], used.numpy())
    assert np.array_equal(examples[f"label_redrawn_{half}"], redrawn.numpy())
    assert examples["is_corrupted_gaussian_1_crop=center_decay=0"].all()
    assert not examples["is_corrupted_true_0_crop=random_decay=0"].any()
    for row in run.summary["rows"]:
        crop = "random" if row["crop"] else "center"
        cell = f"{row['condition']}_{row['corruption']:g}_crop={crop}_decay={row['weight_decay']:g}"
        assert examples[f"correct_{cell}"].mean() == pytest.approx(row["train_accuracy"])


def test_every_condition_sees_what_it_says(source):
    bank, ids = source.inputs.bank, source.inputs.image_ids
    middle = bank.train.images[:, :, 1:15, 1:15]
    clean_test = bank.test.images[:, :, 1:15, 1:15]
    for name in CONDITIONS:
        data = source.data(Cell(name, 0.0 if name == "true" else 1.0, False, 0.0))
        assert data.images.shape[1:] == (3, 14, 14)
        assert torch.equal(data.images, data.cropped)
        if name in ("true", "random-labels"):
            assert torch.equal(data.cropped[ids], middle[ids])
        else:
            noisy, _ = corrupt_inputs(
                bank.train.images[ids], ids, name, seed=0, statistics=pixel_statistics(bank.train.images)
            )
            assert torch.equal(data.cropped[ids], noisy[:, :, 1:15, 1:15])
        assert torch.equal(data.label_used, source.inputs.label_true) == (name != "random-labels")
        assert torch.equal(data.test, clean_test) == (name != "shuffled-pixels")
        assert data.test_inputs == ("shuffled-pixels" if name == "shuffled-pixels" else "clean")
    # A part of the images with shuffled pixels is no other data set: the test images stay what they are.
    assert source.data(Cell("shuffled-pixels", 0.5, False, 0.0)).test_inputs == "clean"


def test_random_crops_are_windows_of_whole_images(source):
    data = source.data(Cell("true", 0.0, True, 0.0))
    ids = source.inputs.image_ids
    assert data.images.shape[1:] == (3, 16, 16)
    assert torch.equal(data.cropped[ids], source.inputs.bank.train.images[ids][:, :, 1:15, 1:15])
    x = data.recipe(data.images, ids[:8], torch.arange(8), seed=0)
    shown = (255 * x).round().to(torch.uint8)
    for image, window in zip(data.images[ids[:8]], shown, strict=True):
        found = [torch.equal(image[:, t : t + 14, s : s + 14], window) for t in range(3) for s in range(3)]
        assert any(found)


@pytest.mark.parametrize("moment", [30, 200])
def test_goes_on_where_it_was_killed(tmp_path, run, without_times, killed_at, moment):
    killed_at(moment, lambda: noise(**FIELDS, out=tmp_path))
    assert list((tmp_path / run.dir.name / "checkpoints").glob("*.safetensors"))
    again = noise(**FIELDS, out=tmp_path)

    def timeless(summary):
        return without_times({**summary, "rows": [without_times(row) for row in summary["rows"]]})

    assert timeless(again.summary) == timeless(run.summary)
    assert list(again.metrics) == list(run.metrics)
    for column, values in run.examples.items():
        assert np.array_equal(again.examples[column], values), column


def test_a_training_that_diverges_leaves_the_others(tmp_path):
    fields = {**FIELDS, "grid": False, "levels": (), "lr": 1e30, "conditions": ("true", "random-labels"), "epochs": 2}
    found = noise(**fields, out=tmp_path)
    assert [row["diverged"] for row in found.summary["rows"]] == [True, True]
    assert found.summary["rows"][0]["test_accuracy"] is None
    assert "diverged" in headline(found)[1]
    assert not list((found.dir / "checkpoints").glob("*"))


def test_forecasts_count_every_cell(run, tmp_path):
    forecast = Forecaster().forecast(NoiseConfig(**FIELDS, out=tmp_path))
    assert forecast.steps == sum(row["steps"] for row in run.summary["rows"])
    assert forecast.samples == 32 * forecast.steps
    assert forecast.seconds > 0
    assert not list(tmp_path.iterdir())


def test_fitting_times():
    epochs = [Epoch(1, 2.0, 0.2), Epoch(2, 0.5, 0.8), Epoch(3, 0.1, 0.99), Epoch(4, 0.3, 0.9)]
    assert epochs_to_accuracy(epochs, 0.8) == 2
    assert epochs_to_accuracy(epochs, 0.99) == 3
    assert epochs_to_accuracy(epochs, 0.995) is None
    # Half-way between .5 at the end of epoch 2 and .1 at the end of epoch 3.
    assert epochs_to_loss(epochs, 0.3) == pytest.approx(2.5)
    assert epochs_to_loss(epochs, 2.5) == 1.0
    assert epochs_to_loss(epochs, 0.05) is None
    assert epochs_to_loss([], 0.1) is None


def test_defaults_are_the_papers():
    inception, plain = NoiseConfig().resolved(), NoiseConfig(model="zhang-mlp", depth=3).resolved()
    assert (inception.lr, inception.norm) == (0.1, "batch")
    assert (plain.lr, plain.norm) == (0.01, "none")
    assert NoiseConfig(lr=0.3, norm="none").resolved().lr == 0.3
    training = inception.training()
    assert (training.optimizer, training.momentum, training.schedule, training.decay) == (
        *("sgd", 0.9),
        *("exponential", 0.95),
    )
    assert inception.crop_of((32, 32)) == (28, 28)
    assert len(cells_of(NoiseConfig())) == 8
    assert len(cells_of(NoiseConfig(grid=True))) == 14
    image = torch.arange(5 * 4, dtype=torch.uint8).view(1, 1, 5, 4)
    assert torch.equal(central(image, (3, 2)), image[:, :, 1:4, 1:3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conditions": ("true", "snow")}, "--conditions"),
        ({"conditions": ("true", "true")}, "--conditions"),
        ({"levels": (0.0,)}, "--levels"),
        ({"levels": (0.5, 0.5)}, "--levels"),
        ({"conditions": (), "levels": ()}, "nothing to train"),
        ({"grid": True, "weight_decay": 0.1}, "--weight-decay"),
        ({"grid_weight_decay": 0.0}, "--grid-weight-decay"),
        ({"crop": 0}, "--crop"),
        ({"threshold": 0.0}, "--threshold"),
        ({"evaluations": 61}, "--evaluations"),
        ({"augment": "digits"}, "--augment"),
        ({"label_classes": 4}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        NoiseConfig(**change)


def test_what_does_not_fit_the_data_is_refused(tmp_path):
    with pytest.raises(ValueError, match="--crop must be at most 16"):
        noise(**FIELDS, crop=17, out=tmp_path)
    with pytest.raises(ValueError, match="name of a network"):
        noise(model=torch.nn.Linear(1, 1))
    assert not list(tmp_path.iterdir())
