"""GaussianNoise: its numbers, its meaning, its keys."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.augment import ColorJitter, GaussianNoise, HorizontalFlip, Recipe

from . import oracle
from .agreement import assert_agrees_with_float64, assert_agrees_with_torchvision
from .conftest import make_addresses, make_bank
from .levels import assert_levels_agree

stats = pytest.importorskip("scipy.stats")

LEVEL = 1e-3
CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
PURE = Recipe(GaussianNoise(sigma=1.0, clip=False))  # of black images: the normal numbers themselves

CASES = {
    "default": Recipe(GaussianNoise()),
    "sometimes": Recipe(GaussianNoise(0.1, 0.3, p=0.5)),
    "unclipped": Recipe(GaussianNoise(-0.2, 1.0, clip=False)),
    "twice": Recipe(GaussianNoise(sigma=0.05), HorizontalFlip(), GaussianNoise(sigma=0.1)),
    "before-normalize": Recipe(GaussianNoise(), **CIFAR),
    "behind-normalize": Recipe(*Recipe(**CIFAR).operations, GaussianNoise(sigma=1.0, clip=False)),
    "clipped-behind-normalize": Recipe(*Recipe(**CIFAR).operations, GaussianNoise(sigma=1.0)),
}


def normals_of(count: int, side: int = 64, seed: int = 0) -> np.ndarray:
    """float32 [count, 3, side, side] drawn by the engine."""
    black = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    return PURE(black, torch.zeros(count, dtype=torch.int64), torch.arange(count), seed).numpy()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    recipe = CASES[name]
    if channels == 1 and "normalize" in name:
        recipe = Recipe(GaussianNoise(), mean=0.5, std=0.25)
    assert_agrees_with_float64(recipe, channels=channels, device=device)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    assert_agrees_with_torchvision(CASES[name])


@pytest.mark.parametrize("side", [1, 7, 8, 9, 33, 64])
def test_numbers_are_those_of_the_page(side):
    """Whatever the tail of the last tile: the float64 formula within float32's error."""
    black = torch.zeros(1, 3, side, side, dtype=torch.uint8)
    ids, views = torch.zeros(5, dtype=torch.int64), torch.arange(5)
    keys = PURE.params(ids, views, 9, image_size=side)["gaussian_noise.key"].tolist()
    drawn = PURE(black, ids, views, 9).numpy()
    expected = np.stack([oracle.noise.image_normals(key, (3, side, side)) for key in keys])
    assert np.abs(drawn - expected).max() < 2e-6


def test_numbers_are_standard_normal():
    """Moments, Kolmogorov-Smirnov and tails of 1.2 million numbers."""
    z = normals_of(100).astype(np.float64).ravel()
    n = z.size
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - moment) < 4 * np.sqrt(variance / n), power
    assert stats.kstest(z, "norm").pvalue > LEVEL
    for bound in (2.0, 3.0, 4.0):
        for beyond in ((z > bound).sum(), (z < -bound).sum()):
            assert stats.binomtest(int(beyond), n, stats.norm.sf(bound)).pvalue > LEVEL, bound
    assert 4.5 < np.abs(z).max() < 6.8


def test_numbers_are_independent():
    z = normals_of(64).astype(np.float64)
    bound = 4.5 / np.sqrt(z.size)
    pairs = {
        "neighbours in a row": (z[..., 1:], z[..., :-1]),
        "of one block": (z[..., 16:], z[..., :-16]),
        "two apart in a block": (z[..., 32:], z[..., :-32]),
        "rows": (z[:, :, 1:], z[:, :, :-1]),
        "channels": (z[:, 1:], z[:, :-1]),
        "views": (z[1:], z[:-1]),
        "seeds": (z, normals_of(64, seed=1).astype(np.float64)),
    }
    for name, (a, b) in pairs.items():
        for f in (lambda v: v, np.abs):
            assert abs(np.corrcoef(f(a).ravel(), f(b).ravel())[0, 1]) < bound, name


