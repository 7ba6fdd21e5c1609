"""Trainings on a second device: the CPU's course, without waiting, and on from a checkpoint.

Without a GPU the second device is emulated (tests/emulated_cuda.py): its numbers are the CPU's, and must agree. A
step that is to be one CUDA graph runs operator by operator there, and fails where it waits or copies between devices.
"""

from __future__ import annotations

import copy

import pytest
import torch

from rote import models, train
from rote.augment import HorizontalFlip, MixUp, Recipe
from rote.experiments.regularize.search import CriticalPoints
from rote.metrics import clean_accuracy
from rote.train.losses import make_loss
from rote.train.replicas import ReplicaTrainer

IDS = torch.arange(40)[3:27]
LABELS = train.random_labels(IDS, 4, 5)
SIZES = {"in_channels": 3, "num_classes": 4, "width": 4, "seed": 1}
FLIP = Recipe(HorizontalFlip())
# How far the weights may be from the CPU's after a few steps. On a real device float32 adds in another order, and Adam
# divides by the size of gradients; emulated, a step that is to be captured has its learning rate in float32.
REAL, EMULATED = 2e-2, 1e-6
REAL_DEVICE = torch.cuda.is_available()
# Muon's iteration is in bfloat16 on CUDA.
MUON = 2e-2

SOURCES = {
    "fixed": train.LabelSource.fixed(LABELS, num_classes=4, image_ids=IDS),
    "fresh": train.LabelSource.fresh(5, 4),
    "per view": train.LabelSource.per_view(5, 4),
}


def config(device, **fields):
    own = {"epochs": 4, "batch_size": 8, "device": device, "precision": "float32", "lr": 3e-3}
    return train.TrainConfig(**(own | fields))


def trainer(images, device, *, labels="fixed", recipe=FLIP, name="convnet", **fields):
    network = models.build(name, **SIZES, image_size=8, projector_width=8)
    stream = train.TrainingStream(images, IDS, SOURCES[labels], recipe, 8, train.Seeds.from_seed(2))
    return train.Trainer(network, stream, config(device, **fields))


def regularized(images, device, *, adversarial=False, **fields):
    own = {"dropout": 0.3, "input_dropout": 0.2, "input_noise": 0.5, "hidden_noise": 0.1, "placement": "all"}
    how, current = train.Regularizers(**own), train.CurrentSamples(7)
    network = models.build("mlp", **SIZES, image_size=8, projector_width=8)
    train.regularize_layers(network, how, current, (3, 8, 8))
    stream = train.RegularizedStream(
        images, IDS, SOURCES["fixed"], FLIP, 8, train.Seeds.from_seed(2), regularizers=how, current=current
    )
    settings = config(device, loss="ce", **fields)
    loss = make_loss(settings)
    if adversarial:
        loss = train.AdversarialLoss(network, loss, current, CriticalPoints(0, radius=20.0, iterations=2), 0.5)
    return train.Trainer(network, stream, settings, loss=loss)


TRAININGS = {
    "adam": {},
    "sgd": {"optimizer": "sgd", "schedule": "one-cycle"},
    "lars": {"optimizer": "lars", "warmup_epochs": 1},
    "muon": {"optimizer": "muon"},
    "eager": {"execution": "eager", "loss": "ce", "label_smoothing": 0.1},
    "fresh labels": {"labels": "fresh"},
    "labels of views": {"labels": "per view"},
    "mixed": {"recipe": Recipe(HorizontalFlip(), MixUp(p=0.7), partners=len(IDS))},
    "regularized": {"make": regularized},
    "adversarial": {"make": regularized, "adversarial": True},
}


def made(images, device, make=trainer, **fields):
    return make(images, device, **fields)


def assert_agree(emulation, found, expected, least=0.0):
    tolerance = max(least, REAL if emulation is None else EMULATED)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name].cpu(), value.cpu(), rtol=tolerance, atol=tolerance, msg=name)


@pytest.mark.parametrize("fields", TRAININGS.values(), ids=TRAININGS.keys())
def test_trains_as_on_the_cpu_and_goes_on_from_a_checkpoint(second_device, images, tmp_path, fields):
    """The checkpoint is in the middle of the third epoch, with two epochs whose means nobody has taken."""
    expected = made(images, "cpu", **fields)
    expected.train_until(12)
    stopped = made(images, "cuda", **fields)
    stopped.train_until(7)
    train.save_checkpoint(tmp_path / "state", stopped)
    found = made(images, "cuda", **fields)
    train.load_checkpoint(tmp_path / "state", found)
    found.train_until(12)
    least = MUON if fields.get("optimizer") == "muon" else 0.0
    assert_agree(second_device, found.model.state_dict(), expected.model.state_dict(), least)
    ours, theirs = found.take_epochs(), expected.take_epochs()
    assert [each.epoch for each in ours] == [each.epoch for each in theirs] == [1, 2, 3, 4]
    assert [each.loss for each in ours] == pytest.approx([each.loss for each in theirs], rel=1e-2)


