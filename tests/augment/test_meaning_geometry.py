"""Crops, flips, resizes and affine maps: pixels against float64 numpy and torchvision v2."""

from __future__ import annotations

import pytest
import torch

from rote.augment import HorizontalFlip, RandomAffine, RandomCrop, RandomResizedCrop, Recipe

from .agreement import assert_agrees_with_float64, assert_agrees_with_torchvision

CASES = {
    "flip": Recipe(HorizontalFlip()),
    "crop-constant": Recipe(RandomCrop(4, fill=0.25), size=(24, 33)),
    "crop-edge": Recipe(RandomCrop(5, "edge"), size=30),
    "crop-reflect": Recipe(RandomCrop(4, "reflect")),
    "crop-symmetric": Recipe(RandomCrop(7, "symmetric"), size=(40, 9)),
    "rrc": Recipe(RandomResizedCrop()),
    "rrc-enlarge": Recipe(RandomResizedCrop((0.1, 1.0), (0.3, 3.0)), size=(47, 70)),
    "rrc-shrink": Recipe(RandomResizedCrop((0.5, 1.0)), size=(13, 7)),
    "rrc-twice": Recipe(RandomResizedCrop((0.5, 1.0)), RandomResizedCrop((0.5, 1.0)), size=24),
    "affine-bilinear": Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), (-20, 20, -10, 10), "bilinear", fill=0.4)),
    "affine-nearest": Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), (-20, 20, -10, 10), fill=0.4)),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    assert_agrees_with_float64(CASES[name], channels=channels, device=device)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    assert_agrees_with_torchvision(CASES[name])


def test_random_resized_crop_of_the_whole_image_copies_it(bank):
    recipe = Recipe(RandomResizedCrop())
    zero, side = torch.zeros(24, dtype=torch.int64), torch.full((24,), 32)
    params = dict(zip(("top", "left", "height", "width"), (zero, zero, side, side), strict=True))
    params = {f"random_resized_crop.{name}": values for name, values in params.items()}
    assert torch.equal(recipe.apply(bank, torch.arange(24), params), bank.float() / 255)
