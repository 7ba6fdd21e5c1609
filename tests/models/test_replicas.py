"""Networks of one architecture as one: every replica computes what it computes alone, forward and backward."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rote import models
from rote.models.replicas import NotBatchable, Replicas, check_outputs

COUNT, BATCH, SIZE, CLASSES = 3, 6, 16, 5


def networks(name="mlp", **fields):
    fields = {"width": 8, "projector_width": 16} | fields
    return [
        models.build(name, in_channels=3, image_size=SIZE, num_classes=CLASSES, seed=seed, **fields).double()
        for seed in range(COUNT)
    ]


def in_channels(x: torch.Tensor) -> torch.Tensor:
    """[R, B, C, H, W] -> [B, R C, H, W]."""
    return x.transpose(0, 1).flatten(1, 2)


@pytest.fixture
def x():
    return torch.rand(COUNT, BATCH, 3, SIZE, SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "none"])
@pytest.mark.parametrize("name", ["mlp", "convnet", "resnet18", "vgg16", "small-inception", "wrn-28-1"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_each_replica_computes_what_it_computes_alone(x, name, norm, channels_last):
    # The one with branches also with a linear head, and each replica's image whitened alone.
    more = {"whiten": True, "projector_width": None} if name == "small-inception" else {}
    alone = networks(name, norm=norm, **more)
    check_outputs(alone, x[0])
    together = Replicas(alone)
    for training in (True, False):
        together.train(training).zero_grad()
        images = in_channels(x)
        if channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        scores = together(images).view(BATCH, COUNT, CLASSES)
        scores.square().sum().backward()
        for r, network in enumerate(alone):
            network.train(training).zero_grad()
            expected = network(x[r])
            torch.testing.assert_close(scores[:, r], expected, rtol=1e-10, atol=1e-10)
            expected.square().sum().backward()
            gradients = dict(together.network.named_parameters())
            for parameter, p in network.named_parameters():
                ours = together.rows(gradients[parameter].grad)[r].view(p.shape)
                torch.testing.assert_close(ours, p.grad, rtol=1e-8, atol=1e-10)
    # Running statistics, too, are each network's own.
    for r, network in enumerate(alone):
        state = together.state_of(r)
        assert state.keys() == network.state_dict().keys()
        for key, value in network.state_dict().items():
            assert state[key].shape == value.shape
            torch.testing.assert_close(state[key], value, rtol=1e-10, atol=1e-12)


def test_one_replica_alone(x):
    (network, *_) = networks("convnet")
    torch.testing.assert_close(Replicas([network])(x[0]), network(x[0]), rtol=1e-10, atol=1e-10)


def test_not_a_number_stays_in_its_replica(x):
    for name in ("mlp", "convnet"):
        alone = networks(name)
        with torch.no_grad():
            next(alone[1].parameters()).fill_(float("nan"))
        together = Replicas(alone)
        scores = together(in_channels(x)).view(BATCH, COUNT, CLASSES)
        scores.nansum().backward()
        assert scores[:, 1].isnan().all()
        assert scores[:, [0, 2]].isfinite().all()
        for p in together.parameters():
            assert together.rows(p.grad)[[0, 2]].isfinite().all()


class MixesChannels(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, CLASSES, 3)

    def forward(self, x):
        return self.layer(x - x.mean(1, keepdim=True)).mean((2, 3))


class OwnWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3, 1, 1))
        self.layer = nn.Linear(3, CLASSES)

    def forward(self, x):
        return self.layer((self.scale * x).mean((2, 3)))


def frozen():
    network = networks()[0]
    next(network.parameters()).requires_grad_(False)
    return network


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: [OwnWeight(), OwnWeight()], r"layer \(the network\) is a OwnWeight, which is not known"),
        (lambda: [nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2))] * 2, "layer 1 is a Dropout"),
        (lambda: [nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")] * 2, "must pad with zeros"),
        (lambda: [nn.BatchNorm2d(3, momentum=None)] * 2, "must have a momentum"),
        (lambda: [nn.Flatten(0)] * 2, "must flatten everything but the batch"),
        (lambda: [*networks(), *networks(width=9)], r"one architecture; models\[3\] differs"),
        (
            lambda: [*networks(norm="group", width=16), *networks(norm="layer", width=16)],
            r"one architecture; models\[3\] differs",
        ),
        (lambda: [frozen()], "all parameters must want a gradient"),
    ],
)
def test_what_cannot_be_batched_says_why(made, words):
    with pytest.raises(NotBatchable, match=words):
        Replicas(made())


def test_code_that_mixes_channels_is_found(x):
    pair = [MixesChannels().double() for _ in range(2)]
    with pytest.raises(NotBatchable, match="mixes channels"):
        check_outputs(pair, x[0])
    with pytest.raises(ValueError, match="at least one network"):
        Replicas([])
