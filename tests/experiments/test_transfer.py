"""`transfer`: halves, starts, alignment and tables, and going on in the middle of a training."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
import torch

import rote
from rote import models
from rote.experiments import TransferConfig, headline, transfer
from rote.experiments.transfer import run as transfer_run
from rote.experiments.transfer.networks import Networks
from rote.experiments.transfer.results import Cell, accuracies_on_test_images, epochs_to_90
from rote.experiments.transfer.starts import rescaled, taken_over, with_gaussian_filters
from rote.metrics.alignment import covariance, eigenbasis, filters_of, misalignment, patch_covariance
from rote.train import Trainer, load_weights


def table(run, name) -> list[dict[str, str]]:
    with open(run.dir / name, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    return {
        "data": "digits",
        "images": 64,
        "width": 8,
        "projector_width": 16,
        "networks": 4,
        "transfer_networks": 2,
        "pretrain_epochs": 3,
        "epochs": 4,
        "batch_size": 16,
        "lr": 1e-2,
        "evaluations": 2,
        "device": "cpu",
        "out": tmp_path_factory.mktemp("runs"),
    }


@pytest.fixture(scope="module")
def run(fields):
    return transfer(**fields)


def built(seed: int, num_classes: int = 10, width: int = 8):
    size = {"in_channels": 3, "image_size": 16, "width": width, "projector_width": 16}
    return models.build("convnet", num_classes=num_classes, seed=seed, **size)


def test_tables(run):
    rows = table(run, "transfer.csv")
    starts, labels = ("scratch", "random-labels", "rescaled", "covariance"), ("true", "random")
    assert {(row["start"], row["labels"], row["network"]) for row in rows} == {
        (start, kind, network) for start in starts for kind in labels for network in "01"
    }
    assert [row["epoch"] for row in rows[:3]] == ["0", "2", "4"]
    assert [row["step"] for row in rows[:3]] == ["0", "4", "8"]
    for row in rows:
        assert 0 <= float(row["train_accuracy"]) <= 1
        assert 0 <= float(row["test_accuracy"]) <= 1
    summary = run.summary
    assert set(summary["epochs_to_90"]) == set(summary["test_accuracy"]) == set(starts)
    last = [
        float(r["test_accuracy"]) for r in rows if (r["start"], r["labels"], r["epoch"]) == ("scratch", "true", "4")
    ]
    assert summary["test_accuracy"]["scratch"] == pytest.approx(sum(last) / 2)
    assert "4 networks pre-trained on random labels of half of 64 images" in headline(run)[0]
    assert len(run.metrics.select(metric="accuracy_running", start="scratch", labels="true", network=0)) == 4


def test_alignment_is_that_of_the_pooled_filters(run):
    before, after = table(run, "alignment.csv")
    assert (before["moment"], before["filters"], before["dimension"], before["networks"]) == ("init", "32", "27", "4")
    bank = rote.data.load("digits")
    first_half = bank.balanced_order(0)[:32]
    basis = eigenbasis(patch_covariance(bank.train.images, first_half, built(0).encoder[0][0]))
    filters = torch.cat([filters_of(built(seed)) for seed in range(4)])
    assert float(before["misalignment"]) == pytest.approx(misalignment(covariance(filters), basis), rel=1e-9)
    for seed in range(4):
        model = built(seed)
        load_weights(run.dir / "checkpoints" / f"pretrained-{seed}.safetensors", model)
        assert not torch.equal(filters_of(model), filters[8 * seed : 8 * seed + 8])
        filters[8 * seed : 8 * seed + 8] = filters_of(model)
    assert float(after["misalignment"]) == pytest.approx(misalignment(covariance(filters), basis), rel=1e-9)
    assert run.summary["misalignment"] == float(after["misalignment"])
    assert float(before["misalignment_random_basis"]) > 1


def test_the_halves_are_disjoint_and_their_labels_independent(fields, tmp_path, monkeypatch):
    seen = []

    class Spy(transfer_run.TrainingStream):
        def __init__(self, images, image_ids, labels, *more):
            seen.append((image_ids, labels.labels(image_ids, image_ids, image_ids)))
            super().__init__(images, image_ids, labels, *more)

    monkeypatch.setattr(transfer_run, "TrainingStream", Spy)
    short = {"transfer_networks": 1, "starts": ("scratch",), "pretrain_epochs": 1, "epochs": 1, "out": tmp_path}
    transfer(**{**fields, **short})
    true = rote.data.load("digits").train.labels
    pretraining, (second, given), (again, random) = seen[:4], *seen[4:]
    assert second.tolist() == again.tolist()
    assert given.tolist() == true[second].tolist()
    assert (random == true[second]).float().mean() < 0.5
    for first, labels in pretraining:
        assert len(first) == len(second) == 32
        assert not set(first.tolist()) & set(second.tolist())
        assert (labels == true[first]).float().mean() < 0.5
        counts = torch.bincount(true[first], minlength=10)
        assert counts.max() - counts.min() <= 2
    assert len({tuple(labels.tolist()) for _, labels in pretraining}) == 4  # each network has its own


def test_starts():
    new, learnt = built(0, num_classes=5), built(1, num_classes=7)
    projector = [p.clone() for p in new.projector.parameters()]
    taken_over(new, learnt, "encoder")
    assert all(torch.equal(a, b) for a, b in zip(new.encoder.parameters(), learnt.encoder.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(new.projector.parameters(), projector, strict=True))
    other = built(2, num_classes=7)
    assert torch.equal(taken_over(other, learnt, "network").projector.logits.weight, learnt.projector.logits.weight)


def test_rescaling_keeps_directions_and_restores_norms():
    initial, learnt = built(0), built(0)
    with torch.no_grad():
        for parameter in learnt.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    before = [p.detach().clone() for p in learnt.parameters()]
    rescaled(learnt, initial)
    for old, now, first in zip(before, learnt.parameters(), initial.parameters(), strict=True):
        assert float(now.detach().norm()) == pytest.approx(float(first.detach().norm()), rel=1e-5)
        if float(first.detach().norm()) > 0:
            cosine = torch.nn.functional.cosine_similarity(old.flatten(), now.detach().flatten(), dim=0)
            assert float(cosine) == pytest.approx(1, abs=1e-5)


def test_gaussian_filters_have_the_covariance():
    s = torch.diag(torch.linspace(0.1, 3, 27, dtype=torch.float64))
    s[0, 1] = s[1, 0] = 0.1
    model = built(0, width=2000)
    rest = [p.clone() for p in list(model.parameters())[1:]]
    with_gaussian_filters(model, s, seed=3)
    found = np.cov(filters_of(model).numpy().T)
    np.testing.assert_allclose(found, s, atol=0.35)
    assert np.abs(filters_of(model).numpy().mean(0)).max() < 0.2
    assert all(torch.equal(a, b) for a, b in zip(list(model.parameters())[1:], rest, strict=True))


def test_starts_are_compared_on_the_same_network(run):
    """Scratch and the others share the projector, the order and the labels: at epoch 0 only the encoder differs."""
    rows = [r for r in table(run, "transfer.csv") if (r["network"], r["epoch"], r["labels"]) == ("0", "0", "true")]
    assert len({row["test_accuracy"] for row in rows}) > 1
    config = TransferConfig(networks=4, transfer_networks=2)
    moved = Networks(config, None, {}, None).seeds(1)
    assert dataclasses.asdict(moved) == {"data": 0, "label": 1, "init": 1, "order": 1, "view": 1}


def test_results_by_hand():
    def looks(*running, test=0.5):
        return [{"epoch": 0, "step": 0}] + [
            {"epoch": n, "step": n, "accuracy_running": value, "test_accuracy": test}
            for n, value in enumerate(running, 1)
        ]

    found = {
        Cell("scratch", "true", 0): looks(0.5, 0.95, test=0.6),
        Cell("scratch", "true", 1): looks(0.5, 0.8, 0.9, test=0.8),
        Cell("rescaled", "true", 0): looks(0.95, test=0.7),
        Cell("rescaled", "true", 1): looks(0.4, test=0.86),
        Cell("rescaled", "random", 0): looks(0.91, test=0.1),
    }
    assert epochs_to_90(found) == {"scratch": {"true": 2.5}, "rescaled": {"true": None, "random": 1}}
    result = accuracies_on_test_images(found)
    assert result["test_accuracy"] == pytest.approx({"scratch": 0.7, "rescaled": 0.78})
    mean, low, high = result["test_accuracy_over_scratch"]["rescaled"]
    # Differences .1 and .06: mean .08, standard error .02, t quantile of one degree of freedom 12.706.
    assert (mean, low, high) == pytest.approx((0.08, 0.08 - 12.706 * 0.02, 0.08 + 12.706 * 0.02), abs=1e-4)
    only = {Cell("rescaled", "random", 0): looks(0.91)}
    assert accuracies_on_test_images(only) == {"test_accuracy": None, "test_accuracy_over_scratch": None}


def test_goes_on_in_the_middle(fields, run, tmp_path, monkeypatch):
    fields = {**fields, "out": tmp_path}
    update, steps = Trainer._update, []

    def killed(at):
        def step(trainer):
            steps.append(1)
            if len(steps) == at:
                raise KeyboardInterrupt
            update(trainer)

        return step

    for at in (15, 20):  # in the third pre-training, then in the second of the trainings from them
        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "_update", killed(at))
            patch.setattr("rote.experiments.base.saving.SAVE_EVERY_SECONDS", 0.0)
            with pytest.raises(KeyboardInterrupt):
                transfer(**fields)
        steps.clear()
        assert list((tmp_path / run.dir.name / "checkpoints").glob("*_*.safetensors"))
    resumed = transfer(**fields)
    assert resumed.dir.name == run.dir.name
    for name in ("transfer.csv", "alignment.csv"):
        assert (resumed.dir / name).read_bytes() == (run.dir / name).read_bytes()
    assert {**resumed.summary, "seconds": 0} == {**run.summary, "seconds": 0}
    assert list(resumed.metrics) == list(run.metrics)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transfer_networks": 9}, "--transfer-networks must be at most --networks, 8"),
        ({"starts": ()}, "--starts must be out of"),
        ({"starts": ("scratch", "scratch")}, "--starts"),
        ({"tasks": ("noise",)}, "--tasks"),
        ({"pretrain_epochs": 0}, "--pretrain-epochs"),
        ({"transferred": "logits"}, "--transferred"),
        ({"mixup": "inputs"}, "--mixup"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        TransferConfig(**change)


def test_too_few_filters_are_refused_before_anything_runs(fields, tmp_path):
    fields = {**fields, "out": tmp_path}
    with pytest.raises(ValueError, match="more than 27 filters; got 8 in each of --networks 3: ask for at least 4"):
        transfer(**{**fields, "networks": 3})
    with pytest.raises(ValueError, match="--label-classes must be 10"):
        transfer(**fields, transferred="network", label_classes=2)
    with pytest.raises(ValueError, match="--images must be at least 4"):
        transfer(**{**fields, "images": 2})
    with pytest.raises(TypeError, match="model must be a network's name"):
        transfer(**fields, model=torch.nn.Linear(2, 2))
    assert not list(tmp_path.iterdir())
