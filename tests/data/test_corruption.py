"""Corrupted inputs: a function of (seed, id) alone, with the moments and permutations that the papers name."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

import rote
from rote.data import INPUT_CORRUPTIONS, PixelStatistics, clipped_statistics, corrupt_inputs, corrupted
from rote.data.corruption import TEST_IDS, pixel_permutation, pixel_permutations, pixel_statistics

N = 400
# Moments of CIFAR-10's training set on the scale 0 to 255, as commonly quoted.
CIFAR = PixelStatistics((125.3, 123.0, 113.9), (63.0, 62.1, 66.7))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (N, 3, 8, 6), generator=generator).to(torch.uint8)


@pytest.mark.parametrize("kind", INPUT_CORRUPTIONS)
def test_an_image_becomes_the_same_in_any_subset_and_order(images, kind):
    statistics = pixel_statistics(images)
    before = images.clone()
    ids = torch.arange(N) + 17
    whole, which = corrupt_inputs(images, ids, kind, share=0.7, seed=5, statistics=statistics)
    rows = torch.tensor([311, 4, 8, 200, 5])
    some, some_which = corrupt_inputs(images[rows], ids[rows], kind, share=0.7, seed=5, statistics=statistics)
    assert torch.equal(some, whole[rows])
    assert torch.equal(some_which, which[rows])
    assert torch.equal(images, before)
    assert torch.equal(whole[~which], images[~which])
    assert (whole[which] != images[which]).flatten(1).any(1).all()
    other, other_which = corrupt_inputs(images, ids, kind, share=0.7, seed=6, statistics=statistics)
    assert not torch.equal(other_which, which)
    assert not torch.equal(other[which & other_which], whole[which & other_which])


def test_the_share_is_nested_binomial_and_independent_of_redrawn_labels(images):
    ids = torch.arange(20_000)
    blank = torch.zeros(len(ids), 1, 1, 1, dtype=torch.uint8)
    sets = [corrupt_inputs(blank, ids, "random-pixels", share=share, seed=2)[1] for share in (0.0, 0.2, 0.5, 1.0)]
    assert not sets[0].any()
    assert sets[3].all()
    assert not (sets[1] & ~sets[2]).any()
    for found, share in ((sets[1], 0.2), (sets[2], 0.5)):
        assert stats.binomtest(int(found.sum()), len(ids), share).pvalue > 1e-3
    labels = torch.zeros_like(ids)
    _, redrawn = rote.train.corrupt_labels(labels, ids, 10, 2, p=0.5)
    table = torch.bincount(sets[2].long() * 2 + redrawn, minlength=4).view(2, 2)
    assert stats.chi2_contingency(table.numpy()).pvalue > 1e-3


def test_statistics_are_those_of_numpy(images):
    found = pixel_statistics(images)
    values = images.numpy().astype(np.float64)
    assert np.allclose(found.mean, values.mean((0, 2, 3)), rtol=1e-12)
    assert np.allclose(found.std, values.std((0, 2, 3)), rtol=1e-12)


def test_gaussian_pixels_have_the_law_of_a_rounded_clipped_gaussian():
    ids = torch.arange(300)
    blank = torch.zeros(300, 3, 16, 16, dtype=torch.uint8)
    noise, _ = corrupt_inputs(blank, ids, "gaussian", seed=1, statistics=CIFAR)
    expected = clipped_statistics(CIFAR)
    count = 300 * 256
    for channel in range(3):
        values = noise[:, channel].double()
        assert abs(values.mean() - expected.mean[channel]) < 4 * expected.std[channel] / count**0.5
        assert abs(values.std() / expected.std[channel] - 1) < 4 / (2 * count) ** 0.5
        # Against an independent construction: the law of round(clip(x)), by scipy's normal distribution.
        edges = np.arange(255) + 0.5
        below = stats.norm.cdf(edges, CIFAR.mean[channel], CIFAR.std[channel])
        law = np.diff(np.concatenate([[0.0], below, [1.0]]))
        counts = np.bincount(noise[:, channel].flatten().numpy(), minlength=256)
        assert stats.chisquare(counts, law * count).pvalue > 1e-3
    # Pixels, channels and images are independent of their neighbours.
    x = noise.double() - noise.double().mean((0, 2, 3), keepdim=True)
    for a, b in ((x[..., 1:], x[..., :-1]), (x[:, 1:], x[:, :-1]), (x[1:], x[:-1])):
        assert abs(float((a * b).mean() / (a.std() * b.std()))) < 4 / a.numel() ** 0.5


def test_how_far_clipping_moves_the_moments():
    found = clipped_statistics(CIFAR)
    for channel in range(3):
        draws = np.random.default_rng(0).normal(CIFAR.mean[channel], CIFAR.std[channel], 400_000)
        pixels = np.clip(np.rint(draws), 0, 255)
        assert found.mean[channel] == pytest.approx(pixels.mean(), abs=0.5)
        assert found.std[channel] == pytest.approx(pixels.std(), abs=0.4)
        # What the documentation says.
        assert abs(found.mean[channel] - CIFAR.mean[channel]) < 1
        assert 0.94 < found.std[channel] / CIFAR.std[channel] < 0.97
    narrow = clipped_statistics(PixelStatistics((128.0,), (10.0,)))
    assert narrow.mean[0] == pytest.approx(128.0, abs=1e-9)
    # Rounding adds a twelfth to the variance (Sheppard's correction).
    assert narrow.std[0] == pytest.approx(math.sqrt(100 + 1 / 12), abs=1e-6)


def test_a_channel_without_variance_stays_constant():
    images = torch.full((3, 1, 4, 4), 7, dtype=torch.uint8)
    noise, _ = corrupt_inputs(images, torch.arange(3), "gaussian", seed=0)
    assert torch.equal(noise, images)


def test_shuffled_pixels_are_one_permutation_of_positions(images):
    moved, _ = corrupt_inputs(images, torch.arange(N), "shuffled-pixels", seed=9)
    order = pixel_permutation(48, 9)
    assert sorted(order.tolist()) == list(range(48))
    assert torch.equal(moved.flatten(2), images.flatten(2)[:, :, order])
    assert not torch.equal(order, pixel_permutation(48, 10))


def test_random_pixels_are_a_permutation_of_each_image_with_channels_together(images):
    moved, _ = corrupt_inputs(images, torch.arange(N), "random-pixels", seed=9)
    orders = pixel_permutations(torch.arange(N), 48, 9)
    assert torch.equal(orders.sort(1).values, torch.arange(48).expand(N, -1))
    assert len(orders.unique(dim=0)) == N
    for row in (0, 77):
        assert torch.equal(moved[row].flatten(1), images[row].flatten(1)[:, orders[row]])
    # A position is as likely to come from anywhere.
    first = torch.bincount(pixel_permutations(torch.arange(20_000), 8, 1)[:, 0], minlength=8)
    assert stats.chisquare(first.numpy()).pvalue > 1e-3


def test_a_bank_is_corrupted_with_the_moments_of_its_training_set():
    bank = rote.data.load("digits")
    ids = torch.tensor([3, 90])
    noise, which = corrupted(bank, "gaussian", seed=4, ids=ids)
    assert noise.shape == (2, 3, 16, 16)
    assert which.all()
    expected, _ = corrupt_inputs(
        bank.train.images[ids], ids, "gaussian", seed=4, statistics=pixel_statistics(bank.train.images)
    )
    assert torch.equal(noise, expected)
    # Shuffled pixels move training and test images alike; the noise of a test image is its own.
    order = pixel_permutation(256, 4)
    shuffled, _ = corrupted(bank, "shuffled-pixels", seed=4, split="test")
    assert torch.equal(shuffled.flatten(2), bank.test.images.flatten(2)[:, :, order])
    of_test, _ = corrupted(bank, "gaussian", seed=4, ids=ids, split="test")
    assert not torch.equal(of_test, noise)
    again, _ = corrupt_inputs(
        bank.test.images[ids], ids + TEST_IDS, "gaussian", seed=4, statistics=pixel_statistics(bank.train.images)
    )
    assert torch.equal(of_test, again)


@pytest.mark.parametrize(
    ("changed", "error", "names"),
    [
        ({"kind": "snow"}, ValueError, "kind"),
        ({"share": 1.5}, ValueError, "share"),
        ({"share": -0.1}, ValueError, "share"),
        ({"images": torch.zeros(2, 3, 4, 4)}, TypeError, "images"),
        ({"images": torch.zeros(3, 4, 4, dtype=torch.uint8)}, ValueError, "images"),
        ({"ids": torch.arange(3)}, ValueError, "ids"),
        ({"ids": torch.tensor([0, -1])}, ValueError, "image"),
        ({"seed": -1}, ValueError, "seed"),
        ({"statistics": PixelStatistics((1.0,), (1.0,))}, ValueError, "statistics"),
    ],
)
def test_bad_input_is_refused(changed, error, names):
    given = {"images": torch.zeros(2, 3, 4, 4, dtype=torch.uint8), "ids": torch.arange(2), "kind": "gaussian"}
    given |= {"seed": 0} | changed
    with pytest.raises(error, match=names):
        corrupt_inputs(given.pop("images"), given.pop("ids"), given.pop("kind"), **given)


def test_bad_statistics_and_splits_are_refused():
    with pytest.raises(ValueError, match="statistics"):
        PixelStatistics((1.0, 2.0), (1.0,))
    with pytest.raises(ValueError, match="images"):
        pixel_statistics(torch.zeros(0, 3, 2, 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match="split"):
        corrupted(rote.data.load("digits"), "gaussian", seed=0, split="validation")
