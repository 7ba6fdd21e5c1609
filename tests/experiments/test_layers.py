"""`layers`: the table against what `benign` measured and against searches of its own, and going on after a stop."""

from __future__ import annotations

import contextlib
import csv

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

import rote
from rote.experiments import LayersConfig, Stopped, benign, headline, layers
from rote.metrics import embed, recalibrated
from rote.train import random_labels

LAYERS = ["pixels", "stage1", "stage2", "stage3", "encoder", "projector.hidden", "logits"]
COLUMNS = {
    *("layer", "depth", "part", "moment", "labels", "method", "queries", "accuracy", "n_references", "n_queries"),
    *("k", "metric", "pooling", "bn", "dim", "chance"),
}


def table(run) -> list[dict[str, str]]:
    with open(run.dir / "layers.csv", newline="") as file:
        return list(csv.DictReader(file))


def cell(rows, layer, moment, labels, method) -> dict[str, str]:
    (row,) = [
        row
        for row in rows
        if (row["layer"], row["moment"], row["labels"], row["method"]) == (layer, moment, labels, method)
    ]
    return row


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    return {
        "data": "digits",
        "images": 64,
        "augment": "digits",
        "width": 4,
        "projector_width": 16,
        "epochs": 8,
        "batch_size": 32,
        "lr": 1e-2,
        "evaluations": 2,
        "device": "cpu",
        "linear_images": 200,
        "k": 10,
        "out": tmp_path_factory.mktemp("runs"),
    }


@pytest.fixture(scope="module")
def run(fields):
    return layers(**fields, finetune=True, finetune_epochs=3)


@pytest.fixture(scope="module")
def examined(fields, run):
    return rote.load_run(fields["out"] / run.summary["benign_run"])


def test_every_layer_is_measured_at_both_ends(run):
    rows = table(run)
    assert set(rows[0]) >= COLUMNS
    assert [
        row["layer"] for row in rows if (row["moment"], row["labels"], row["method"]) == ("init", "true", "knn")
    ] == (LAYERS)
    assert len(rows) == 2 * (4 * len(LAYERS) + 1)
    for row in rows:
        assert int(row["depth"]) == LAYERS.index(row["layer"])
        assert row["part"] == ("pixels", *["encoder"] * 4, *["projector"] * 2)[int(row["depth"])]
        assert 0 <= float(row["accuracy"]) <= 1
    assert cell(rows, "encoder", "init", "true", "knn")["dim"] == "16"
    assert cell(rows, "encoder", "final", "used", "knn")["queries"] == "train-loo"
    assert cell(rows, "encoder", "final", "used", "linear")["queries"] == "train-views"


def test_true_labels_by_knn_are_what_benign_measured(run, examined):
    rows = table(run)
    for layer, measured in examined.summary["probe_by_layer"].items():
        for moment in ("init", "final"):
            assert float(cell(rows, layer, moment, "true", "knn")["accuracy"]) == measured[moment], (layer, moment)
    assert run.summary["best_encoder_probe"] == max(
        examined.summary["probe_by_layer"][layer]["final"] for layer in LAYERS[1:5]
    )
    assert run.summary["logits_probe"] == examined.summary["probe_by_layer"]["logits"]["final"]


def features_of(examined, layer):
    bank = rote.data.load("digits")
    model = examined.encoder()
    with recalibrated(model, bank.train.images):
        return embed(model, bank.train.images, [layer])[layer], embed(model, bank.test.images, [layer])[layer]


def test_used_labels_leave_the_image_out(run, examined):
    train, _ = features_of(examined, "logits")
    ids, used = torch.tensor(examined.examples["id"]), torch.tensor(examined.examples["label_used"])
    expected = rote.leave_one_out_accuracy(train[ids], used, k=10)
    assert run.summary["used_loo_logits"] == expected
    row = cell(table(run), "logits", "final", "used", "knn")
    assert (row["n_references"], row["n_queries"]) == ("64", "64")
    assert float(row["chance"]) == torch.bincount(used).max() / 64


