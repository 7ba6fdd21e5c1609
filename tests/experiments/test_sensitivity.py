"""`sensitivity`: its tables against the metric called by hand, its pictures, and going on after a stop."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from torch import nn

from rote import data, models
from rote.data import corrupted, pixel_statistics
from rote.experiments import SensitivityConfig, headline, sensitivity
from rote.experiments.sensitivity.small_grey import small_grey
from rote.metrics import UnrolledSGD, class_matrix, diagonal_ratio, gini, loss_sensitivity

FIELDS = {"images": 40, "side": 6, "width": 6, "projector_width": 5, "epochs": 4, "batch_size": 20, "looks": 2}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return sensitivity(**FIELDS, lr=0.5, exemplar_lr=1.0, out=tmp_path_factory.mktemp("runs"))


def table(run, name):
    with open(run.dir / name, newline="") as file:
        return list(csv.DictReader(file))


def by_hand(inputs, labels):
    """The same training, put together from its description."""
    bank = small_grey(data.load("digits"), 6)
    ids = data.load("digits").balanced_order(0)[:40]
    pictures = bank.train.images[ids] if inputs == "real" else corrupted(bank, "gaussian", seed=0, ids=ids)[0]
    moments = pixel_statistics(bank.train.images)
    used = bank.train.labels[ids] if labels == "classes" else torch.arange(40)
    network = models.build(
        "mlp", in_channels=1, image_size=6, num_classes=10 if labels == "classes" else 40, width=6, depth=1,
        projector_width=5, norm="none", seed=0,
    )  # fmt: skip
    lr = 0.5 if labels == "classes" else 1.0
    course = UnrolledSGD(
        network, (pictures.double() - moments.mean[0]) / moments.std[0], used, lr=lr, batch_size=20, seed=0
    )
    course.train_until(4)
    return course, bank.train.labels[ids]


@pytest.mark.parametrize("inputs", ["real", "random"])
@pytest.mark.parametrize("labels", ["classes", "exemplar"])
def test_tables_are_those_of_the_metric(run, inputs, labels):
    course, true = by_hand(inputs, labels)
    looks = [loss_sensitivity(course, epoch, num_classes=10 if labels == "classes" else None) for epoch in (2, 4)]
    mean = (looks[0].total + looks[1].total) / 2
    rows = [row for row in table(run, "sensitivity.csv") if (row["inputs"], row["labels"]) == (inputs, labels)]
    assert [int(row["epoch"]) for row in rows] == [2, 4]
    assert [int(row["step"]) for row in rows] == [4, 8]
    assert float(rows[0]["gini"]) == float(rows[0]["gini_now"]) == pytest.approx(gini(looks[0].total))
    assert float(rows[1]["gini"]) == pytest.approx(gini(mean)) == run.summary[f"gini_{inputs}_{labels}"]
    assert float(rows[1]["gini_now"]) == pytest.approx(gini(looks[1].total))
    assert float(rows[1]["loss"]) == pytest.approx(course.loss(4))
    assert run.summary[f"train_accuracy_{inputs}_{labels}"] == course.accuracy(4)
    assert run.examples[f"sensitivity_{inputs}_{labels}"] == pytest.approx(mean.numpy())
    if labels == "exemplar":
        assert {row["class_ratio"] for row in rows} == {""}
        return
    matrix = class_matrix((looks[0].by_class + looks[1].by_class) / 2, true)
    assert float(rows[1]["class_ratio"]) == pytest.approx(diagonal_ratio(matrix))
    assert run.summary[f"class_ratio_{inputs}"] == pytest.approx(diagonal_ratio(matrix))
    cells = [row for row in table(run, "sensitivity_classes.csv") if row["inputs"] == inputs]
    assert len(cells) == 100
    for row in cells:
        expected = float(matrix[int(row["loss_class"]), int(row["example_class"])])
        assert float(row["sensitivity"]) == pytest.approx(expected)


def test_summary(run):
    summary = run.summary
    for labels in ("classes", "exemplar"):
        difference = summary[f"gini_real_{labels}"] - summary[f"gini_random_{labels}"]
        assert summary[f"gini_difference_{labels}"] == pytest.approx(difference)
    assert (summary["steps"], summary["epochs"], summary["images"]) == (8, 4, 40)
    assert summary["parameters"] == 36 * 6 + 6 + 6 * 5 + 5 * 10
    assert "Gini coefficient" in headline(run)[1]
    assert list(run.examples["id"]) == data.load("digits").balanced_order(0)[:40].tolist()


@pytest.mark.parametrize("moment", [3, 15])
def test_goes_on_where_it_was_killed(tmp_path, run, without_times, monkeypatch, moment):
    calls = 0

    def crash(self, step, **values):
        nonlocal calls
        calls += 1
        if calls == moment:
            raise KeyboardInterrupt

    options = {**FIELDS, "lr": 0.5, "exemplar_lr": 1.0, "out": tmp_path}
    with monkeypatch.context() as patch:
        patch.setattr("rote.train.Progress.update", crash)
        with pytest.raises(KeyboardInterrupt):
            sensitivity(**options)
    assert not (tmp_path / run.dir.name / "summary.json").exists()
    again = sensitivity(**options)
    assert again.dir.name == run.dir.name
    assert without_times(again.summary) == without_times(run.summary)
    assert list(again.metrics) == list(run.metrics)
    for column, values in run.examples.items():
        assert np.array_equal(again.examples[column], values), column


def test_a_finished_run_is_only_read(run, monkeypatch):
    monkeypatch.setattr(UnrolledSGD, "train_until", lambda *_: pytest.fail("trained again"))
    again = sensitivity(**FIELDS, lr=0.5, exemplar_lr=1.0, out=run.dir.parent)
    assert again.summary == run.summary


def test_small_grey_pictures_are_means_of_areas():
    bank = data.load("digits")
    for side in (4, 14, 16):
        small = small_grey(bank, side)
        pixels = bank.test.images[:5].double().numpy()
        grey = np.einsum("nchw,c->nhw", pixels, [0.299, 0.587, 0.114])
        # Each pixel as lcm x lcm equal ones, of which whole blocks are averaged.
        fine = grey.repeat(side, axis=1).repeat(side, axis=2).reshape(5, side, 16, side, 16).mean((2, 4))
        assert small.test.images.shape == (360, 1, side, side)
        assert np.abs(small.test.images[:5, 0].numpy() - fine).max() <= 0.5 + 1e-9
        assert torch.equal(small.train.labels, bank.train.labels)
    assert small_grey(small_grey(bank, 14), 14).fingerprint() == small_grey(bank, 14).fingerprint()
    assert small_grey(bank, 14).fingerprint() != bank.fingerprint()
    for side in (0, 17):
        with pytest.raises(ValueError, match=r"--side must be in \[1, 16\]"):
            small_grey(bank, side)


def test_random_inputs_have_the_mean_and_the_spread_of_the_real_ones(tmp_path):
    bank = small_grey(data.load("digits"), 14)
    noise, _ = corrupted(bank, "gaussian", seed=0)
    real, random = pixel_statistics(bank.train.images), pixel_statistics(noise)
    assert random.mean[0] == pytest.approx(real.mean[0], rel=0.05)
    assert random.std[0] == pytest.approx(real.std[0], rel=0.15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"augment": "digits"}, "--augment must be 'none'"),
        ({"norm": "batch"}, "--norm must be 'none'"),
        ({"optimizer": "adam"}, "--optimizer must be 'sgd'"),
        ({"loss": "mse"}, "--loss must be 'ce'"),
        ({"weight_decay": 0.1}, "--weight-decay must be 0.0"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints must be"),
        ({"inputs": ()}, "--inputs must be out of"),
        ({"settings": ("classes", "classes")}, "--settings must be out of"),
        ({"looks": 5, "epochs": 4}, r"--looks must be in \[1, 4\]"),
        ({"side": 0}, "--side"),
        ({"lr": 0.0}, "--lr must be positive"),
        ({"exemplar_lr": -1.0}, "--exemplar-lr"),
        ({"momentum": 1.0}, "--momentum"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        SensitivityConfig(**change)


def test_options_that_do_not_fit_the_data(tmp_path):
    with pytest.raises(ValueError, match="--batch-size must divide the 40 images"):
        sensitivity(**{**FIELDS, "batch_size": 30}, out=tmp_path)
    with pytest.raises(ValueError, match="--side must be in"):
        sensitivity(**{**FIELDS, "side": 20}, out=tmp_path)
    with pytest.raises(ValueError, match="model must be the name"):
        sensitivity(model=nn.Linear(2, 2), **FIELDS, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_rate_that_breaks_the_weights_names_its_option(tmp_path):
    with pytest.raises(ValueError, match="--exemplar-lr is too high, 1e"):
        sensitivity(**{**FIELDS, "settings": ("exemplar",), "inputs": ("real",)}, exemplar_lr=1e200, out=tmp_path)


def test_one_condition_alone(tmp_path):
    run = sensitivity(**{**FIELDS, "inputs": ("real",), "settings": ("exemplar",), "epochs": 2}, out=tmp_path)
    assert run.summary["gini_difference_exemplar"] is None
    assert "class_ratio_real" not in run.summary
    assert table(run, "sensitivity_classes.csv") == []
    assert len(headline(run)) == 2
