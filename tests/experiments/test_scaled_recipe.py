"""Recipes at other strengths: nothing at 0, themselves at 1, monotone between and beyond."""

from __future__ import annotations

import math

import pytest
import torch

from rote import data
from rote.augment import (
    ColorJitter,
    GaussianBlur,
    Grayscale,
    HorizontalFlip,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    Recipe,
    recipes,
)
from rote.experiments.inputs.scaled_recipe import scaled
from rote.experiments.inputs.view_source import recipe_named

BANK = data.load("digits")


@pytest.mark.parametrize("name", ["benign-full", "benign-mild", "benign-most-difficult", "digits", "flip-crop"])
def test_ends_of_the_dial(name):
    recipe = recipes[name]
    assert scaled(recipe, 1.0) == recipe
    ids = torch.arange(8)
    assert torch.equal(scaled(recipe, 0.0)(BANK.train.images, ids, ids), BANK.train.images[:8].float() / 255)
    assert scaled(recipe, 0.5).hash() != recipe.hash()
    scaled(recipe, 2.5)(BANK.train.images, ids, ids)  # can be rendered


def test_magnitudes_by_hand():
    recipe = Recipe(
        RandomResizedCrop(scale=(0.2, 1.0), ratio=(0.5, 2.0)),
        HorizontalFlip(p=0.5),
        RandomAffine(degrees=(0.0, 90.0), translate=(0.2, 0.4), scale=(0.5, 2.0), shear=8.0),
        ColorJitter(0.4, 0.6, (0.5, 1.5), 0.2, p=0.8),
        GaussianBlur(3, sigma=(0.1, 2.0), p=0.3),
        Grayscale(p=0.2),
        RandomErasing(p=0.5, scale=(0.02, 0.3)),
        RandomCrop(padding=4),
    )
    crop, flip, affine, jitter, blur, gray, erasing, pad = scaled(recipe, 0.5).operations
    assert crop.scale == pytest.approx((0.6, 1.0))
    assert crop.ratio == pytest.approx((math.sqrt(0.5), math.sqrt(2.0)))
    assert flip.p == 0.25
    assert affine.degrees == pytest.approx((0.0, 45.0))
    assert affine.translate == pytest.approx((0.1, 0.2))
    assert affine.scale == pytest.approx((math.sqrt(0.5), math.sqrt(2.0)))
    assert affine.shear == RandomAffine(degrees=45.0, shear=4.0).shear
    assert jitter.brightness == pytest.approx((0.8, 1.2))
    assert jitter.contrast == pytest.approx((0.7, 1.3))
    assert jitter.saturation == pytest.approx((0.75, 1.25))
    assert jitter.hue == pytest.approx((-0.1, 0.1))
    assert jitter.p == 0.8
    assert (blur.sigma, blur.p) == ((0.1, 1.0), 0.3)
    assert gray.p == 0.1
    assert (erasing.scale, erasing.p) == (pytest.approx((0.01, 0.15)), 0.5)
    assert pad.padding == 2


def test_beyond_the_recipe():
    crop, flip, jitter, gray = scaled(recipes["benign-full"], 3.0).operations
    assert crop.scale == (0.02, 1.0)
    assert flip.p == 0.5
    assert jitter.brightness == pytest.approx((0.0, 3.4))
    assert jitter.hue == (-0.5, 0.5)
    assert gray.p == 0.2


def test_names_of_strengths():
    assert recipe_named("benign-mild@0.5") == scaled(recipes["benign-mild"], 0.5)
    assert recipe_named("strength-0.5") == recipes["strength-0.5"]
    for bad in ("benign-mild@", "benign-mild@x", "nothing@0.5"):
        with pytest.raises(ValueError, match="--augment"):
            recipe_named(bad)


@pytest.mark.parametrize("strength", [-0.1, math.inf, math.nan])
def test_strengths_that_mean_nothing(strength):
    with pytest.raises(ValueError, match="strength must be finite"):
        scaled(recipes["benign-full"], strength)


def test_operations_without_a_scale():
    with pytest.raises(ValueError, match="RandAugment"):
        scaled(Recipe(RandAugment()), 0.5)