def test_true_labels_by_a_linear_probe_are_scikit_learns(run, examined):
    bank = rote.data.load("digits")
    train, test = features_of(examined, "encoder")
    ids = bank.balanced_order(0)[:200]
    scaler = StandardScaler().fit(train[ids].double())
    peer = LogisticRegression(max_iter=2000).fit(scaler.transform(train[ids].double()), bank.train.labels[ids])
    row = cell(table(run), "encoder", "final", "true", "linear")
    assert row["n_references"] == "200"
    assert row["converged"] == "True"
    assert float(row["accuracy"]) == pytest.approx(
        peer.score(scaler.transform(test.double()), bank.test.labels), abs=0.02
    )


def test_the_initial_network_is_that_of_the_seed(run, examined):
    bank = rote.data.load("digits")
    model = rote.models.build(**examined.record["architecture"])
    ids = torch.tensor(examined.examples["id"])
    with recalibrated(model, bank.train.images):
        found = embed(model, bank.train.images, ["encoder"], image_ids=ids)["encoder"]
    expected = rote.leave_one_out_accuracy(found, random_labels(ids, 10, 0), k=10)
    assert float(cell(table(run), "encoder", "init", "used", "knn")["accuracy"]) == expected


def test_labels_written_into_a_layer_are_found_there(fields, tmp_path):
    # Sixteen images seen often enough are memorized: their labels stand in the output.
    grown = {"width": 8, "projector_width": 64, "epochs": 250, "batch_size": 16}
    run = layers(**{**fields, "images": 16, "k": 3, **grown, "out": tmp_path})
    assert run.summary["train_accuracy"] > 0.9
    assert run.summary["used_linear_logits"] > 0.7
    assert run.summary["used_linear_logits"] > run.summary["used_linear_encoder_init"] + 0.2
    assert headline(run)[0].startswith("random labels, augmentation digits, 16 images")


def test_finetuning_stands_beside_training_from_scratch(run):
    rows = [row for row in table(run) if row["method"] == "finetuned"]
    assert [row["moment"] for row in rows] == ["init", "final"]
    assert [float(row["accuracy"]) for row in rows] == [run.summary["finetuned_from_scratch"], run.summary["finetuned"]]
    lines = run.metrics.select(method="finetuned")
    assert lines[0]["steps"] == lines[1]["steps"] == 6


def test_views_among_the_references(fields):
    run = layers(**fields, loo_views=3)
    row = cell(table(run), "encoder", "final", "used", "knn")
    assert (row["n_references"], row["n_queries"], row["views"]) == (str(4 * 64), "64", "3")


def test_without_augmentation_there_are_no_disjoint_views(fields):
    plain = {**fields, "augment": "none"}
    run = layers(**plain)
    assert run.summary["used_linear_encoder"] is None
    assert not [row for row in table(run) if row["queries"] == "train-views"]
    assert len(headline(run)) == 3
    with pytest.raises(ValueError, match="--loo-views needs a recipe"):
        layers(**plain, loo_views=2)
    other = layers(**plain, view_recipe="digits")
    assert other.summary["used_linear_encoder"] is not None
    assert other.summary["benign_run"] == run.summary["benign_run"]