def test_noise_is_replayed_without_being_stored(bank, device):
    recipe = Recipe(HorizontalFlip(), GaussianNoise(p=0.7))
    ids, views = make_addresses(60)
    params = recipe.params(ids, views, seed=5, image_size=32)
    assert params["gaussian_noise.key"].shape == (60,)
    assert params["gaussian_noise.key"].dtype == torch.int64
    assert sum(v.numel() for v in params.values()) == 60 * 3
    bank, ids, views = bank.to(device), ids.to(device), views.to(device)
    expected = recipe(bank, ids, views, seed=5)
    params = {name: values.to(device) for name, values in params.items()}
    assert torch.equal(recipe.apply(bank, ids, params), expected)
    alone = {name: values[17:18] for name, values in params.items()}
    assert torch.equal(recipe.apply(bank, ids[17:18], alone), expected[17:18])


def test_keys_are_uniform_and_distinct():
    ids, views = torch.arange(200).repeat_interleave(200), torch.arange(200).repeat(200)
    keys = PURE.params(ids, views, image_size=8)["gaussian_noise.key"].numpy()
    assert len(np.unique(keys)) == len(keys)
    for word in (keys & 0xFFFFFFFF, keys >> 32 & 0xFFFFFFFF):
        assert stats.kstest(word / 2.0**32, "uniform").pvalue > LEVEL


def test_any_key_is_accepted(bank):
    keys = torch.tensor([0, -1, 1 << 32, -(1 << 63), (1 << 63) - 1, 1 << 31])
    params = {"gaussian_noise.applied": torch.ones(6, dtype=torch.bool), "gaussian_noise.key": keys}
    got = PURE.apply(bank, torch.zeros(6, dtype=torch.int64), params).double().numpy()  # image 0 is black
    expected = np.stack([oracle.noise.image_normals(key, (3, 32, 32)) for key in keys.tolist()])
    assert np.abs(got - expected).max() < 2e-6


def test_probability():
    ids, views = make_addresses(20_000)
    for p in (0.0, 0.3, 1.0):
        applied = Recipe(GaussianNoise(p=p)).params(ids, views, image_size=8)["gaussian_noise.applied"]
        assert stats.binomtest(int(applied.sum()), len(applied), p).pvalue > LEVEL


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("channels", "image"), [(3, (32, 32)), (1, (28, 28)), (3, (9, 13))])
def test_levels_agree_to_the_bit(name, channels, image):
    if channels == 1 and "normalize" in name:
        pytest.skip("a Normalize of three channels")
    assert_levels_agree(CASES[name], channels=channels, image=image)


def test_arguments_that_are_wrong():
    for arguments in ({"sigma": -0.1}, {"sigma": float("nan")}, {"mean": float("inf")}, {"p": 1.5}, {"sigma": 2e6}):
        with pytest.raises(ValueError, match="GaussianNoise: " + next(iter(arguments))):
            GaussianNoise(**arguments)
    with pytest.raises(TypeError, match="clip must be a bool"):
        GaussianNoise(clip=1)
    with pytest.raises(TypeError, match="sigma must be a number"):
        GaussianNoise(sigma="0.1")


def test_colour_does_not_follow_what_leaves_the_unit_range():
    with pytest.raises(ValueError, match="ColorJitter"):
        Recipe(GaussianNoise(clip=False), ColorJitter(0.5))
    Recipe(GaussianNoise(), ColorJitter(0.5))


def test_columns_that_are_wrong():
    bank, ids = make_bank(24, 3, 8, 8), torch.zeros(2, dtype=torch.int64)
    applied = torch.ones(2, dtype=torch.bool)
    with pytest.raises(TypeError, match=r"gaussian_noise\.key.*int64"):
        PURE.apply(bank, ids, {"gaussian_noise.applied": applied, "gaussian_noise.key": torch.zeros(2)})
    key = torch.zeros(2, 2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"gaussian_noise\.key.*wanted shape \[2\]"):
        PURE.apply(bank, ids, {"gaussian_noise.applied": applied, "gaussian_noise.key": key})
    with pytest.raises(ValueError, match=r"missing gaussian_noise\.key"):
        PURE.apply(bank, ids, {"gaussian_noise.applied": applied})
