"""Drawn parameters against torchvision's samplers and the distributions they are defined by (fixed seeds)."""

from __future__ import annotations

import itertools

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
)

from .torchvision_reference import import_torchvision

stats = pytest.importorskip("scipy.stats")

DRAWS = 40_000
#: Below this a sample is called different. Seeds are fixed, so a test that passed goes on passing.
LEVEL = 1e-3


def draw(*operations, image_size=32, size=None, seed=0) -> dict[str, np.ndarray]:
    """Columns over 200 images x 200 views, ids and views of several magnitudes."""
    ids = torch.arange(200).repeat_interleave(200) + (1 << 33)
    views = torch.arange(200).repeat(200) * 12_345_678_901
    params = Recipe(*operations, size=size).params(ids, views, seed, image_size=image_size)
    return {name.split(".")[1]: values.numpy() for name, values in params.items()}


def assert_uniform_counts(values: np.ndarray, outcomes) -> None:
    counts = np.array([(values == outcome).sum() for outcome in outcomes])
    assert counts.sum() == len(values)
    assert stats.chisquare(counts).pvalue > LEVEL, counts


def assert_uniform(values: np.ndarray, low: float, high: float) -> None:
    assert values.min() >= np.float32(low)
    assert values.max() <= np.float32(high)
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > LEVEL


@pytest.mark.parametrize(
    ("scale", "ratio", "image_size"),
    [((0.08, 1.0), (3 / 4, 4 / 3), 32), ((0.5, 1.0), (3 / 4, 4 / 3), (96, 64)), ((0.2, 0.9), (0.2, 5.0), (33, 41))],
)
def test_boxes_are_torchvisions(scale, ratio, image_size):
    v2 = import_torchvision()
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    ours = draw(RandomResizedCrop(scale, ratio), image_size=image_size)
    transform = v2.RandomResizedCrop(8, scale=scale, ratio=ratio)
    image = torch.zeros(3, height, width)
    torch.manual_seed(0)
    theirs = [transform.make_params([image]) for _ in range(4000)]
    for name in ("height", "width", "top", "left"):
        pvalue = stats.ks_2samp(ours[name], [p[name] for p in theirs]).pvalue
        assert pvalue > LEVEL, (name, pvalue)
    area = np.array([p["height"] * p["width"] for p in theirs])
    assert stats.ks_2samp(ours["height"] * ours["width"], area).pvalue > LEVEL
    assert (ours["top"] + ours["height"] <= height).all()
    assert (ours["left"] + ours["width"] <= width).all()
    # Given the size, the position is uniform: relative positions of one frequent height.
    heights, counts = np.unique(ours["height"], return_counts=True)
    common = heights[np.argmax(counts * (heights < height))]
    assert_uniform_counts(ours["top"][ours["height"] == common], range(height - common + 1))


@pytest.mark.parametrize(("ratio", "image_size"), [((3.0, 3.1), 32), ((0.2, 0.25), (30, 41)), ((0.9, 1.1), (16, 64))])
def test_fallback_box_is_torchvisions(ratio, image_size):
    """Where no box can fit (the whole area at a foreign ratio) the central one of the nearest ratio is taken."""
    v2 = import_torchvision()
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    expected = v2.RandomResizedCrop(8, scale=(1, 1), ratio=ratio).make_params([torch.zeros(3, height, width)])
    ours = draw(RandomResizedCrop((1.0, 1.0), ratio), image_size=image_size)
    for name in ("top", "left", "height", "width"):
        assert (ours[name] == expected[name]).all(), name


def test_padded_crops_are_uniform():
    crops = draw(RandomCrop(4), image_size=(32, 28), size=(30, 36))
    assert_uniform_counts(crops["top"], range(11))
    assert not crops["left"].any()
    crops = draw(RandomCrop(4))
    assert_uniform_counts(crops["top"] * 9 + crops["left"], range(81))


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 1.0])
def test_probabilities(p):
    for operation in (HorizontalFlip(p), Grayscale(p), ColorJitter(0.5, p=p)):
        applied = draw(operation)["applied"]
        assert stats.binomtest(int(applied.sum()), DRAWS, p).pvalue > LEVEL
        assert applied.all() == (p == 1)


def test_jitter_factors_and_order():
    jitter = draw(ColorJitter(0.8, (0.5, 0.7), 1.5, 0.2, p=0.8))
    assert_uniform(jitter["brightness"], 0.2, 1.8)
    assert_uniform(jitter["contrast"], 0.5, 0.7)
    assert_uniform(jitter["saturation"], 0.0, 2.5)
    assert_uniform(jitter["hue"], -0.2, 0.2)
    rank = jitter["order"] @ np.array([1000, 100, 10, 1])
    assert_uniform_counts(rank, [1000 * a + 100 * b + 10 * c + d for a, b, c, d in itertools.permutations(range(4))])


def test_affine_parameters():
    affine = draw(RandomAffine((-30, 60), (0.2, 0.1), (0.7, 1.4), (-5, 10, -20, 0)), image_size=(40, 30))
    assert_uniform(affine["angle"], -30, 60)
    assert_uniform(affine["scale"], 0.7, 1.4)
    assert_uniform(affine["shear_x"], -5, 10)
    assert_uniform(affine["shear_y"], -20, 0)
    for name, reach in (("translate_x", 6.0), ("translate_y", 4.0)):
        # round(U(-a, a)): the two ends have half the probability of the rest.
        shifts = np.arange(-reach, reach + 1)
        expected = np.where(np.abs(shifts) == reach, 0.5, 1.0) / (2 * reach)
        counts = np.array([(affine[name] == shift).sum() for shift in shifts])
        assert stats.chisquare(counts, expected * DRAWS).pvalue > LEVEL
    still = draw(RandomAffine(0))
    assert (still["scale"] == 1).all()
    assert not any(still[name].any() for name in still if name != "scale")


def test_parameters_are_independent():
    """No two columns are correlated, nor one column between neighbouring images, views or seeds."""
    operations = (RandomResizedCrop(), HorizontalFlip(), ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8), Grayscale(p=0.2))
    columns = draw(*operations)
    other_seed = draw(*operations, seed=1)
    independent = ["brightness", "contrast", "saturation", "hue"]
    bound = 4.5 / np.sqrt(DRAWS)
    correlations = np.corrcoef([columns[name] for name in independent])
    assert np.abs(correlations - np.eye(4)).max() < bound
    for name in [*independent, "top", "left", "height"]:
        grid = columns[name].reshape(200, 200).astype(float)
        assert abs(np.corrcoef(grid[:-1].ravel(), grid[1:].ravel())[0, 1]) < bound
        assert abs(np.corrcoef(grid[:, :-1].ravel(), grid[:, 1:].ravel())[0, 1]) < bound
        assert abs(np.corrcoef(columns[name], other_seed[name])[0, 1]) < bound
