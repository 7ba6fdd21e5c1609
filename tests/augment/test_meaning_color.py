"""Colour operations: pixels against float64 numpy, torchvision v2 and kornia."""

from __future__ import annotations

import pytest
import torch

from rote.augment import ColorJitter, Grayscale, HorizontalFlip, Recipe

from .agreement import assert_agrees_with_float64, assert_agrees_with_torchvision

CASES = {
    "brightness": Recipe(ColorJitter(brightness=0.8)),
    "contrast": Recipe(ColorJitter(contrast=0.8)),
    "saturation": Recipe(ColorJitter(saturation=0.8)),
    "hue": Recipe(ColorJitter(hue=0.5)),
    "jitter": Recipe(ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8)),
    "grey": Recipe(Grayscale(p=0.5)),
    "normalize": Recipe(mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616)),
}
ONE_CHANNEL = {"normalize": Recipe(mean=0.5, std=0.25)}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    recipe = ONE_CHANNEL.get(name, CASES[name]) if channels == 1 else CASES[name]
    assert_agrees_with_float64(recipe, channels=channels, device=device)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    assert_agrees_with_torchvision(CASES[name])


def test_kornia_agrees_where_its_meaning_is_the_same(bank):
    """kornia flips, multiplies brightness and shifts hue (in radians) as torchvision does."""
    kornia = pytest.importorskip("kornia")
    x = bank.float() / 255
    ids = torch.arange(24)
    flip = {"horizontal_flip.applied": torch.ones(24, dtype=torch.bool)}
    assert torch.equal(Recipe(HorizontalFlip()).apply(bank, ids, flip), kornia.geometry.transform.hflip(x))
    recipe = Recipe(ColorJitter(0.5, 0.5, 0.5, 0.5))
    params = recipe.params(ids, ids, image_size=32)
    params["color_jitter.brightness"][:] = 1.0
    params["color_jitter.contrast"][:] = 1.0
    params["color_jitter.saturation"][:] = 1.0
    turned = kornia.enhance.adjust_hue(x, params["color_jitter.hue"] * 2 * torch.pi)
    assert (recipe.apply(bank, ids, params) - turned).abs().max() < 2e-5