def test_goes_on_where_it_stopped(fields, run, tmp_path, monkeypatch):
    from rote.experiments.layers import probes

    fields = {**fields, "out": tmp_path}
    fit, calls = probes.fit_linear_probe, []

    def crash_at_the_ninth(*arguments, **options):
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return fit(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(probes, "fit_linear_probe", crash_at_the_ninth)
        with pytest.raises(KeyboardInterrupt):
            layers(**fields, finetune=True, finetune_epochs=3)
    half = rote.load_run(tmp_path / run.dir.name)
    assert not half.is_complete
    kept = len(half.metrics)
    assert kept > 8
    with monkeypatch.context() as patch:
        patch.setattr("rote.experiments.base.training_cell.write_json", _crash)  # trained, not yet written
        with pytest.raises(KeyboardInterrupt):
            layers(**fields, finetune=True, finetune_epochs=3)
    resumed = layers(**fields, finetune=True, finetune_epochs=3)
    assert (resumed.dir / "layers.csv").read_bytes() == (run.dir / "layers.csv").read_bytes()
    assert {**resumed.summary, "seconds": 0} == {**run.summary, "seconds": 0}
    assert [line["value"] for line in resumed.metrics[:kept]] == [line["value"] for line in half.metrics]
    assert not list(resumed.dir.glob("checkpoints/*"))
    before = (resumed.dir / "summary.json").stat().st_mtime_ns
    layers(**fields, finetune=True, finetune_epochs=3)
    assert (resumed.dir / "summary.json").stat().st_mtime_ns == before


def _crash(*_arguments, **_options):
    raise KeyboardInterrupt


class Own(nn.Module):
    """A network that Rote does not know."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 8, 3, stride=2)
        self.last = nn.Linear(8, 10)

    def forward(self, x):
        return self.last(torch.relu(self.second(torch.relu(self.first(x)))).mean((2, 3)))


def test_an_own_module_passes_through(fields):
    torch.manual_seed(0)
    model = Own()
    before = model.last.weight.clone()
    run = layers(model=model, taps=["first", "second"], **fields, finetune=True, finetune_epochs=2)
    assert torch.equal(model.last.weight, before)  # a copy was trained
    rows = table(run)
    assert list(dict.fromkeys(row["layer"] for row in rows)) == ["pixels", "first", "second", "logits"]
    assert cell(rows, "second", "final", "true", "knn")["part"] == "encoder"
    trained = benign(model=Own(), taps=["first", "second"], **_of_benign(fields))
    assert trained.dir.name != run.summary["benign_run"]  # another initialization is another run
    init, final = (cell(rows, "second", moment, "used", "linear")["accuracy"] for moment in ("init", "final"))
    assert init != final


def _of_benign(fields):
    return {key: value for key, value in fields.items() if key != "linear_images"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pooling": "median"}, "--pooling must be one of"),
        ({"loo_views": -1}, "--loo-views"),
        ({"linear_views": 0}, "--linear-views"),
        ({"linear_c": 0.0}, "--linear-c"),
        ({"finetune_lr": float("inf")}, "--finetune-lr"),
        ({"labels": "wrong"}, "--labels"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        LayersConfig(**change)


def test_bad_options_leave_no_folder(fields, tmp_path):
    fields = {**fields, "out": tmp_path}
    with pytest.raises(ValueError, match="--k must be below --images 64"):
        layers(**{**fields, "k": 64})
    with pytest.raises(ValueError, match="--view-recipe takes what --augment does"):
        layers(**fields, view_recipe="nothing")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pooling", ["flatten", "max", "grid2"])
def test_pooling_is_an_option(fields, pooling):
    run = layers(**fields, pooling=pooling)
    rows = table(run)
    assert cell(rows, "stage1", "init", "true", "knn")["dim"] == {"flatten": "256", "max": "4", "grid2": "16"}[pooling]
    assert cell(rows, "pixels", "init", "true", "knn")["pooling"] == "flatten"
    assert cell(rows, "encoder", "init", "true", "knn")["pooling"] == pooling


def test_same_class_images_are_no_views(fields):
    run = layers(**{**fields, "augment": "same-class"})
    assert run.summary["used_linear_encoder"] is None
    assert run.summary["used_loo_encoder"] is not None


def test_ctrl_c_keeps_what_is_measured(fields, monkeypatch):
    from rote.experiments.base import stopping
    from rote.experiments.layers import run as layers_run

    pressed = stopping.StopRequest()
    pressed.made = True
    fields = {**fields, "linear_c": 0.5}
    with monkeypatch.context() as patch:
        patch.setattr(layers_run, "stop_requests", lambda: contextlib.nullcontext(pressed))
        for measured in (1, 2):
            with pytest.raises(Stopped, match=rf"stopped after row {measured} of 56 .* the same command goes on"):
                layers(**fields)
    assert len(table(layers(**fields))) == 56
