"""Replicas in one batch: what R runs alone give, with as many operators as one."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rote import models, train
from rote.augment import ColorJitter, HorizontalFlip, RandomResizedCrop, Recipe
from rote.train.replicas import ReplicaTrainer

RECIPE = Recipe(RandomResizedCrop(scale=(0.3, 1.0)), HorizontalFlip(), ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8), size=8)


def setting(images, r, *, recipe=RECIPE, views=None, **fields):
    """(network, stream, config) of replica r: seeds and subset of its own, a learning rate of its own."""
    fields = {"epochs": 8, "batch_size": 8, "device": "cpu", "width": 4, "projector_width": 16, "lr": 3e-3} | fields
    fields["lr"] *= 1 + r % 3
    config = train.TrainConfig(**fields)
    network = models.build(
        config.model,
        in_channels=3,
        image_size=8,
        num_classes=4,
        width=config.width,
        projector_width=config.projector_width,
        norm=config.norm,
        seed=r,
    )
    ids = torch.arange(40)[3 + r : 27 + r]
    labels = train.LabelSource.fixed(train.random_labels(ids, 4, r), num_classes=4, image_ids=ids)
    stream = train.TrainingStream(images, ids, labels, recipe, config.batch_size, train.Seeds.from_seed(r), views)
    return network, stream, config


def make(images, count=3, check_every=5, batched=True, **fields):
    made = [setting(images, r, **fields) for r in range(count)]
    return ReplicaTrainer(*zip(*made, strict=True), check_every=check_every, batched=batched)


def alone(images, r, **fields):
    return train.Trainer(*setting(images, r, **fields), check_every=5)


SETTINGS = [
    {"model": model, "norm": norm} for model in ("mlp", "convnet") for norm in ("batch", "group", "layer", "none")
] + [
    {"model": "mlp", "loss": "ce", "label_smoothing": 0.1},
    {"model": "convnet", "loss": "ce", "optimizer": "sgd", "lr": 0.02, "schedule": "one-cycle"},
    {"model": "mlp", "optimizer": "sgd", "momentum": 0.0, "lr": 0.02, "schedule": "constant", "weight_decay": 1e-2},
    {"model": "mlp", "weight_decay": 1e-2, "views": 3},
    {"model": "resnet18", "width": 4},
]


@pytest.mark.parametrize("fields", SETTINGS, ids=str)
def test_twenty_steps_agree_with_solo_runs(images, fields):
    try:
        together = make(images, precision="float64", **fields)
    except ValueError as error:
        if "norm" in str(error):
            pytest.skip(str(error))
        raise
    assert together.batched
    together.train_until(20)
    running = together.take_running()
    for r in range(3):
        solo = alone(images, r, precision="float64", **fields)
        solo.train_until(20)
        ours, theirs = together.model(r), solo.model
        assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
        for (name, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9, msg=lambda m, name=name: f"{name}: {m}")
        expected = solo.take_running()
        assert running[r].loss == pytest.approx(expected.loss, rel=1e-9)
        assert running[r][1:] == expected[1:]


class Count(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def operators_of_a_step(trainer) -> list[str]:
    trainer.train_until(4)  # the second step of an epoch, whose addresses are there
    with Count() as count:
        trainer.train_until(5)
    return count.names


@pytest.mark.parametrize("fields", [{"model": "mlp"}, {"model": "convnet", "norm": "group", "loss": "ce"}], ids=str)
def test_the_number_of_operators_does_not_grow(images, fields):
    few = operators_of_a_step(make(images, 2, check_every=100, **fields))
    many = operators_of_a_step(make(images, 8, check_every=100, **fields))
    assert few == many
    assert few.count("rote.augment_render_batches.default") == 1
