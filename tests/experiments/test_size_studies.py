"""`size --study convergence` and `--study noise`: times and accuracies beside plain trainings, best widths by hand."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import pytest
import torch

from rote import data, models
from rote.experiments import SizeConfig, headline, size
from rote.experiments.base.launch import launch
from rote.experiments.forecasting.trainings import trainings_of
from rote.experiments.size.convergence import mean_epochs, orders
from rote.experiments.size.noise import Noise, NoisySet
from rote.experiments.size.noisy_capacity import best_widths, over_clean
from rote.experiments.size.studied import Studied, groups
from rote.metrics import clean_accuracy, recalibrated
from rote.train import LabelSource, Seeds, Trainer, TrainingStream

SHARED = {
    "images": 48,
    "widths": (2, 32),
    "width": 32,
    "projector_width": 16,
    "levels": (0.5,),
    "networks": 2,
    "batch_size": 16,
    "lr": 1e-2,
    "device": "cpu",
}
CONVERGENCE = {**SHARED, "study": "convergence", "images": 32, "epochs": 22, "counts": (16, 32)}
NOISE = {**SHARED, "study": "noise", "epochs": 4, "validation_images": 50}


@pytest.fixture(scope="module")
def convergence(tmp_path_factory):
    return size(**CONVERGENCE, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return size(**NOISE, out=tmp_path_factory.mktemp("runs"))


def table(run, name):
    with open(run.dir / name, newline="") as file:
        return list(csv.DictReader(file))


def test_tables_of_convergence(convergence):
    rows = convergence.summary["rows"]
    places = [(row["sweep"], row["width"], row["images"]) for row in rows]
    assert list(dict.fromkeys(places)) == [
        *(("width", 2, 32), ("width", 32, 32), ("images", 32, 16), ("images", 32, 32)),
    ]
    assert {(row["kind"], row["level"]) for row in rows} == {("clean", 0.0), ("inputs", 0.5), ("labels", 0.5)}
    assert [float(row["epochs"]) for row in table(convergence, "convergence.csv")] == [row["epochs"] for row in rows]
    both = [row for row in rows if (row["width"], row["images"]) == (32, 32)]
    assert [{**r, "sweep": ""} for r in both[:3]] == [{**r, "sweep": ""} for r in both[3:]]
    # A narrow network takes longer; nothing takes longer than the cap.
    assert rows[0]["epochs"] > next(row["epochs"] for row in rows if row["width"] == 32)
    assert all(row["epochs"] <= 22 for row in rows)
    for row in rows:
        clean = next(
            r for r in rows if r["kind"] == "clean" and (r["width"], r["images"]) == (row["width"], row["images"])
        )
        if clean["censored"]:
            assert row["ratio"] is None
        else:
            assert row["ratio"] == pytest.approx(row["epochs"] / clean["epochs"])
    assert "epochs to 100 %" in headline(convergence)[0]


@pytest.mark.parametrize("kind", ["clean", "labels"])
def test_times_are_those_of_a_network_alone(convergence, kind):
    """The second network of width 32 on 32 images, trained by itself and asked after every epoch."""
    noise = Noise("clean", 0.0) if kind == "clean" else Noise("labels", 0.5)
    config = SizeConfig(**CONVERGENCE)
    start = launch(config, model=None, data=None, taps=None, fields={})
    images, labels = NoisySet(start.config, start.inputs, 32, 10).of(noise)
    model = models.build("mlp", in_channels=3, image_size=16, num_classes=10, width=32, projector_width=16, seed=1)
    source = LabelSource.fixed(labels, num_classes=10)
    stream = TrainingStream(images, torch.arange(32), source, start.inputs.recipe, 16, Seeds(order=1))
    trainer = Trainer(model, stream, dataclasses.replace(start.config.training(), width=32))
    epoch = 0
    while epoch < 22:
        epoch += 1
        trainer.train_until(epoch * 2)
        with recalibrated(model, images):
            if clean_accuracy(model, images, labels) == 1.0:
                break
    else:
        epoch = None
    (group,) = (convergence.dir / "cells").glob("width=32_images=32_0-*.json")
    looks = json.loads(group.read_text())["looks"]
    epochs = {index: look["epoch"] for look in looks for index in look["fitted"]}
    members = [("clean", 0), ("clean", 1), ("inputs", 0), ("inputs", 1), ("labels", 0), ("labels", 1)]
    assert epochs.get(members.index((kind, 1))) == pytest.approx(epoch, abs=1)


def test_noise_falls_on_the_same_images():
    start = launch(SizeConfig(**NOISE), model=None, data=None, taps=None, fields={})
    own = NoisySet(start.config, start.inputs, 48, 10)
    clean_images, clean_labels = own.of(Noise("clean", 0.0))
    bank = data.load("digits")
    assert torch.equal(clean_images, bank.train.images[start.inputs.order[:48]])
    images, labels = own.of(Noise("inputs", 0.5))
    noisy = (images != clean_images).flatten(1).any(1)
    assert noisy.sum() == 24
    assert torch.equal(labels, clean_labels)
    images, labels = own.of(Noise("labels", 0.5))
    assert torch.equal(images, clean_images)
    assert not (labels != clean_labels)[~noisy].any()
    assert (labels != clean_labels)[noisy].float().mean() > 0.5
    images, labels = own.of(Noise("removed", 0.5))
    assert torch.equal(images, clean_images[~noisy])
    assert torch.equal(labels, clean_labels[~noisy])
    # More noise falls on the same images and others.
    more = (own.of(Noise("inputs", 0.75))[0] != clean_images).flatten(1).any(1)
    assert (more | ~noisy).all()
    mean = clean_images.float().mean()
    assert own.of(Noise("inputs", 0.75))[0][more].float().mean().item() == pytest.approx(mean.item(), rel=0.15)


def test_tables_of_noise(noise):
    rows = noise.summary["rows"]
    kinds = [("clean", 0.0), ("inputs", 0.5), ("labels", 0.5), ("removed", 0.5)]
    assert [(row["width"], row["kind"], row["level"]) for row in rows] == [
        (w, *kind) for w in (2, 32) for kind in kinds
    ]
    for row in rows:
        assert row["images"] == (24 if row["kind"] == "removed" else 48)
        assert row["steps"] == pytest.approx(12, abs=1)
        assert 0 <= row["validation_accuracy"] <= 1
    best = noise.summary["best"]
    assert [(row["kind"], row["level"]) for row in best] == kinds
    assert noise.summary["log2_best_width_inputs"] == over_clean(best, "inputs")
    assert len(table(noise, "best_width.csv")) == 4
    assert "best width" in headline(noise)[0]


@pytest.mark.parametrize(("fields", "moment"), [(CONVERGENCE, 70), (NOISE, 30)])
def test_goes_on_where_it_was_killed(tmp_path, fields, moment, request, without_times, killed_at):
    run = request.getfixturevalue(fields["study"])
    killed_at(moment, lambda: size(**fields, out=tmp_path))
    assert list((tmp_path / run.dir.name / "checkpoints").glob("*.safetensors"))
    again = size(**fields, out=tmp_path)
    assert without_times(again.summary) == without_times(run.summary)


def test_networks_without_statistics_are_asked_together():
    """The accuracies of a fleet in one pass, beside those of each network by itself."""
    config = SizeConfig(**{**CONVERGENCE, "norm": "none"})
    start = launch(config, model=None, data=None, taps=None, fields={})
    studied = Studied(start.config, start.inputs, 10)
    (group,) = groups(8, 300, [Noise("clean", 0.0), Noise("labels", 0.5)], 2, 16)
    fleet = studied.fleet(group, 3, Path("nowhere.safetensors"))
    fleet.train_until(30, lambda: None)
    fleet.stop(1)
    found = studied.accuracies(fleet, group)
    assert list(found) == [0, 2, 3]
    assert found == {
        i: clean_accuracy(fleet.model(i), *studied.noisy_set(300).of(group.members[i].noise)) for i in found
    }
    assert len(set(found.values())) == 3


def test_the_forecast_counts_every_network(convergence, noise):
    for run, fields, images in ((convergence, CONVERGENCE, 32), (noise, NOISE, 48)):
        found = trainings_of(SizeConfig(**fields), images)
        places = {(row["width"], row["images"] if fields is CONVERGENCE else 0) for row in run.summary["rows"]}
        assert len(found) == len(places)
        conditions = {(row["kind"], row["level"]) for row in run.summary["rows"]}
        assert {each.networks for each in found} == {2 * len(conditions)}


def test_censored_times_count_with_the_cap():
    assert mean_epochs([10, None], 100) == 55


def test_orders_by_hand():
    def row(sweep, width, images, kind, ratio, censored=0):
        level = 0.0 if kind == "clean" else 0.5
        own = {"sweep": sweep, "width": width, "images": images, "kind": kind, "level": level}
        return own | {"ratio": ratio, "censored": censored}

    rows = [row("width", w, 64, "inputs", r, c) for w, r, c in ((4, 9.0, 2), (8, 5.0, 0), (16, 6.0, 0), (32, 2.0, 0))]
    rows += [row("images", 16, n, "inputs", r) for n, r in ((16, 1.0), (32, None), (64, 3.0))]
    rows += [row("width", 4, 64, "clean", 1.0)]
    by_width, by_images = orders(rows)
    assert by_width["spearman"] == pytest.approx(-0.8)
    assert (by_width["points"], by_width["bounds"]) == (4, 1)
    assert by_images["spearman"] is None
    assert by_images["points"] == 2


def test_the_best_width_is_the_smallest_of_those_that_are_level():
    def row(width, kind, level, accuracy):
        names = ("width", "kind", "level", "validation_accuracy", "test_accuracy")
        return dict(zip(names, (width, kind, level, accuracy, accuracy - 0.1), strict=True))

    rows = [row(w, "clean", 0.0, a) for w, a in ((4, 0.5), (8, 0.695), (16, 0.7), (32, 0.7))]
    rows += [row(w, "inputs", 0.25, a) for w, a in ((4, 0.3), (8, 0.4), (16, 0.5), (32, 0.6))]
    rows += [row(w, "inputs", 0.5, a) for w, a in ((4, 0.3), (8, 0.4), (16, 0.5), (32, 0.5))]
    best = best_widths(rows, 0.01)
    assert [(row["best_width"], row["highest_width"]) for row in best] == [(8, 16), (32, 32), (16, 16)]
    assert best[0]["test_accuracy"] == pytest.approx(0.595)
    assert best_widths(rows, 0.0)[0]["best_width"] == 16
    assert over_clean(best, "inputs") == pytest.approx(1.5)
    assert over_clean(best, "labels") is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"study": "other"}, "--study"),
        ({"networks": 0}, "--networks"),
        ({"levels": ()}, "--levels must be ascending"),
        ({"levels": (0.5, 0.2)}, "--levels must be ascending"),
        ({"levels": (0.0,)}, "--levels must be above 0"),
        ({"kinds": ()}, "--kinds"),
        ({"kinds": ("inputs", "inputs")}, "--kinds"),
        ({"counts": (1,)}, "--counts"),
        ({"tie": 1.0}, "--tie"),
        ({"schedule": "cosine"}, "--schedule must be constant"),
        ({"study": "noise", "levels": (1.0,)}, "--levels must be above 0 and at most 0.95"),
        ({"study": "noise", "validation_images": 0}, "--validation-images"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        SizeConfig(**{"study": "convergence", **change})


def test_options_that_the_data_does_not_allow(tmp_path):
    with pytest.raises(ValueError, match="--counts must end with the number of images, 32"):
        size(**{**CONVERGENCE, "counts": (8, 16)}, out=tmp_path)
    with pytest.raises(ValueError, match="must be at most 1437"):
        size(**{**NOISE, "validation_images": 1400}, out=tmp_path)


def test_runs_of_memorization_are_what_they_were_without_the_other_studies():
    config = SizeConfig().resolved()
    assert not {"study", "kinds", "levels", "counts", "networks", "validation_images", "tie"} & set(config.as_dict())
    assert config.as_dict()["schedule"] == "cosine"
    place = launch(SizeConfig(), model=None, data=None, taps=None, fields={}).place
    assert place.path.name == "size-4c201d6fcbf5"
    assert SizeConfig.from_dict(config.as_dict()) == config
    other = SizeConfig(study="noise").resolved()
    assert SizeConfig.from_dict(other.as_dict()) == other
