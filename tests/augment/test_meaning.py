"""Whole recipes: pixels against float64 numpy and against torchvision v2, under the parameters that the engine drew."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.augment import (
    ColorJitter,
    Grayscale,
    HorizontalFlip,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    Recipe,
    recipes,
)

from .agreement import assert_agrees_with_float64, assert_agrees_with_torchvision

EVERYTHING = (
    RandomCrop(3, "reflect"),
    RandomAffine(20, (0.1, 0.1), interpolation="bilinear"),
    RandomResizedCrop((0.3, 1.0)),
    HorizontalFlip(),
    ColorJitter(0.4, 0.4, 0.2, 0.1, p=0.8),
    Grayscale(p=0.2),
    ColorJitter(0.2, 0.2, 0.2, 0.05),
)
CASES = {
    "none": Recipe(),
    "digits": recipes["digits"],
    "benign-full": recipes["benign-full"],
    "benign-mild": recipes["benign-mild"].at((20, 28)),
    "everything": Recipe(*EVERYTHING, size=28, mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616)),
}
ONE_CHANNEL = {"everything": Recipe(*EVERYTHING, size=28, mean=0.5, std=0.25)}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    recipe = ONE_CHANNEL.get(name, CASES[name]) if channels == 1 else CASES[name]
    assert_agrees_with_float64(recipe, channels=channels, device=device)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    assert_agrees_with_torchvision(CASES[name])


def test_pixels_are_correctly_rounded_quotients():
    bank = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    views = Recipe()(bank, torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
    expected = (np.arange(256) / 255.0).astype(np.float32)
    assert np.array_equal(views.numpy().ravel(), expected)
