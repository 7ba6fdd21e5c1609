"""Flips, rotations and the p of each operation: drawn parameters against their distributions (fixed seeds)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.augment import (
    AlternatingFlip,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    VerticalFlip,
)

from .test_sampling import DRAWS, LEVEL, assert_uniform, draw
from .torchvision_reference import import_torchvision

stats = pytest.importorskip("scipy.stats")


def assert_probability(applied: np.ndarray, p: float) -> None:
    assert stats.binomtest(int(applied.sum()), DRAWS, p).pvalue > LEVEL, applied.mean()


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_vertical_flips(p):
    assert_probability(draw(VerticalFlip(p))["applied"], p)


def test_alternating_flips_toss_one_coin_per_image():
    ids = torch.arange(DRAWS)
    recipe = Recipe(AlternatingFlip())
    name = "alternating_flip.applied"
    coins = [recipe.params(ids, torch.full((DRAWS,), view), 5, image_size=8)[name].numpy() for view in range(4)]
    assert_probability(coins[0], 0.5)
    assert np.array_equal(coins[0], ~coins[1])
    assert np.array_equal(coins[0], coins[2])
    assert np.array_equal(coins[1], coins[3])
    other = recipe.params(ids, torch.zeros(DRAWS, dtype=torch.int64), 6, image_size=8)[name].numpy()
    assert_probability(other == coins[0], 0.5)


def test_rotations_are_torchvisions():
    v2 = import_torchvision()
    angles = draw(RandomRotation((-20, 70)))["angle"]
    assert_uniform(angles, -20, 70)
    torch.manual_seed(0)
    transform = v2.RandomRotation((-20, 70))
    theirs = [transform.make_params([])["angle"] for _ in range(4000)]
    assert stats.ks_2samp(angles, theirs).pvalue > LEVEL


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_each_p_spares_the_image_and_moves_no_other_number(p):
    """What p leaves applied is what p = 1 draws; what it spares is the identity."""
    for make, identity in (
        (lambda p: RandomResizedCrop((0.2, 0.8), p=p), {"top": 0, "left": 0, "height": 24, "width": 30}),
        (lambda p: RandomCrop(5, p=p), {"top": 5, "left": 5}),
        (lambda p: RandomRotation((1, 40), p=p), {"angle": 0}),
        (
            lambda p: RandomAffine((1, 40), (0.2, 0.2), (0.5, 2), (1, 2, 3, 4), p=p),
            {"angle": 0, "translate_x": 0, "translate_y": 0, "scale": 1, "shear_x": 0, "shear_y": 0},
        ),
    ):
        always = draw(make(1.0), image_size=(24, 30))
        sometimes = draw(make(p), image_size=(24, 30))
        spared = np.all([sometimes[name] == value for name, value in identity.items()], axis=0)
        by_chance = np.all([always[name] == value for name, value in identity.items()], axis=0).mean()
        assert_probability(spared, (1 - p) + p * by_chance)
        for name in identity:
            assert np.array_equal(always[name][~spared], sometimes[name][~spared])
