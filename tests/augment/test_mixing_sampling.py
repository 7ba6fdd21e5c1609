"""Partners, weights and boxes of MixUp and CutMix against their distributions (fixed seeds)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.augment import CutMix, HorizontalFlip, MixUp, Recipe

from .torchvision_reference import import_torchvision

stats = pytest.importorskip("scipy.stats")

DRAWS = 40_000
LEVEL = 1e-3


def draw(operation, image_size=32, partners=100, seed=0) -> dict[str, np.ndarray]:
    ids = torch.arange(200).repeat_interleave(DRAWS // 200) + (1 << 33)
    views = torch.arange(DRAWS // 200).repeat(200) * 12_345_678_901
    params = Recipe(operation, partners=partners).params(ids, views, seed, image_size=image_size)
    return {name.split(".")[1]: values.numpy() for name, values in params.items()}


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.7, 1.0, 4.0, 300.0])
def test_weights_are_beta(alpha):
    """Kolmogorov-Smirnov between the ends of what rounds to one float32: near 1 these are few."""
    weights, counts = np.unique(draw(MixUp(alpha))["weight"], return_counts=True)
    assert weights.dtype == np.float32
    below = (np.nextafter(weights, np.float32(-1)).astype(np.float64) + weights) / 2
    above = (np.nextafter(weights, np.float32(2)).astype(np.float64) + weights) / 2
    beta = stats.beta(alpha, alpha)
    empirical = np.cumsum(counts) / DRAWS
    distance = max(
        np.abs(empirical - beta.cdf(above)).max(), np.abs(empirical - counts / DRAWS - beta.cdf(below)).max()
    )
    assert stats.kstwo.sf(distance, DRAWS) > LEVEL, distance


@pytest.mark.parametrize("alpha", [1e-3, 1e-300])
def test_small_alphas_choose_one_image(alpha):
    weight = draw(MixUp(alpha))["weight"]
    assert np.isfinite(weight).all()
    assert (np.minimum(weight, 1 - weight) < 1e-3).mean() > 0.95
    assert stats.binomtest(int((weight > 0.5).sum()), DRAWS, 0.5).pvalue > LEVEL


def test_large_alphas_choose_the_mean():
    assert np.abs(draw(MixUp(1e12))["weight"] - 0.5).max() < 1e-5


@pytest.mark.parametrize("operation", [MixUp(), CutMix()])
@pytest.mark.parametrize("partners", [1, 37, (1 << 31) - 1])
def test_partners_are_uniform(operation, partners):
    drawn = draw(operation, partners=partners)["partner"]
    assert drawn.min() >= 0
    assert drawn.max() < partners
    if partners == 37:
        assert stats.chisquare(np.bincount(drawn, minlength=37)).pvalue > LEVEL
    else:
        assert stats.kstest((drawn + 0.5) / partners, "uniform").pvalue > LEVEL or partners == 1


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_probabilities(p):
    mixup = draw(MixUp(p=p))
    mixed = mixup["weight"] < 1
    assert stats.binomtest(int(mixed.sum()), DRAWS, p).pvalue > LEVEL
    assert not mixup["partner"][~mixed].any()
    cutmix = draw(CutMix(p=p), partners=1 << 30)  # so that a drawn partner is not 0
    mixed = cutmix["partner"] > 0
    assert stats.binomtest(int(mixed.sum()), DRAWS, p).pvalue > LEVEL
    assert not any(values[~mixed].any() for values in cutmix.values())


@pytest.mark.parametrize(("alpha", "image"), [(1.0, (32, 32)), (0.3, (40, 25)), (3.0, (17, 64))])
def test_boxes_are_torchvisions(alpha, image):
    ours = draw(CutMix(alpha), image)
    transform = import_torchvision().CutMix(alpha=alpha, num_classes=2)
    torch.manual_seed(0)
    theirs = [transform.make_params([torch.zeros(2, 3, *image)]) for _ in range(4000)]
    boxes = np.array([p["box"] for p in theirs])  # x1, y1, x2, y2
    share = 1 - ours["height"] * ours["width"] / (image[0] * image[1])
    pairs = {
        "share": (share, np.array([p["lam_adjusted"] for p in theirs])),
        "height": (ours["height"], boxes[:, 3] - boxes[:, 1]),
        "width": (ours["width"], boxes[:, 2] - boxes[:, 0]),
        "top": (ours["top"], boxes[:, 1]),
        "right": (ours["left"] + ours["width"], boxes[:, 2]),
    }
    for name, (a, b) in pairs.items():
        assert stats.ks_2samp(a, b).pvalue > LEVEL, name
    assert (ours["top"] + ours["height"] <= image[0]).all()
    assert (ours["left"] + ours["width"] <= image[1]).all()


def test_draws_are_independent():
    mixup, cutmix = draw(MixUp()), draw(CutMix(), (64, 64))
    columns = [mixup["weight"], mixup["partner"], cutmix["partner"], cutmix["height"]]
    bound = 4.5 / np.sqrt(DRAWS)
    assert np.abs(np.corrcoef(columns) - np.eye(4)).max() < bound
    for column in columns:
        grid = column.reshape(200, -1).astype(float)
        assert abs(np.corrcoef(grid[:-1].ravel(), grid[1:].ravel())[0, 1]) < bound
        assert abs(np.corrcoef(grid[:, :-1].ravel(), grid[:, 1:].ravel())[0, 1]) < bound


def test_operations_before_move_no_draw():
    ids, views = torch.arange(500), torch.arange(500)
    alone = Recipe(MixUp(), partners=50).params(ids, views, image_size=32)
    behind = Recipe(HorizontalFlip(), MixUp(), partners=50).params(ids, views, image_size=32)
    for name, values in alone.items():
        assert torch.equal(behind[name], values)
