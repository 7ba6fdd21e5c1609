"""`location` as a whole: its tables against the networks they are about, going on after a stop."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from rote.experiments import benign, headline, location
from rote.experiments.location import cells as location_cells
from rote.experiments.location import retraining
from rote.experiments.location.answers import Examples, predictions
from rote.experiments.location.blocks import BLOCK, blocks_of, of_kind, put_back
from rote.experiments.location.geometry import chosen
from rote.metrics import recalibrated
from rote.metrics.features import Extractor, Shown
from rote.metrics.linear_probe import fit_linear_probe
from rote.metrics.manifolds import manifold_geometry
from rote.runs import load_run
from rote.train.losses import mse

from .location_setting import BANK, FIELDS

TABLES = ("rewinding", "retraining", "gradients", "tied", "neurons", "zeroed", "geometry", "latent")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return location(**FIELDS, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def trained(run):
    return load_run(run.dir.parent / run.summary["benign_run"])


@pytest.fixture(scope="module")
def examples(trained):
    return Examples.of(
        BANK,
        torch.tensor(trained.examples["id"]),
        torch.tensor(trained.examples["label_used"]),
        torch.tensor(trained.examples["label_true"]),
        40,
    )


def rows_of(run, name):
    table = run.table(f"location_{name}.csv")
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def test_it_is_about_a_run_that_kept_its_weights(run, trained):
    assert (trained.config["noise"], trained.config["augment"]) == (0.5, "none")
    kept = {path.name for path in (trained.dir / "checkpoints").iterdir()}
    assert {"epoch=0000.safetensors", "epoch=0003.safetensors", "final.safetensors"} <= kept
    assert not (run.dir / "checkpoints").exists() or not list((run.dir / "checkpoints").glob("epoch=*"))
    wrong = int(trained.examples["is_corrupted"].sum())
    assert (run.summary["images_permuted"], run.summary["images_unpermuted"]) == (wrong, 48 - wrong)


def test_rewinding_against_networks_put_together_by_hand(run, trained, examples):
    final, early = trained.encoder(), trained.encoder(3)
    images = examples.bank.train.images
    wrong = examples.permuted
    rows = {
        (r["name"], r["replaced"], r["epoch"], r["bn"]): r for r in rows_of(run, "rewinding") if r["kind"] != "layer"
    }
    assert rows["none", "none", 24, "running"]["permuted"] == pytest.approx(run.summary["accuracy_permuted"], abs=0.2)
    for block in of_kind(blocks_of(final), BLOCK):
        mixed = copy.deepcopy(final)
        mixed.load_state_dict(put_back(final.state_dict(), early.state_dict(), block))
        answers = predictions(mixed, images, examples.ids)
        row = rows[block.name, "alone", 3, "running"]
        assert row["permuted"] == pytest.approx(float((answers == examples.label_used)[wrong].float().mean()))
        assert row["unpermuted"] == pytest.approx(float((answers == examples.label_used)[~wrong].float().mean()))
        assert row["restored"] == pytest.approx(float((answers == examples.label_true)[wrong].float().mean()))
        with recalibrated(mixed, images):
            answers = predictions(mixed, images, examples.ids)
        row = rows[block.name, "alone", 3, "recalibrated"]
        fitted = (answers == examples.label_used)[wrong].float()
        assert row["permuted"] == pytest.approx(float(fitted.mean()))
        assert row["permuted_first"] == pytest.approx(float(fitted[0::2].mean()))
        assert row["permuted_second"] == pytest.approx(float(fitted[1::2].mean()))
    # All blocks from the first on are the early network itself.
    answers = predictions(early, images, examples.ids)
    whole = rows["layer1", "and later", 3, "running"]
    assert whole["permuted"] == pytest.approx(float((answers == examples.label_used)[wrong].float().mean()))
    # A stage is the same as a block and as a layer.
    for r in rows_of(run, "rewinding"):
        if r["kind"] == "layer" and r["name"] == "layer2":
            assert r["permuted"] == rows["layer2", r["replaced"], r["epoch"], r["bn"]]["permuted"]


def test_the_summary_decides_by_the_table(run):
    rows = [r for r in rows_of(run, "rewinding") if r["bn"] == "recalibrated"]
    (before,) = (r["permuted"] for r in rows if r["kind"] == "none")
    own = {
        r["name"]: before - r["permuted"] for r in rows if (r["kind"], r["replaced"], r["epoch"]) == (BLOCK, "alone", 3)
    }
    assert list(own) == ["layer1", "layer2", "projector"]
    assert run.summary["fall_permuted"] == pytest.approx(own)
    assert run.summary["last_block"] == "projector"
    others = {name: fall for name, fall in own.items() if name != "projector"}
    assert run.summary["best_other_block"] == max(others, key=others.get)
    assert -1 <= run.summary["last_minus_best_other"] <= 1
    assert run.summary["rewound_epoch"] == 3


def test_every_part_has_its_table(run):
    for name in TABLES:
        assert rows_of(run, name), name
    layers = ["layer1", "encoder", "projector.hidden", "logits"]
    latent = rows_of(run, "latent")
    assert {r["epoch"] for r in latent} == {0, 3, 24}
    assert len(latent) == 3 * len(layers) * 2 * 2
    tied = rows_of(run, "tied")
    assert {(r["state"], r["bn"]) for r in tied} == {
        (s, b) for s in ("own", "expected", "dropped") for b in ("running", "recalibrated")
    }
    assert all(np.isnan(r["test"]) == (r["state"] == "own") for r in tied)
    neurons, zeroed = rows_of(run, "neurons"), rows_of(run, "zeroed")
    assert [r["kind"] for r in neurons].count("permuted") == [r["kind"] for r in neurons].count("unpermuted")
    for r in neurons:
        assert sum(z["id"] == r["id"] for z in zeroed) == r["neurons"] <= 6
        assert r["flipped"] or r["neurons"] == 6
        assert (r["label_used"] != r["label_true"]) == (r["kind"] == "permuted")
    geometry = rows_of(run, "geometry")
    assert {r["epoch"] for r in geometry} == {0, 3, 24}
    assert {r["points"] for r in geometry} == {2}
    assert {r["name"] for r in rows_of(run, "retraining")} == {"layer1", "layer2", *PROJECTOR}
    assert len({r["epoch"] for r in rows_of(run, "gradients")}) == 3


PROJECTOR = ("projector", "projector.hidden", "projector.logits")


def test_retraining_starts_from_the_reset_network(run):
    rewound = {
        r["name"]: r
        for r in rows_of(run, "rewinding")
        if (r["replaced"], r["epoch"], r["bn"]) == ("alone", 0, "recalibrated")
    }
    for r in rows_of(run, "retraining"):
        if r["epoch"] == 0:
            assert r["permuted"] == rewound[r["name"]]["permuted"]


def test_latent_probes_stand_beside_the_networks_own_answers(run):
    own = {r["epoch"]: r["own_accuracy"] for r in rows_of(run, "latent")}
    assert own[24] == run.summary["own_accuracy"] == run.summary["accuracy_test"]
    at_end = [r for r in rows_of(run, "latent") if (r["epoch"], r["method"], r["labels"]) == (24, "linear", "used")]
    chosen = {r["layer"]: r["accuracy"] for r in at_end}
    assert run.summary["latent_gain"] == pytest.approx(chosen[run.summary["latent_layer"]] - own[24])


def test_gradients_are_those_of_the_two_sides(run, trained, examples):
    network, wrong = trained.encoder(), examples.permuted
    x = BANK.train.images[examples.ids].float() / 255
    parameters = [p for name, p in network.named_parameters() if name.startswith("projector.")]
    sides = []
    with recalibrated(network, BANK.train.images):
        for rows in (~wrong, wrong):
            value = mse(network(x[rows]), examples.label_used[rows]) * int(rows.sum()) / 48
            sides.append(torch.cat([g.flatten() for g in torch.autograd.grad(value, parameters)]).double())
    by_part = {(r["kind"], r["name"]): r for r in rows_of(run, "gradients") if r["epoch"] == 24}
    found = by_part[BLOCK, "projector"]
    norms = [float(side.norm()) / len(side) ** 0.5 for side in sides]
    assert [found["norm_unpermuted"], found["norm_permuted"]] == pytest.approx(norms, rel=1e-3)
    assert found["cosine"] == pytest.approx(float(nn.functional.cosine_similarity(*sides, dim=0)), abs=1e-3)
    assert (found["step"], found["entries"]) == (48, len(sides[0]))


def features_of(network, layer, images, ids):
    with recalibrated(network, BANK.train.images):
        return Extractor(network, "average").held([layer], Shown(images, ids))[layer].double().numpy()


def test_latent_probes_are_scikit_learns(run, trained, examples):
    known = features_of(trained.encoder(), "encoder", BANK.train.images, examples.ids)
    asked = features_of(trained.encoder(), "encoder", BANK.test.images, examples.test_ids)
    wanted = BANK.test.labels[examples.test_ids].numpy()
    rows = [r for r in rows_of(run, "latent") if (r["epoch"], r["layer"]) == (24, "encoder")]
    for labels, own in (("true", examples.label_true), ("used", examples.label_used)):
        found = {r["method"]: r for r in rows if r["labels"] == labels}
        nearest = KNeighborsClassifier(5, metric="cosine", algorithm="brute").fit(known, own.numpy())
        assert found["knn"]["accuracy"] == pytest.approx((nearest.predict(asked) == wanted).mean(), abs=0.03)
        assert (found["knn"]["n_references"], found["knn"]["n_queries"], found["knn"]["k"]) == (48, 40, 5)
        assert found["knn"]["chance"] == np.bincount(wanted).max() / 40
        linear = fit_linear_probe(torch.from_numpy(known), own, 10, c=run.config["linear_c"])
        answers = linear.predict(torch.from_numpy(asked)).numpy()
        assert found["linear"]["accuracy"] == pytest.approx((answers == wanted).mean(), abs=0.03)


def test_geometry_is_that_of_the_chosen_clouds(run, trained, examples):
    for kind, ids in chosen(examples, 3).items():
        images = BANK.test.images if kind == "test" else BANK.train.images
        features = features_of(trained.encoder(3), "encoder", images, torch.cat(ids))
        clouds = np.split(features, np.cumsum([len(own) for own in ids])[:-1])
        expected = manifold_geometry(clouds, draws=5, seed=run.config["data_seed"])
        (row,) = [
            r for r in rows_of(run, "geometry") if (r["epoch"], r["layer"], r["examples"]) == (3, "encoder", kind)
        ]
        for name in ("capacity", "radius", "dimension", "centre_correlation"):
            assert row[name] == pytest.approx(getattr(expected, name), rel=1e-3), (kind, name)
        assert row["manifolds"] == len(ids)


def test_parts_are_retrained_on_unpermuted_examples_with_their_labels(run, examples, monkeypatch):
    streams = []

    class Noted(retraining.TrainingStream):
        def __init__(self, images, ids, labels, *more):
            streams.append((ids, labels))
            super().__init__(images, ids, labels, *more)

    monkeypatch.setattr(retraining, "TrainingStream", Noted)
    location(**{**FIELDS, "parts": ("retraining",), "retrain_epochs": 1}, out=run.dir.parent)
    assert len(streams) >= 5
    for ids, labels in streams:
        assert torch.equal(ids, examples.ids[~examples.permuted])
        first = torch.zeros_like(ids)
        assert torch.equal(labels.labels(ids, first, first), examples.label_true[~examples.permuted])


def test_in_a_few_lines(run):
    text = "\n".join(headline(run))
    assert "last block" in text
    assert "neurons" in text


def test_a_finished_run_returns_at_once(run):
    before = (run.dir / "summary.json").stat().st_mtime_ns
    assert location(**FIELDS, out=run.dir.parent).dir == run.dir
    assert (run.dir / "summary.json").stat().st_mtime_ns == before


def test_parts_alone(tmp_path, run):
    some = location(**{**FIELDS, "parts": ("gradients", "rewinding")}, out=tmp_path)
    assert {path.name for path in some.dir.glob("*.csv")} == {"location_gradients.csv", "location_rewinding.csv"}
    assert some.summary["last_minus_best_other"] == run.summary["last_minus_best_other"]
    assert "neurons_permuted" not in some.summary
    assert headline(some)


# A stop ---------------------------------------------------------------------------------------------------------------


def same(one, other, without_times):
    assert without_times(one.summary) == without_times(other.summary)
    for name in TABLES:
        assert (one.dir / f"location_{name}.csv").read_bytes() == (other.dir / f"location_{name}.csv").read_bytes()


@pytest.mark.parametrize("piece", [2, 11])
def test_goes_on_where_it_was_killed_between_pieces(tmp_path, run, without_times, monkeypatch, piece):
    count = 0

    def crash(path, value):
        nonlocal count
        count += 1
        if count == piece:
            raise KeyboardInterrupt
        return write(path, value)

    write = location_cells.write_json
    with monkeypatch.context() as patch:
        patch.setattr(location_cells, "write_json", crash)
        with pytest.raises(KeyboardInterrupt):
            location(**FIELDS, out=tmp_path)
    folder = tmp_path / run.dir.name
    assert not (folder / "summary.json").exists()
    assert len(list((folder / "cells").glob("*.json"))) >= piece - 1
    same(location(**FIELDS, out=tmp_path), run, without_times)


def test_goes_on_in_the_middle_of_the_tied_training(tmp_path, run, without_times, monkeypatch):
    def crash(self, step, **values):
        if "tied" in self.description and step == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rote.experiments.base.saving.SAVE_EVERY_SECONDS", -1.0)
        patch.setattr("rote.train.Progress.update", crash)
        with pytest.raises(KeyboardInterrupt):
            location(**FIELDS, out=tmp_path)
    assert (tmp_path / run.dir.name / "checkpoints/tied.safetensors").exists()
    same(location(**FIELDS, out=tmp_path), run, without_times)


def test_weights_that_were_not_kept_are_made_again(tmp_path, run, without_times):
    """A run that another experiment made first has no checkpoints."""
    plain = {key: value for key, value in FIELDS.items() if key in BENIGN}
    kept_none = benign(**plain, out=tmp_path)
    assert not list((kept_none.dir / "checkpoints").glob("epoch=*"))
    again = location(**FIELDS, out=tmp_path)
    assert again.summary["benign_run"] == kept_none.dir.name
    same(again, run, without_times)


BENIGN = ("data", "images", "noise", "model", "width", "projector_width", "epochs", "batch_size", "lr", "evaluations")
BENIGN += ("k", "device")
