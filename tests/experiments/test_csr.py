"""`csr`: its tables against searches made by hand, noise in its place, and going on after a stop."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn

from rote import data
from rote.data import corrupted
from rote.data.order import balanced_order
from rote.experiments import CSRConfig, csr, headline
from rote.experiments.csr.conditions import Condition, TrainingData
from rote.experiments.csr.results import at_accuracy
from rote.metrics import critical_radius, critical_samples, recalibrated
from rote.train import redraw_labels

FIELDS = {
    "images": 48,
    "width": 4,
    "projector_width": 16,
    "epochs": 12,
    "batch_size": 16,
    "lr": 0.1,
    "looks": 2,
    "queries": 24,
    "radius": 3.0,
    "alpha": 2.5,
    "beta": 2.0,
    "iterations": 3,
    "radius_queries": 4,
    "matched": 0.3,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return csr(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def table(run, name):
    with open(run.dir / name, newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_those_of_a_search(run):
    from rote.experiments.base.launch import launch
    from rote.experiments.csr.run import CSRRun

    bank = data.load("digits")
    queries = balanced_order(bank.test.labels, 10, seed=0)[:24]
    start = launch(CSRConfig(**FIELDS), model=None, data=bank, taps=None, fields={})
    for condition in (Condition("real", 0.0), Condition("randY", 1.0), Condition("randX", 1.0)):
        trainer = CSRRun(start.config, start.inputs, None, 10).trainer(condition)
        trainer.train_until(trainer.total_steps)
        images, ids = bank.train.images.clone(), start.inputs.image_ids
        inputs = {"real": bank.test.images[queries]}
        if condition.kind == "randX":
            images[ids] = corrupted(bank, "gaussian", seed=0, ids=ids)[0]
            inputs["noise"] = corrupted(bank, "gaussian", seed=0, ids=queries, split="test")[0]
        with recalibrated(trainer.model, images[ids]):
            for kind, pixels in inputs.items():
                found = critical_samples(
                    trainer.model, pixels.float() / 255, ids=queries, radius=3.0, alpha=2.5, beta=2.0, iterations=3
                )
                (row,) = (
                    r
                    for r in table(run, "csr.csv")
                    if (r["condition"], r["epoch"], r["inputs"]) == (condition.kind, "12", kind)
                )
                assert int(row["critical"]) == int(found.critical.sum())
                assert float(row["csr"]) == pytest.approx(found.ratio)
            own = inputs.get("noise", inputs["real"])[:4]
            radius = critical_radius(trainer.model, own.float() / 255, ids=queries[:4], iterations=3)
        columns = pq.read_table(run.dir / "queries.parquet").to_pydict()
        assert columns["id"] == queries[:4].tolist()
        assert columns[f"radius_{condition.name}"] == pytest.approx(radius.tolist())


def test_summary_and_metrics(run):
    rows = table(run, "csr.csv")
    assert sorted({int(row["epoch"]) for row in rows}) == [0, 3, 12]
    assert {(row["condition"], row["inputs"]) for row in rows} == {
        ("real", "real"),
        ("randX", "real"),
        ("randX", "noise"),
        ("randY", "real"),
    }
    assert {(row["condition"], row["inputs"]) for row in rows if row["headline"] == "True"} == {
        ("real", "real"),
        ("randX", "noise"),
        ("randY", "real"),
    }
    summary = run.summary
    assert summary["steps"] == 36
    assert summary["queries"] == 24
    assert summary["train_accuracy_real"] > 0.5
    last = [row for row in rows if row["condition"] == "randX" and row["inputs"] == "noise"][-1]
    assert summary["csr_randX_1"] == float(last["csr"])
    assert len(run.metrics.select(metric="critical_sample_ratio")) == len(rows)
    assert run.metrics.select(metric="accuracy_clean", split="train", condition="real")[-1]["value"] == pytest.approx(
        summary["train_accuracy_real"]
    )
    assert "critical samples among 24 test inputs" in headline(run)[0]


def test_matched_table(run):
    rows = table(run, "csr_matched.csv")
    looks = {}
    for row in table(run, "csr.csv"):
        looks.setdefault((row["condition"], row["inputs"]), []).append(
            {key: float(row[key]) for key in ("epoch", "train_accuracy", "critical")}
        )
    for row in rows:
        own = at_accuracy(looks[row["condition"], row["inputs"]], float(row["train_accuracy"]), "critical")
        assert (row["csr"] == "") == (own is None)
        if own is not None:
            assert float(row["csr"]) == pytest.approx(own[1] / 24)
        real = at_accuracy(looks["real", "real"], float(row["train_accuracy"]), "critical")
        if row["ratio_to_real"]:
            assert float(row["ratio_to_real"]) == pytest.approx(own[1] / real[1])
        else:
            assert own is None or real is None or real[1] == 0
    (headline_row,) = (
        row
        for row in rows
        if row["train_accuracy"] == "0.3" and row["condition"] == "randY" and row["inputs"] == "real"
    )
    assert run.summary["csr_ratio_randY"] == float(headline_row["ratio_to_real"])
    assert run.summary["csr_matched_randY"] == float(headline_row["csr"])


def test_interpolation_by_hand():
    looks = [
        {"epoch": 0, "train_accuracy": 0.1, "critical": 10},
        {"epoch": 2, "train_accuracy": 0.5, "critical": 30},
        {"epoch": 6, "train_accuracy": 0.4, "critical": 50},
        {"epoch": 8, "train_accuracy": 0.8, "critical": 90},
    ]
    assert at_accuracy(looks, 0.3, "critical") == pytest.approx((1.0, 20.0))
    assert at_accuracy(looks, 0.5, "critical") == (2.0, 30.0)
    assert at_accuracy(looks, 0.6, "critical") == pytest.approx((7.0, 70.0))  # between 6 and 8
    assert at_accuracy(looks, 0.05, "critical") == (0.0, 10.0)
    assert at_accuracy(looks, 0.9, "critical") is None


def test_noise_is_where_it_belongs():
    from rote.experiments.base.launch import launch

    config = CSRConfig(**{**FIELDS, "shares": (0.5,)})
    start = launch(config, model=None, data="digits", taps=None, fields={})
    bank, ids = start.inputs.bank, start.inputs.image_ids
    half_x = TrainingData(Condition("randX", 0.5), start.config, start.inputs)
    changed = (half_x.images != bank.train.images).flatten(1).any(1)
    assert 0.25 < float(changed[ids].double().mean()) < 0.75
    assert int(changed.sum()) == int(changed[ids].sum())
    assert torch.equal(half_x.labels, bank.train.labels[ids])
    half_y = TrainingData(Condition("randY", 0.5), start.config, start.inputs)
    assert half_y.images is bank.train.images
    assert torch.equal(half_y.labels, redraw_labels(bank.train.labels[ids], ids, 10, 0, 0.5)[0])
    real = TrainingData(Condition("real", 0.0), start.config, start.inputs)
    assert real.images is bank.train.images
    assert torch.equal(real.labels, bank.train.labels[ids])


@pytest.mark.parametrize("moment", [20, 80])
def test_goes_on_where_it_was_killed(run, assert_goes_on, moment):
    again = assert_goes_on(csr, FIELDS, moment, run)
    for name in ("csr.csv", "csr_matched.csv", "queries.parquet"):
        assert (again.dir / name).read_bytes() == (run.dir / name).read_bytes()


def test_shares_of_noise(tmp_path):
    fields = {**FIELDS, "conditions": ("randX", "randY"), "shares": (0.2, 0.8), "epochs": 2, "looks": 1}
    run = csr(**{**fields, "radius_queries": 0, "fewest_new": 5}, out=tmp_path)
    rows = table(run, "csr.csv")
    assert {(row["condition"], row["share"]) for row in rows} == {
        (kind, share) for kind in ("randX", "randY") for share in ("0.2", "0.8")
    }
    assert {row["inputs"] for row in rows if row["headline"] == "True"} == {"real"}
    assert not (run.dir / "queries.parquet").exists()
    assert "csr_ratio_randX" not in run.summary
    assert run.summary["csr_randY_0.8"] == float(rows[-1]["csr"])
    assert all(row["ratio_to_real"] == "" for row in table(run, "csr_matched.csv"))
    assert len(headline(run)) == 5


def test_looks_are_denser_early():
    assert CSRConfig(epochs=60, looks=8).look_epochs() == [0, 2, 3, 5, 8, 13, 22, 36, 60]
    assert CSRConfig(epochs=1, looks=4).look_epochs() == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conditions": ()}, "--conditions"),
        ({"conditions": ("real", "noise")}, "--conditions must be out of"),
        ({"shares": (0.0,)}, "--shares"),
        ({"shares": (0.5, 0.5)}, "--shares"),
        ({"looks": 0}, "--looks"),
        ({"queries": 0}, "--queries"),
        ({"iterations": 0}, "--iterations"),
        ({"radius": 0.0}, "--radius must be in"),
        ({"alpha": 300.0}, "--alpha must be in"),
        ({"beta": -1.0}, "--beta must be in"),
        ({"fewest_new": 0}, "--fewest-new"),
        ({"radius_queries": -1}, "--radius-queries"),
        ({"matched": 0.0}, "--matched"),
        ({"augment": "digits"}, "--augment and --mixup must be none"),
        ({"label_classes": 3}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        CSRConfig(**change)


def test_a_module_is_refused():
    with pytest.raises(ValueError, match="model must be the name"):
        csr(model=nn.Linear(2, 2))


def test_radii_bound_each_other(run):
    columns = pq.read_table(run.dir / "queries.parquet").to_pydict()
    for name in ("real", "randX_1", "randY_1"):
        radius = np.array(columns[f"radius_{name}"])
        assert (radius > 0).all()
        expected = float(np.median(radius))
        assert run.summary[f"radius_median_{name}"] == (expected if np.isfinite(expected) else None)
