"""`regularize`: tables from the trainings, falls by hand, the search's points, and going on after a stop."""

from __future__ import annotations

import csv

import pytest
import torch

from rote import models
from rote.experiments import RegularizeConfig, regularize
from rote.experiments.base.launch import launch
from rote.experiments.forecasting.trainings import trainings_of
from rote.experiments.regularize.run import RegularizeRun
from rote.experiments.regularize.search import CriticalPoints
from rote.experiments.regularize.settings import settings
from rote.experiments.regularize.trade_off import falls, largest_fall
from rote.runs.folder import read_json

FIELDS = {
    "data": "digits",
    "images": 48,
    "validation_images": 40,
    "test_images": 60,
    "model": "mlp",
    "width": 12,
    "projector_width": 12,
    "lr": 1e-2,
    "epochs": 3,
    "batch_size": 16,
    "evaluations": 3,
    "techniques": ("dropout", "dropout+adversarial"),
    "dropout": (0.5,),
    "adversarial": (0.5,),
    "adversarial_dropout": (0.2,),
    "adversarial_iterations": 2,
    "device": "cpu",
}
TIMES = ("seconds",)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return regularize(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def table(run, name):
    with open(run.dir / name, newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_those_of_the_trainings(run):
    rows = run.summary["rows"]
    assert [(row["technique"], row["strength"], row["adversarial"]) for row in rows] == [
        *(("none", 0.0, 0.0), ("dropout", 0.5, 0.0), ("dropout+adversarial", 0.2, 0.5))
    ]
    assert [float(row["test_selected"]) for row in table(run, "regularize.csv")] == [r["test_selected"] for r in rows]
    for row, name in zip(rows, ("none", "dropout=0.5", "dropout+adversarial=0.2_adversarial=0.5"), strict=True):
        real, random = (read_json(run.dir / "cells" / f"{kind}_{name}.json")["looks"] for kind in ("true", "random"))
        assert [look["epoch"] for look in real] == [1, 2, 3]
        assert row["random_train_accuracy"] == random[-1]["train_accuracy"]
        best = max(look["validation"] for look in real)
        (chosen,) = [look for look in real if look["epoch"] == row["selected_epoch"]]
        assert chosen["validation"] == best == row["validation_selected"]
        assert all(look["validation"] < best for look in real if look["epoch"] < row["selected_epoch"])
        assert row["test_selected"] == chosen["test"]
        assert row["test_final"] == real[-1]["test"]
        assert "test" not in random[-1]
    assert run.summary["falls"][0]["technique"] == run.summary["order"][0]
    curves = table(run, "loss_curves.csv")
    assert [int(row["epoch"]) for row in curves] == [1, 2, 3] * 6
    assert all(0 < float(row["running_loss"]) < 10 for row in curves)
    assert all(bool(row["test"]) == (row["labels"] == "true") for row in curves)


@pytest.mark.parametrize("moment", [4, 25, 52])
def test_goes_on_where_it_was_killed(tmp_path, run, without_times, killed_at, moment):
    killed_at(moment, lambda: regularize(**FIELDS, out=tmp_path))
    assert not (tmp_path / run.dir.name / "summary.json").exists()
    again = regularize(**FIELDS, out=tmp_path)
    assert without_times(again.summary) == without_times(run.summary)
    assert table(again, "loss_curves.csv") == table(run, "loss_curves.csv")


def test_settings_are_a_curve_for_each_technique():
    found = settings(RegularizeConfig())
    assert [setting.technique for setting in found].count("none") == 1
    assert len({setting.name for setting in found}) == len(found) == 25
    for setting in found:
        others = {"dropout", "input_dropout", "input_noise", "hidden_noise"} - {setting.technique.replace("-", "_")}
        if setting.technique == "dropout+adversarial":
            others.discard("dropout")
            assert setting.adversarial > 0
        assert not any(getattr(setting.regularizers, name) for name in others)
        assert (setting.weight_decay > 0) == (setting.technique == "weight-decay")


def test_test_images_are_balanced():
    start = launch(RegularizeConfig(**{**FIELDS, "test_images": 50}), model=None, data=None, taps=None, fields={})
    found = RegularizeRun(start.config, start.inputs, None, 10)
    assert torch.bincount(start.inputs.bank.test.labels[found.test_ids]).tolist() == [5] * 10
    assert not set(found.validation_ids.tolist()) & set(start.inputs.image_ids.tolist())


def test_the_forecast_counts_every_network(run):
    config = RegularizeConfig(**FIELDS)
    found = trainings_of(config, 48)
    assert sum(each.networks for each in found) == len(list((run.dir / "cells").iterdir())) == 6
    assert [each.step_cost for each in found] == [1.0, 4.0]


def test_falls_by_hand():
    # Dropout loses a point of real accuracy for 40 points of random, then nine for 50 more: two points are an eighth
    # of the second stretch.
    fall = largest_fall("dropout", (0, 0.5, 0.9), (1.0, 0.6, 0.1), (0.50, 0.49, 0.41), cost=0.02)
    assert fall.fall == pytest.approx(0.4 + 0.5 / 8)
    assert fall.strength == pytest.approx(0.5 + 0.4 / 8)
    assert fall.cost == pytest.approx(0.02)
    assert not fall.strongest
    free = largest_fall("noise", (0, 1, 2), (1.0, 0.9, 0.2), (0.50, 0.51, 0.49), cost=0.02)
    assert (free.fall, free.strength, free.strongest) == (pytest.approx(0.8), 2, True)
    # Behind a costly strength a cheap one counts again, from where the line comes back.
    back = largest_fall("noise", (0, 1, 2), (1.0, 0.9, 0.2), (0.50, 0.46, 0.50), cost=0.02)
    assert back.fall == pytest.approx(0.8)
    useless = largest_fall("decay", (0, 1), (0.9, 0.95), (0.5, 0.5), cost=0.02)
    assert (useless.fall, useless.strength) == (0.0, 0.0)
    with pytest.raises(ValueError, match="begin at 0"):
        largest_fall("dropout", (0.1, 0.5), (1, 1), (1, 1), cost=0.02)
    with pytest.raises(ValueError, match="as many as"):
        largest_fall("dropout", (0, 0.5), (1, 1, 1), (1, 1), cost=0.02)


def test_falls_of_a_table_are_ordered():
    def row(technique, strength, random, real):
        names = ("technique", "strength", "random_train_accuracy", "test_selected")
        return dict(zip(names, (technique, strength, random, real), strict=True))

    rows = [row("none", 0, 1.0, 0.5), row("a", 1, 0.9, 0.5), row("b", 1, 0.3, 0.49), row("b", 2, 0.1, 0.2)]
    found = falls(rows, cost=0.02)
    assert [fall.technique for fall in found] == ["b", "a"]
    assert found[1].fall == pytest.approx(0.1)


def test_points_are_near_and_of_another_class():
    model = models.build("mlp", in_channels=3, image_size=8, num_classes=4, width=12, norm="batch", seed=1)
    x = torch.rand(32, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(32)
    model.train()
    points = CriticalPoints(0, radius=8, iterations=8)(model, x, ids, 3)
    assert all(module.training for module in model.modules())
    assert (points - x).abs().max() <= 8 / 255 + 1e-6
    with torch.no_grad():
        before, after = (model.eval()(each).argmax(1) for each in (x, points))
    moved = (points != x).flatten(1).any(1)
    assert torch.equal(moved, before != after)
    assert moved.any()
    assert not moved.all()
    search = CriticalPoints(0, radius=8, iterations=8)
    assert torch.equal(search(model, x, ids, 3), points)
    assert torch.equal(search(model, x[5:9], ids[5:9], 3), points[5:9])
    assert not torch.equal(search(model, x, ids, 4), points)
    assert torch.equal(CriticalPoints(0, radius=1e-6)(model, x, ids, 3), x)


def test_points_on_a_linear_network_are_found_as_far_as_they_are():
    """Between two classes the nearest point of the other one lies at |margin| / |w1 - w0|_1 in every pixel."""
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2)).double()
    x = torch.rand(200, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        scores = model(x)
        weights = model[1].weight
        distance = (scores[:, 0] - scores[:, 1]).abs() / (weights[0] - weights[1]).abs().sum()
    radius = float(distance.median())
    found = (CriticalPoints(0, radius=255 * radius, iterations=40)(model, x, torch.arange(200), 0) != x).flatten(1)
    # Nothing farther than the radius is found, and all that is well within it.
    assert not found.any(1)[distance > radius].any()
    assert found.any(1)[distance < 0.9 * radius].all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"techniques": ()}, "--techniques"),
        ({"techniques": ("dropout", "dropout")}, "--techniques"),
        ({"dropout": (0.5, 0.2)}, "--dropout must be ascending"),
        ({"dropout": (0.5, 1.0)}, "--dropout must be ascending strengths above 0 and below 1"),
        ({"decays": (0.0, 1.0)}, "--decays"),
        ({"adversarial": (0.5,)}, "--adversarial must be weights"),
        ({"adversarial_iterations": 0}, "--adversarial-iterations"),
        ({"adversarial_radius": 0.0}, "--adversarial-radius"),
        ({"allowed_cost": 1.0}, "--allowed-cost"),
        ({"evaluations": 100}, "--evaluations"),
        ({"execution": "compiled"}, "--execution must be auto or eager"),
        ({"mixup": "labels"}, "--mixup labels"),
        ({"augment": "same-class"}, "--augment same-class"),
        ({"label_classes": 4}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
        ({"test_images": 0}, "--test-images"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        RegularizeConfig(**change)


def test_options_that_the_data_or_the_network_do_not_allow(tmp_path):
    with pytest.raises(ValueError, match="--images and --validation-images together"):
        regularize(**{**FIELDS, "validation_images": 1400}, out=tmp_path)
    with pytest.raises(ValueError, match="--test-images must be at most 360"):
        regularize(**{**FIELDS, "test_images": 1000}, out=tmp_path)
    with pytest.raises(ValueError, match="fully connected hidden layers"):
        regularize(**{**FIELDS, "model": "convnet", "width": 2}, out=tmp_path)
    with pytest.raises(ValueError, match="name of a network"):
        regularize(model=torch.nn.Flatten())
    for bad in ({"radius": 0}, {"iterations": 0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            CriticalPoints(0, **bad)
