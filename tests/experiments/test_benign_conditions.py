"""The conditions of `benign`: labels, noise, pools, losses and normalizations, MixUp."""

from __future__ import annotations

import pytest
import torch

import rote
from rote.experiments import BenignConfig, benign


def test_labels_are_the_same_with_and_without_augmentation(tiny):
    augmented = benign(**tiny)
    plain = benign(**{**tiny, "augment": "none"})
    assert augmented.examples["label_used"].tolist() == plain.examples["label_used"].tolist()
    assert augmented.summary["probe_accuracy_init"] == plain.summary["probe_accuracy_init"]


def test_true_labels(tiny):
    run = benign(**tiny, labels="true")
    assert not run.examples["is_corrupted"].any()
    assert not run.examples["label_redrawn"].any()
    assert run.summary["verdict"] is None


def test_fresh_labels_are_not_memorized(tiny):
    run = benign(**tiny, labels="fresh")
    assert run.summary["verdict"] is None
    assert not run.summary["memorized"]
    assert run.summary["train_accuracy"] < 0.5


def test_number_of_classes_is_a_dial(tiny):
    run = benign(**tiny, label_classes=2)
    assert set(run.examples["label_used"]) == {0, 1}
    assert run.summary["label_classes"] == 2


def test_noise_redraws_a_share_of_the_labels(tiny):
    run = benign(**tiny, noise=0.25)
    examples = run.examples
    assert examples["label_redrawn"].sum() == 16
    kept = ~examples["label_redrawn"]
    assert (examples["label_used"][kept] == examples["label_true"][kept]).all()
    everything = benign(**tiny).examples["label_used"]
    assert (examples["label_used"][~kept] == everything[~kept]).all()  # the label that the whole draw gives them
    assert run.summary["noise"] == 0.25
    assert run.summary["verdict"] is None  # most labels tell the class


def test_every_image_a_class_of_its_own(tiny):
    run = benign(**tiny, labels="exemplar")
    assert run.examples["label_used"].tolist() == list(range(64))
    assert run.summary["label_classes"] == 64
    assert run.summary["test_accuracy"] is None
    assert run.summary["verdict"] is not None


def test_a_pool_is_scored_over_exactly_its_views(tiny):
    run = benign(**tiny, views=3)
    bank = rote.data.load("digits")
    ids = torch.tensor(run.examples["id"])
    recipe = rote.augment.recipes["digits"]
    correct = 0
    for view in range(3):
        x = recipe(bank.train.images, ids, torch.full_like(ids, view), seed=0)
        correct += int((run.model(x).argmax(1) == torch.tensor(run.examples["label_used"])).sum())
    assert run.summary["accuracy_pool"] == pytest.approx(correct / 192, abs=1 / 192)
    line = run.metrics.select(metric="accuracy_pool")[0]
    assert (line["samples"], line["step"]) == (192, 8)
    assert run.summary["views"] == 3
    assert benign(**tiny).summary["accuracy_pool"] is None
    assert benign(**tiny, views=3, labels="fresh").summary["accuracy_pool"] is None  # no view has a label


def test_every_loss_with_every_normalization(tiny):
    for loss, norm in (("ce", "group"), ("ce", "batch"), ("mse", "group")):
        summary = benign(**tiny, loss=loss, norm=norm).summary
        assert (summary["loss"], summary["norm"]) == (loss, norm)
    assert benign(**tiny, loss="ce", label_smoothing=0.1).dir != benign(**tiny, loss="ce").dir


def test_mixup_trains_on_other_pixels_and_labels(tiny):
    plain, inputs, labels = (benign(**tiny, mixup=kind) for kind in ("none", "inputs", "labels"))
    assert len({run.dir for run in (plain, inputs, labels)}) == 3
    assert inputs.examples["label_used"].tolist() == plain.examples["label_used"].tolist()
    losses = [run.summary["train_loss"] for run in (plain, inputs, labels)]
    assert len(set(losses)) == 3
    # Clean accuracy, fresh views and probes are measured before MixUp, on the same network at step 0.
    for metric in ("accuracy_clean", "accuracy_fresh_views"):
        assert len({run.metrics.select(metric=metric, step=0)[0]["value"] for run in (plain, inputs, labels)}) == 1
    assert benign(**tiny, mixup="inputs", views=2).summary["accuracy_pool"] is None


def test_training_stream_mixes_images_of_the_run_alone(tiny):
    from rote.augment import MixUp
    from rote.experiments.benign.stream import training_stream
    from rote.experiments.inputs.labels import GivenLabels
    from rote.experiments.inputs.loading import load_inputs

    config = BenignConfig(**{**tiny, "augment": "none"}, mixup="labels", mixup_p=1.0)
    inputs = load_inputs(config)
    ids = inputs.image_ids
    stream = training_stream(config, inputs, GivenLabels("random", ids, inputs.label_true, 10, 0))
    x, y = stream.batch(3)
    own, views, labels = stream.addresses(3)
    mixing = stream.recipe.operations[-1]
    assert (type(mixing), mixing.p, mixing.mix_labels, stream.recipe.partners) == (MixUp, 1.0, True, 64)
    params = stream.recipe.params(own, views, seed=0, image_size=16)
    weight, partner = params["mixup.weight"][:, None, None, None], ids[params["mixup.partner"]]
    pixels = inputs.bank.train.images.double() / 255
    expected = weight * pixels[own] + (1 - weight) * pixels[partner]
    assert (x.double() - expected).abs().max() < 1e-6
    assert torch.allclose(y.sum(1), torch.ones(len(y)))
    used = dict(zip(ids.tolist(), stream.labels.labels(ids, ids, ids).tolist(), strict=True))
    for row, (mine, other) in enumerate(zip(own.tolist(), partner.tolist(), strict=True)):
        soft = torch.zeros(10)
        soft[used[mine]] += params["mixup.weight"][row]
        soft[used[other]] += 1 - params["mixup.weight"][row]
        assert torch.allclose(y[row], soft, atol=1e-6)
        assert labels[row] == used[mine]
