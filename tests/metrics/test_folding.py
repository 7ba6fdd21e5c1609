"""Folded networks answer as those they were made from."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rote import data, models
from rote.metrics import folded, recalibrated
from rote.metrics.evaluation import evaluating


@pytest.mark.parametrize("norm", ["batch", "group", "none"])
def test_folded_network_gives_the_same_in_fewer_modules(norm):
    images = data.load("digits").train.images[:64]
    model = models.build("convnet", in_channels=3, image_size=16, num_classes=10, width=4, norm=norm).double()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    x = images.double() / 255
    with evaluating(model):
        plain = model.activations(x)
        copied = folded(model).activations(x)
    assert plain.keys() == copied.keys()
    for layer in plain:
        assert (plain[layer] - copied[layer]).abs().max() < 1e-6 * plain[layer].abs().max()
    norms = [m for m in folded(model).modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms == []
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_folding_takes_the_statistics_of_the_moment():
    images = data.load("digits").train.images[:64]
    model = models.build("convnet", in_channels=3, image_size=16, num_classes=10, width=4)
    x = images.float() / 255
    with recalibrated(model, images), evaluating(model):
        expected = model(x)
        copied = folded(model)
    with evaluating(model):
        assert not torch.allclose(model(x), expected, atol=1e-3)
        assert torch.allclose(copied(x), expected, atol=1e-4)


def test_own_networks_are_left_alone():
    own = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert folded(own) is own
    assert isinstance(copy.deepcopy(own)[1], nn.BatchNorm2d)