NETWORKS = {
    "convnet": {}, "mlp": {}, "zhang-mlp": {}, "small-alexnet": {"image_size": 16}, "small-inception": {},
    "closer-look-cnn": {"image_size": 16}, "wrn-28-1": {"depth": 1}, "resnet18": {}, "vgg16": {"image_size": 32},
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_give_the_gradients_of_the_cpu(second_device, name):
    sizes = {"image_size": 8, **SIZES, **NETWORKS[name]}
    x = torch.rand(4, 3, sizes["image_size"], sizes["image_size"], generator=torch.Generator().manual_seed(0))

    def gradients(device):
        network = models.build(name, **sizes, projector_width=8, whiten=True).to(device)
        network(x.to(device)).square().mean().backward()
        taken = network.eval().activations(x.to(device), pooling="max")
        return {n: p.grad for n, p in network.named_parameters()} | taken

    assert_agree(second_device, gradients("cuda"), gradients("cpu"))


def replicas(images, device, name, batched, optimizer="adam"):
    networks, streams, configs = [], [], []
    for r in range(3):
        networks.append(models.build(name, **{**SIZES, "seed": r}, image_size=8))
        seeds = train.Seeds.from_seed(r)
        streams.append(train.TrainingStream(images, IDS, SOURCES["fixed"], FLIP, 8, seeds))
        # Rates of their own need parameters that are views of one vector, which the emulation's tensors cannot become.
        rate = 3e-3 * (1 + r) if REAL_DEVICE else 3e-3
        configs.append(config(device, lr=rate, optimizer=optimizer))
    return ReplicaTrainer(networks, streams, configs, batched=batched), streams


@pytest.mark.parametrize(
    ("name", "batched", "optimizer"),
    [("convnet", True, "adam"), ("mlp", True, "sgd"), ("small-inception", True, "adam"), ("mlp", False, "adam")],
)
def test_replicas_train_as_on_the_cpu(second_device, images, name, batched, optimizer):
    """Stopped and gone on with in their middle, by a state as it is read from a file; one replica leaves early."""
    expected, _ = replicas(images, "cpu", name, batched, optimizer)
    stopped, _ = replicas(images, "cuda", name, batched, optimizer)
    for each in (expected, stopped):
        each.train_until(3)
        each.stop(1)
    found, _ = replicas(images, "cuda", name, batched, optimizer)
    found.load_state_dict({key: value.cpu() for key, value in stopped.state_dict().items()})
    for each in (expected, found):
        each.train_until(7)
    for r in range(3):
        assert_agree(second_device, found.model(r).state_dict(), expected.model(r).state_dict())
    x = torch.rand(2, 5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert_agree(second_device, {"scores": found.forward(x)}, {"scores": expected.forward(x)})
    ours, theirs = found.take_running(), expected.take_running()
    assert [each.samples for each in ours] == [each.samples for each in theirs]


@pytest.mark.parametrize("batched", [True, False])
def test_replicas_share_a_bank_on_the_device(second_device, images, batched):
    _, streams = replicas(images, "cuda", "mlp", batched)
    assert streams[0].images.device.type == "cuda"
    assert all(stream.images is streams[0].images for stream in streams)


def test_snapshots_measure_a_copy(second_device, images):
    own = trainer(images, "cuda")
    own.train_until(3)
    then = copy.deepcopy(own.model)
    asked = (images[IDS], LABELS)
    with train.Snapshots(own.model, background=second_device is None) as snapshots:
        snapshots.measure(own.step, lambda network: clean_accuracy(network, *asked))
        own.train_until(6)
        assert snapshots.results(wait=True) == [(3, clean_accuracy(then, *asked))]


def test_precision_that_the_caller_chose_stays(second_device, images, float32_precision):
    """cuDNN's TF32 is the caller's: training asks for deterministic algorithms alone."""
    seen = []
    conv = torch.backends.cudnn.conv
    float32_precision("ieee")
    own = trainer(images, "cuda", execution="eager")
    own._parts.model.register_forward_pre_hook(
        lambda *_: seen.append((conv.fp32_precision, torch.backends.cudnn.deterministic))
    )
    before = torch.backends.cudnn.deterministic
    own.train_until(1)
    assert seen == [("ieee", True)]
    assert torch.backends.cudnn.deterministic == before
