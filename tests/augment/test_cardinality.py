"""How many views there are: exact counts against brute force, estimates against known distributions."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from rote.augment import (
    AlternatingFlip,
    ColorJitter,
    CutMix,
    Cutout,
    Equalize,
    GaussianBlur,
    GaussianNoise,
    Grayscale,
    HorizontalFlip,
    MixUp,
    Normalize,
    Operation,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    Resize,
    Sharpness,
    VerticalFlip,
    recipes,
    support,
)
from rote.augment.operation import Field
from rote.augment.windows import fallback_window, rounded_boxes


@pytest.mark.parametrize(
    ("recipe", "distinct"),
    [
        (Recipe(), 1),
        (Recipe(Normalize(0.5, 0.5)), 1),
        (Recipe(HorizontalFlip()), 2),
        (Recipe(HorizontalFlip(1.0)), 1),
        (Recipe(HorizontalFlip(0.0)), 1),
        (Recipe(RandomCrop(2), HorizontalFlip()), 50),
        (Recipe(RandomCrop(4, "reflect"), HorizontalFlip()), 162),
        (Recipe(RandomCrop(0), size=(30, 25)), 3 * 8),
        (Recipe(RandomAffine(0, translate=(0.0625, 0.1))), 5 * 7),
        (Recipe(RandomAffine(0, translate=(0.0625, 0.125))), 5 * 9),
        (Recipe(RandomAffine(0)), 1),
        (Recipe(RandomAffine(10)), math.inf),
        (Recipe(ColorJitter(0.4, p=0.8), Grayscale()), math.inf),
        (Recipe(ColorJitter((0.5, 0.5), hue=(0.1, 0.1), p=0.5), Grayscale()), 3 * 2),
        (Recipe(ColorJitter((0.5, 0.5), (2, 2), (3, 3), (0.1, 0.1))), 24),
        (Recipe(ColorJitter()), 1),
        (Recipe(Resize(20), VerticalFlip(), AlternatingFlip()), 4),
        (Recipe(RandomRotation(5)), math.inf),
        (Recipe(RandomRotation((5, 5), p=0.5)), 2),
        (Recipe(RandomCrop(2, p=0.5), RandomAffine((7, 7), p=0.5)), 25 * 2),
        (Recipe(GaussianBlur(3)), math.inf),
        (Recipe(GaussianBlur(3, 1.0, p=0.5), Sharpness(2.0, p=1.0), Equalize()), 4),
        (Recipe(RandAugment(1, 9)), 14 + 9),
        (Recipe(RandAugment(2, 1, p=0.5)), (14 + 7) ** 2),
        (Recipe(RandAugment(1, 0)), 14),
        (Recipe(Cutout(30, p=0.5)), 3 * 3 + 1),
        (Recipe(Cutout(30, inside=False, value=0.5), size=None), 32 * 32),
        (Recipe(RandomErasing(value="random")), math.inf),
        (Recipe(GaussianNoise(), HorizontalFlip()), math.inf),
        (Recipe(MixUp(p=0.0), HorizontalFlip(), partners=3), 2),
        (Recipe(CutMix(), partners=3), math.inf),
    ],
    ids=repr,
)
def test_exact_counts(recipe, distinct):
    result = recipe.cardinality(32, sample=20_000)
    assert result.distinct == distinct
    assert result.seen == distinct if distinct < 1000 else result.seen > 950
    if distinct < 100:
        assert result.effective <= distinct * 1.01


@pytest.mark.parametrize(
    ("size", "scale", "ratio"),
    [
        ((8, 8), (0.08, 1.0), (3 / 4, 4 / 3)),
        ((6, 11), (0.3, 0.6), (0.5, 2.0)),
        ((12, 5), (0.9, 1.0), (1.0, 1.0)),
        ((10, 10), (0.25, 0.25), (0.5, 3.0)),
        ((9, 7), (0.5, 0.5), (1.0, 1.0)),
        ((20, 4), (0.8, 1.0), (2.0, 3.0)),
    ],
)
def test_windows_are_those_that_are_drawn(size, scale, ratio):
    recipe = Recipe(RandomResizedCrop(scale, ratio), size=4)
    views = torch.arange(200_000)
    params = recipe.params(torch.zeros_like(views), views, image_size=size)
    drawn = torch.stack([params[f"random_resized_crop.{name}"] for name in ("height", "width")], 1)
    drawn = {tuple(row) for row in drawn.unique(dim=0).tolist()}
    boxes = rounded_boxes(size, scale, ratio)
    fits = {(h, w) for h, w in boxes if h <= size[0] and w <= size[1]}
    possible = fits | ({fallback_window(size, ratio)} if fits != boxes else set())
    assert drawn <= possible
    # A window that was not seen is a corner of the region that hardly any draw hits: look for it on a fine grid.
    for h, w in possible - drawn - {fallback_window(size, ratio)}:
        logs = torch.linspace(math.log(ratio[0]), math.log(ratio[1]), 2001, dtype=torch.float64)
        areas = torch.linspace(scale[0], scale[1], 2001, dtype=torch.float64) * size[0] * size[1]
        x, y = (areas[:, None] * logs.exp()).sqrt().round(), (areas[:, None] / logs.exp()).sqrt().round()
        assert ((x == w) & (y == h)).any(), (h, w)


def test_boxes_of_random_erasing_are_those_that_are_drawn():
    for size, operation in (
        ((6, 6), RandomErasing(p=1.0)),
        ((5, 9), RandomErasing(scale=(0.0, 0.2))),
        ((4, 4), RandomErasing(1.0, (0.3, 0.9))),
    ):
        result = Recipe(operation).cardinality(size, sample=400_000)
        assert result.distinct * 0.85 <= result.seen <= result.distinct  # some places of some boxes are rare


def test_every_operation_knows_its_number():
    simple = ((), (Field("applied", "bool"),))
    unknown = {kind for kind, cls in Operation.registry.items() if cls.parameters not in simple} - set(support._COUNTS)
    assert not unknown


def test_counts_of_random_resized_crops():
    boxes = rounded_boxes((32, 32), (0.08, 1.0), (3 / 4, 4 / 3))
    windows = {(h, w) for h, w in boxes if h <= 32 and w <= 32}
    result = Recipe(RandomResizedCrop()).cardinality(32, sample=300_000)
    assert result.distinct == sum((33 - h) * (33 - w) for h, w in windows) == 48_100
    assert 40_500 < result.seen < 41_300
    assert 7_000 < result.effective < 7_200
    flipped = Recipe(RandomResizedCrop(), HorizontalFlip()).cardinality(32, sample=300_000)
    assert flipped.distinct == 2 * result.distinct
    assert 13_800 < flipped.effective < 14_500


def test_the_estimate_has_no_bias():
    # 162 equally likely views, samples far too small to see them all: 1 / effective is right on average.
    recipe = recipes["flip-crop"]
    shares = [1 / recipe.cardinality(32, sample=40, seed=seed).effective for seed in range(400)]
    mean = sum(shares) / len(shares)
    deviation = math.sqrt(sum((s - mean) ** 2 for s in shares) / (len(shares) - 1) / len(shares))
    assert abs(mean - 1 / 162) < 4 * deviation


def test_duplicates_against_brute_force():
    recipe = Recipe(RandomResizedCrop((0.5, 1.0)), size=3)
    result = recipe.cardinality(5, sample=12, seed=3)
    params = recipe.params(torch.zeros(12, dtype=torch.int64), torch.arange(12), 3, image_size=5)
    drawn = list(zip(*(values.tolist() for values in params.values()), strict=True))
    for views in (1, 2, 5, 11, 12):
        subsets = list(itertools.combinations(drawn, views))
        expected = sum(views - len(set(subset)) for subset in subsets) / len(subsets)
        assert result.duplicates(views) == pytest.approx(expected, abs=1e-9)
    equally_likely = recipes["flip-crop"].cardinality(32, sample=100_000)
    assert equally_likely.duplicates(100) == pytest.approx(100 - 162 * (1 - (1 - 1 / 162) ** 100), rel=0.01)


def test_parameters_that_do_not_act_do_not_count():
    never = Recipe(ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.0), HorizontalFlip())
    result = never.cardinality(32, sample=1000)
    assert (result.distinct, result.seen) == (2, 2)
    some = Recipe(ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.5)).cardinality(32, sample=10_000)
    assert some.distinct == math.inf
    assert 4_500 < some.seen < 5_500  # the half that was applied, and one


def test_what_it_says():
    result = recipes["flip-crop"].cardinality(32, sample=5000)
    assert str(result).startswith("162 distinct views; 162 different ones among 5,000 drawn; as many as ")
    assert str(Recipe().cardinality(32)) == "1 distinct view"
    assert "without end" in str(recipes["benign-full"].cardinality(32))
    assert math.isnan(recipes["flip-crop"].cardinality(32).effective)
    assert recipes["digits"].cardinality(16, sample=100).effective == math.inf
    assert Recipe().cardinality(8).duplicates(5) == 4


def test_the_sample_is_addressed():
    recipe = recipes["benign-mild"]
    assert recipe.cardinality(32, sample=2000, seed=1) == recipe.cardinality(32, sample=2000, seed=1)
    seen = {recipe.cardinality(32, sample=2000, seed=s, image=i).seen for s in (0, 1) for i in (0, (1 << 40) - 1)}
    assert len(seen) > 1


def test_bad_arguments():
    recipe = recipes["flip-crop"]
    with pytest.raises(TypeError, match="image_size: wanted an int or"):
        recipe.cardinality(None)
    for bad, error in ((1, ValueError), (0, ValueError), (2.5, TypeError)):
        with pytest.raises(error, match="sample: wanted"):
            recipe.cardinality(32, sample=bad)
    with pytest.raises(ValueError, match="RandomCrop"):
        Recipe(RandomCrop(40, "reflect")).cardinality(32)
    with pytest.raises(ValueError, match="ids: "):
        recipe.cardinality(32, sample=5, image=1 << 40)
    result = recipe.cardinality(32, sample=100)
    for bad, error in ((0, ValueError), (101, ValueError), (1.0, TypeError)):
        with pytest.raises(error, match="views: wanted"):
            result.duplicates(bad)
