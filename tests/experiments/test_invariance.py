"""`invariance`: the table against features taken by hand, its transformations, and going on after a stop."""

from __future__ import annotations

import contextlib
import csv

import numpy as np
import pytest
import torch

import rote
from rote.address import FRESH_VIEWS
from rote.augment import ColorJitter, Grayscale, HorizontalFlip, MixUp, Normalize, RandomCrop, Recipe
from rote.data.order import balanced_order
from rote.experiments import InvarianceConfig, Stopped, headline, invariance
from rote.experiments.examining.examined import view_recipe
from rote.experiments.invariance.transformations import transformations
from rote.metrics import recalibrated

OPERATIONS = ["recipe", "random_resized_crop", "horizontal_flip", "color_jitter", "grayscale"]


def table(run) -> list[dict[str, str]]:
    with open(run.dir / "invariance.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    return {
        "data": "digits",
        "images": 48,
        "augment": "benign-full",
        "width": 4,
        "projector_width": 16,
        "epochs": 4,
        "batch_size": 16,
        "lr": 1e-2,
        "evaluations": 1,
        "device": "cpu",
        "invariance_images": 40,
        "pairs": 1,
        "out": tmp_path_factory.mktemp("runs"),
    }


@pytest.fixture(scope="module")
def run(fields):
    return invariance(**fields)


def test_table(run):
    rows = table(run)
    layers = ["pixels", "stage1", "stage2", "stage3", "encoder", "projector.hidden", "logits"]
    assert len(rows) == 2 * 2 * len(OPERATIONS) * len(layers)
    assert list(dict.fromkeys(row["operation"] for row in rows)) == OPERATIONS
    assert list(dict.fromkeys(row["layer"] for row in rows)) == layers
    assert {(row["images"], row["pairs"], row["chance"]) for row in rows} == {("40", "40", "0.025")}
    for row in rows:
        assert float(row["invariance"]) <= 1
        assert 0 <= float(row["retrieval"]) <= 1
    pixels = {
        moment: [row["invariance"] for row in rows if (row["layer"], row["moment"]) == ("pixels", moment)]
        for moment in ("init", "final")
    }
    assert pixels["init"] == pixels["final"]


def by_hand(run, moment: str, split: str, layer: str) -> tuple[float, float]:
    """Invariance and retrieval under the whole recipe, from rendered views, float64 numpy."""
    bank, examined = rote.data.load("digits"), rote.load_run(run.dir.parent / run.summary["benign_run"])
    recipe = rote.augment.recipes["benign-full"]
    if split == "train":
        images, ids = bank.train.images, bank.balanced_order(0)[:40]
    else:
        images, ids = bank.test.images, balanced_order(bank.test.labels, 10, seed=0)[:40]
    order = rote.address.permutation(0, 40, 0, rote.address.Stream.SUBSET).tolist()
    other = {order[n]: int(ids[order[n - 1]]) for n in range(40)}
    params = [recipe.params(ids, torch.full_like(ids, FRESH_VIEWS + n), 0, image_size=16) for n in (0, 1)]
    shown = [recipe.apply(images, ids, p) for p in params]
    shown.append(recipe.apply(images, torch.tensor([other[n] for n in range(40)]), params[0]))
    model = rote.models.build(**examined.record["architecture"]) if moment == "init" else examined.encoder()
    with recalibrated(model, bank.train.images), torch.no_grad():
        model.eval()
        z = [model.activations(x, [layer])[layer].double().numpy() for x in shown]
    first, second, unlike = (v / np.sqrt((v**2).sum(1, keepdims=True)) for v in z)
    value = 1 - ((first - second) ** 2).sum(1).mean() / ((first - unlike) ** 2).sum(1).mean()
    return value, float(((first @ second.T).argmax(1) == np.arange(40)).mean())


@pytest.mark.parametrize("moment", ["init", "final"])
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("layer", ["encoder", "logits"])
def test_values_are_those_taken_by_hand(run, moment, split, layer):
    value, retrieval = by_hand(run, moment, split, layer)
    wanted = (layer, moment, split, "recipe")
    (row,) = [r for r in table(run) if (r["layer"], r["moment"], r["split"], r["operation"]) == wanted]
    assert float(row["invariance"]) == pytest.approx(value, rel=1e-4)
    assert float(row["retrieval"]) == pytest.approx(retrieval)
    if layer == "encoder":
        key = ("" if moment == "final" else "_init") + ("" if split == "test" else "_train")
        assert run.summary[f"invariance_encoder{key}"] == pytest.approx(value, rel=1e-4)
        assert run.summary[f"retrieval_encoder{key}"] == pytest.approx(retrieval)


def test_an_image_is_never_compared_with_itself():
    for count in (2, 3, 40):
        for number in range(5):
            order = rote.address.permutation(7, count, number, rote.address.Stream.SUBSET)
            other = torch.empty(count, dtype=torch.int64)
            other[order] = order.roll(1)
            assert sorted(other.tolist()) == list(range(count))
            assert (other != torch.arange(count)).all()


