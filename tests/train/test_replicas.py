"""Replicas in one batch: what R runs alone give, with as many operators as one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rote import models, train
from rote.augment import ColorJitter, HorizontalFlip, MixUp, RandomResizedCrop, Recipe
from rote.models.replicas import NotBatchable
from rote.train.replicas import ReplicaTrainer, batching_pays

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
    together = make(images, precision="float64", **fields)
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


def same_bits(a, b) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize(
    "fields", [{"model": "mlp"}, {"model": "convnet", "optimizer": "sgd", "norm": "group"}], ids=str
)
def test_a_resumed_run_ends_in_the_same_bits(images, batched, fields):
    whole = make(images, batched=batched, **fields)
    whole.train_until(7)
    saved = whole.state_dict()
    whole.train_until(15)
    resumed = make(images, batched=batched, **fields)
    resumed.train_until(2)
    resumed.load_state_dict(saved)
    assert resumed.step == 7
    resumed.train_until(15)
    assert same_bits(resumed.state_dict(), whole.state_dict())
    assert resumed.take_running() == whole.take_running()


@pytest.mark.parametrize("stop", [1, 6, 14])
def test_a_file_resumes_to_the_same_bits(images, tmp_path, stop):
    whole = make(images, model="mlp")
    whole.train_until(15)
    killed = make(images, model="mlp")
    killed.train_until(stop)
    train.save_replicas(tmp_path / "state", killed, {"best": 0.5})
    killed.train_until(15)
    resumed = make(images, model="mlp")
    assert train.load_replicas(tmp_path / "state", resumed) == {"best": 0.5}
    resumed.train_until(15)
    assert same_bits(resumed.state_dict(), whole.state_dict())
    with pytest.raises(train.CheckpointError, match="lr"):
        train.load_replicas(tmp_path / "state", make(images, model="mlp", lr=1e-2))
    with pytest.raises(train.CheckpointError, match="replicas"):
        train.load_replicas(tmp_path / "state", make(images, 2, model="mlp"))


class BrokenAt:
    """A recipe whose pixels are NaN in one view, which one replica alone is shown."""

    def __init__(self, recipe, seed, view):
        self.recipe, self.seed, self.view = recipe, seed, view

    def __call__(self, images, ids, views, *, seed, **how):
        x = self.recipe(images, ids, views, seed=seed, **how)
        return x * float("nan") if seed == self.seed and int(views[0]) == self.view else x


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("model", ["mlp", "convnet"])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_what_breaks_in_one_replica_stays_there(images, batched, model, norm):
    fields = {"recipe": BrokenAt(RECIPE, seed=1, view=2), "model": model, "norm": norm, "precision": "float64"}
    broken = make(images, batched=batched, **fields)
    broken.train_until(20)  # epoch 2 begins with step 6
    assert broken.diverged == [None, 6, None]
    assert broken.active == [0, 2]
    for r, steps in ((0, 20), (1, 5), (2, 20)):  # the last good state is that of the last check
        solo = alone(images, r, **fields | {"recipe": RECIPE})
        solo.train_until(steps)
        for a, b in zip(broken.model(r).state_dict().values(), solo.model.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_weights_that_break_behind_a_finite_loss_are_found(images):
    trainer = make(images, model="mlp")
    trainer.train_until(5)
    good = trainer.model(2).state_dict()
    with torch.no_grad():
        trainer._run.network.rows(next(trainer._run.network.parameters()))[2, 0] = float("inf")
    trainer._run.check()
    assert trainer.diverged == [None, None, 5]
    assert same_bits(trainer.model(2).state_dict(), good)


def test_all_replicas_may_break(images):
    trainer = make(images, model="mlp", optimizer="sgd", lr=1e30, norm="none")
    trainer.train_until(trainer.total_steps)
    assert None not in trainer.diverged
    assert trainer.active == []
    assert trainer.step == trainer.total_steps
    assert all(p.isfinite().all() for r in range(3) for p in trainer.model(r).parameters())


@pytest.mark.parametrize("batched", [True, False])
def test_a_stopped_replica_leaves_the_others_alone(images, batched):
    whole = make(images, batched=batched, precision="float64")
    whole.train_until(12)
    trainer = make(images, batched=batched, precision="float64")
    trainer.train_until(6, on_step=lambda t: t.stop(1) if t.step == 4 else None)
    assert trainer.active == [0, 2]
    saved = trainer.state_dict()
    trainer = make(images, batched=batched, precision="float64")
    trainer.load_state_dict(saved)
    trainer.train_until(12)
    for r in (0, 2):
        for a, b in zip(trainer.model(r).state_dict().values(), whole.model(r).state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
    at_four = alone(images, 1, precision="float64")
    at_four.train_until(4)
    for a, b in zip(trainer.model(1).state_dict().values(), at_four.model.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
    assert [running.samples for running in trainer.take_running()] == [96, 32, 96]


@pytest.mark.parametrize("batched", [True, False])
def test_forward_is_each_replicas_own(images, batched):
    trainer = make(images, batched=batched)
    trainer.train_until(3)
    x = torch.rand(3, 5, 3, 8, 8)
    scores = trainer.forward(x)
    for r in range(3):
        torch.testing.assert_close(scores[r], trainer.model(r).eval()(x[r]), rtol=1e-4, atol=1e-5)
    before = trainer.state_dict()
    trainer.forward(x)
    assert same_bits(trainer.state_dict(), before)
    with pytest.raises(ValueError, match=r"x must be \[3, B, C, H, W\]; got \[2, 5, 3, 8, 8\]"):
        trainer.forward(x[:2])


def test_mixed_labels_agree_with_solo_runs(images):
    recipe = Recipe(HorizontalFlip(), MixUp(), partners=24)
    fields = {"recipe": recipe, "loss": "ce", "precision": "float64", "model": "mlp"}
    together = make(images, **fields)
    together.train_until(7)
    running = together.take_running()
    for r in range(3):
        solo = alone(images, r, **fields)
        solo.train_until(7)
        for a, b in zip(together.model(r).parameters(), solo.model.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
        expected = solo.take_running()
        assert running[r].loss == pytest.approx(expected.loss, rel=1e-9)
        assert running[r][1:] == expected[1:]


def test_banks_of_their_own(images):
    def banks(r):
        network, stream, config = setting(images, r, precision="float64")
        stream.images = images.roll(r, 0)
        return network, stream, config

    together = ReplicaTrainer(*zip(*map(banks, range(3)), strict=True), batched=True)
    together.train_until(4)
    for r in range(3):
        solo = train.Trainer(*banks(r))
        solo.train_until(4)
        for a, b in zip(together.model(r).parameters(), solo.model.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_replicas_start_from_their_networks_bits(images):
    trainer = make(images, lr=1.1e-3)
    for r in range(3):
        assert same_bits(trainer.model(r).state_dict(), setting(images, r)[0].state_dict())


def test_what_cannot_be_batched_runs_one_after_another(images):
    with pytest.raises(NotBatchable, match="optimizer must be one of"):
        make(images, optimizer="lars")
    trainer = make(images, optimizer="lars", batched=None)
    assert not trainer.batched
    solo = alone(images, 1, optimizer="lars")
    trainer.train_until(3)
    solo.train_until(3)
    assert same_bits(trainer.model(1).state_dict(), solo.model.state_dict())


def test_bad_arguments(images):
    models_, streams, configs = zip(*[setting(images, r) for r in range(3)], strict=True)
    with pytest.raises(ValueError, match=r"equally many, at least one; got \(3, 2, 3\)"):
        ReplicaTrainer(models_, streams[:2], configs)
    with pytest.raises(ValueError, match=r"configs must differ in lr alone; configs\[1\]"):
        ReplicaTrainer(models_, streams, [configs[0], replace(configs[1], momentum=0.5), configs[2]])
    with pytest.raises(ValueError, match="streams must be alike"):
        ReplicaTrainer(models_, [*streams[:2], setting(images, 2, batch_size=4)[1]], configs)
    with pytest.raises(ValueError, match="check_every must be at least 1; got 0"):
        ReplicaTrainer(models_, streams, configs, check_every=0)
    trainer = ReplicaTrainer(models_, streams, configs, batched=True)
    with pytest.raises(ValueError, match=r"replica must be in \[0, 3\); got 3"):
        trainer.model(3)
    with pytest.raises(ValueError, match="the state must be of 3 replicas; got one of 2"):
        trainer.load_state_dict(make(images, 2).state_dict())
    with pytest.raises(ValueError, match="the state must be of batched=True"):
        trainer.load_state_dict(make(images, batched=False).state_dict())


def test_batching_pays_for_small_networks_alone():
    def network(name, width):
        return models.build(name, in_channels=3, image_size=16, num_classes=10, width=width)

    cpu = torch.device("cpu")
    assert batching_pays(network("mlp", 64), 8, cpu)
    assert not batching_pays(network("mlp", 64), 1, cpu)
    assert not batching_pays(network("mlp", 1024), 8, cpu)
    assert not batching_pays(network("resnet18", 64), 8, cpu)


def test_one_after_another_looks_no_more_often_than_alone(images, monkeypatch):
    looks = []
    check = train.Trainer.check
    monkeypatch.setattr(train.Trainer, "check", lambda self: (looks.append(self.step), check(self)))
    trainer = make(images, 2, batched=False, check_every=5)
    trainer.train_until(12, on_step=lambda _: None)
    assert looks == [5, 5, 10, 10, 12, 12]
