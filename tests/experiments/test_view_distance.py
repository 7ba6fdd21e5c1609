"""Measured diversity: against float64 loops, and at its ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote import data
from rote.augment import recipes
from rote.experiments.inputs.scaled_recipe import scaled
from rote.experiments.probing.view_distance import view_distance

BANK = data.load("digits")
IMAGES = BANK.train.images
IDS = BANK.balanced_order(1)


def test_distance_by_loops():
    recipe = recipes["digits"]
    ids = IDS[:9]
    views = [recipe(IMAGES, ids, torch.full_like(ids, v), seed=5).numpy().astype(np.float64) for v in (0, 1)]
    own = [np.linalg.norm(views[0][i] - views[1][i]) for i in range(9)]
    others = [np.linalg.norm(views[0][i] - views[1][j]) for i in range(9) for j in range(9) if i != j]
    expected = np.mean(own) / np.mean(others)
    assert view_distance(recipe, IMAGES, ids, seed=5) == pytest.approx(expected, rel=1e-10)
    assert view_distance(recipe, IMAGES, IDS, seed=5, num_images=9) == pytest.approx(expected, rel=1e-10)


def test_alike_views_have_none_and_foreign_ones_all():
    assert view_distance(recipes["none"], IMAGES, IDS, seed=0) == 0.0

    def foreign(images, ids, views, **options):
        """Views that have nothing to do with their image."""
        return recipes["none"](images, (ids * 7919 + 31 * views) % len(images), views, dtype=torch.float32)

    assert view_distance(foreign, IMAGES, IDS, seed=0) == pytest.approx(1.0, abs=0.05)


def test_stronger_recipes_have_more():
    measured = [view_distance(scaled(recipes["digits"], s), IMAGES, IDS, seed=0) for s in (0.25, 0.5, 1.0, 2.0)]
    assert measured == sorted(measured)


def test_one_image_has_no_other():
    with pytest.raises(ValueError, match="at least two"):
        view_distance(recipes["none"], IMAGES, IDS[:1], seed=0)