def test_operations_stand_alone_and_always_act():
    normalize = Normalize(0.5, 0.5)
    recipe = Recipe(RandomCrop(padding=2, p=0.5), HorizontalFlip(), ColorJitter(0.4, p=0.8), Grayscale(0.2), normalize)
    found = {t.name: t for t in transformations(recipe)}
    assert list(found) == ["recipe", "random_crop", "horizontal_flip", "color_jitter", "grayscale"]
    assert found["recipe"].first == found["recipe"].second == recipe
    always = Recipe(RandomCrop(padding=2, p=1.0), normalize)
    assert found["random_crop"].first == found["random_crop"].second == always
    # A flip that always acts shows one view; it is compared with no flip.
    assert found["horizontal_flip"].first == Recipe(normalize)
    assert found["horizontal_flip"].second == Recipe(HorizontalFlip(p=1.0), normalize)
    assert found["grayscale"].first == Recipe(normalize)
    twice = transformations(Recipe(HorizontalFlip(), RandomCrop(padding=2), HorizontalFlip()))
    assert [t.name for t in twice] == ["recipe", "horizontal_flip", "random_crop", "horizontal_flip#2"]
    assert transformations(Recipe(normalize)) == []


def test_mixing_shows_no_view_of_one_image():
    flip = HorizontalFlip()
    assert view_recipe(None, Recipe(flip, MixUp(), partners=10)) == Recipe(flip)
    assert view_recipe(None, Recipe(Normalize(0.5, 0.5))) is None
    assert view_recipe("flip-crop", Recipe()) == rote.augment.recipes["flip-crop"]


def test_views_that_are_all_alike_are_refused(fields):
    with pytest.raises(ValueError, match="invariance compares views that differ; got --augment none"):
        invariance(**{**fields, "augment": "none"})
    run = invariance(**{**fields, "augment": "none", "view_recipe": "flip-crop"})
    assert run.summary["operations"] == ["random_crop", "horizontal_flip"]
    assert "views of flip-crop" in headline(run)[0]


def test_a_collapsed_layer_is_undefined_not_invariant(fields, tmp_path, monkeypatch):
    from rote.experiments.examining import examined

    class Collapsed(torch.nn.Module):
        layers = ("encoder", "logits")

        def activations(self, x, layers):
            return {layer: torch.ones(len(x), 3) for layer in layers}

        forward = None

    monkeypatch.setattr(examined.models, "build", lambda **_: Collapsed())
    monkeypatch.setattr(examined.Run, "encoder", lambda self: Collapsed())
    invariance(**fields)  # the run examined is there
    run = invariance(**{**fields, "pairs": 2})
    assert run.summary["invariance_encoder"] is None
    assert run.summary["retrieval_encoder"] == run.summary["retrieval_chance"] == 1 / 40
    assert "undefined (all features alike)" in headline(run)[1]
    assert [row["invariance"] for row in table(run) if row["layer"] == "logits"] == [""] * 20


def test_goes_on_where_it_stopped(fields, run, tmp_path, monkeypatch):
    from rote.experiments.invariance import run as invariance_run

    measure, calls = invariance_run.invariance, []

    def crash(*arguments):
        calls.append(1)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return measure(*arguments)

    fields = {**fields, "out": tmp_path}
    with monkeypatch.context() as patch:
        patch.setattr(invariance_run, "invariance", crash)
        with pytest.raises(KeyboardInterrupt):
            invariance(**fields)
    folder = tmp_path / run.dir.name
    half = rote.load_run(folder)
    assert not half.is_complete
    assert len(half.metrics) == 2 * 39
    with open(folder / "metrics.jsonl", "ab") as file:
        file.write(b'{"step": 0, "epo')  # killed while it wrote
    resumed = invariance(**fields)
    assert (folder / "invariance.csv").read_bytes() == (run.dir / "invariance.csv").read_bytes()
    assert {**resumed.summary, "seconds": 0} == {**run.summary, "seconds": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"invariance_images": 1}, "--invariance-images"),
        ({"pairs": 0}, "--pairs"),
        ({"pooling": "sum"}, "--pooling"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        InvarianceConfig(**change)


def test_ctrl_c_keeps_what_is_measured(fields, monkeypatch):
    from rote.experiments.base import stopping
    from rote.experiments.invariance import run as invariance_run

    pressed = stopping.StopRequest()
    pressed.made = True
    fields = {**fields, "invariance_images": 20}
    with monkeypatch.context() as patch:
        patch.setattr(invariance_run, "stop_requests", lambda: contextlib.nullcontext(pressed))
        with pytest.raises(Stopped, match=r"stopped after comparison 1 of 20 .* the same command goes on"):
            invariance(**fields)
    half = rote.load_run(
        next(path for path in fields["out"].glob("invariance-*") if not (path / "summary.json").exists())
    )
    assert len(half.metrics) == 2 * 7
    assert len(table(invariance(**fields))) == 140
