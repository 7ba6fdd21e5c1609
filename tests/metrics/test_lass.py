"""Critical samples of linear classifiers, whose distance to another class is known; conventions of the search."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from rote.metrics import critical_radius, critical_samples
from rote.metrics.langevin_search import LangevinSearch
from rote.metrics.search_noise import normal_noise

PIXELS, SAMPLES = 20, 300


def linear(classes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, classes)).double()
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(classes, PIXELS, generator=generator))
        model[1].bias.copy_(0.1 * torch.randn(classes, generator=generator))
    return model


@pytest.fixture(scope="module")
def inputs():
    return 0.02 * torch.randn(SAMPLES, 1, 4, 5, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def distances(model, inputs):
    """Of every sample the least change of all pixels, in pixels of 255, that makes another class as large as its own.

    A change by r of all pixels moves a difference of scores by at most r times the l1 norm of its weights.
    """
    weight, bias = (p.detach().numpy() for p in model[1].parameters())
    scores = inputs.flatten(1).numpy() @ weight.T + bias
    own = scores.argmax(1)
    norms = np.abs(weight[own][:, None] - weight[None]).sum(2)
    margins = scores[np.arange(len(own)), own][:, None] - scores
    norms[np.arange(len(own)), own], margins[np.arange(len(own)), own] = 1.0, np.inf
    return 255 * (margins / norms).min(1)


@pytest.mark.parametrize("radius", [0.3, 1.0, 3.0])
def test_two_classes_are_found_exactly(inputs, radius):
    model = linear(2)
    far = distances(model, inputs)
    assert 0.02 < (far < radius).mean() < 0.98
    # Steps of a tenth of the radius without noise end in the box's corner, the best there is.
    found = critical_samples(model, inputs, radius=radius, alpha=radius / 10, beta=0.0, iterations=20)
    assert found.critical.tolist() == (far < radius).tolist()
    assert found.ratio == pytest.approx((far < radius).mean())
    # The step that finds a sample is the first that reaches its boundary.
    steps = np.ceil(far[far < radius] / (radius / 10))
    assert found.iteration[found.critical].tolist() == steps.tolist()
    # The paper's lengths in proportion: with noise a sample hardly within reach may be missed, none is invented.
    noisy = critical_samples(model, inputs, radius=radius, alpha=radius / 1.2, beta=radius / 1.5).critical.numpy()
    assert not (noisy & (far >= radius)).any()
    assert noisy[far < 0.85 * radius].all()


def test_a_pixel_that_the_network_does_not_see_stays(inputs):
    model = linear(2)
    with torch.no_grad():
        model[1].weight[:, 3] = 0.0
    x = inputs[:5]
    search = LangevinSearch(model, x, 1e-3, 1e-4, 0.0, lambda rows, iteration, like: torch.zeros_like(like))
    with torch.no_grad():
        search.iterate(1)
    moved = (search._at - x[search._rows]).flatten(1).abs()
    seen = torch.arange(PIXELS) != 3
    torch.testing.assert_close(moved[:, seen], torch.full_like(moved[:, seen], 1e-4), rtol=1e-6, atol=0)
    assert not moved[:, 3].any()


def test_of_many_classes_none_is_invented_and_most_are_found(inputs):
    model = linear(6)
    far = distances(model, inputs)
    found = critical_samples(
        model, inputs, radius=1.0, alpha=0.25 / 0.3, beta=0.2 / 0.3, iterations=50
    ).critical.numpy()
    assert not (found & (far >= 1.0)).any()
    assert found[far < 0.5].mean() > 0.95
    assert (far < 1.0).sum() > 50


@pytest.mark.parametrize("classes", [2, 6])
def test_radius_is_the_distance_or_a_little_more(inputs, classes):
    model = linear(classes)
    far = distances(model, inputs)
    found = critical_radius(model, inputs, largest=8.0, halvings=12, iterations=30).numpy()
    reached = np.isfinite(found)
    assert (far[~reached] > 6.5).all()
    assert (found[reached] >= far[reached] - 1e-9).all()
    excess = found[reached] / far[reached]
    assert np.median(excess) < (1.1 if classes == 2 else 1.3)
    assert (found[reached] <= 8.0).all()


def test_radius_bounds_what_a_search_finds(inputs):
    model = linear(3)
    found = critical_radius(model, inputs, largest=4.0, halvings=0)
    searched = critical_samples(model, inputs, radius=4.0, alpha=4 * 0.25 / 0.3, beta=4 * 0.2 / 0.3, iterations=10)
    assert (found == 4.0).tolist() == searched.critical.tolist()
    assert torch.isinf(found).tolist() == (~searched.critical).tolist()


@pytest.mark.parametrize("batch_size", [1, 7])
def test_batches_do_not_matter(inputs, batch_size):
    inputs, count = inputs[:40], 40
    model, options = linear(6), {"radius": 1.0, "iterations": 8}
    expected = critical_samples(model, inputs, **options)
    found = critical_samples(model, inputs, batch_size=batch_size, **options)
    assert found.iteration.tolist() == expected.iteration.tolist()
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    shuffled = critical_samples(model, inputs[order], ids=order, batch_size=batch_size, **options)
    assert shuffled.iteration.tolist() == expected.iteration[order].tolist()
    radius = critical_radius(model, inputs, halvings=3, batch_size=batch_size)
    assert radius.tolist() == critical_radius(model, inputs, halvings=3).tolist()


def test_standardized_inputs_have_boxes_of_the_same_pixels(inputs):
    model, std = linear(3), 0.25
    scaled = linear(3)
    with torch.no_grad():
        scaled[1].weight.mul_(std)
    options = {"radius": 1.0, "iterations": 5}
    expected = critical_samples(model, inputs, **options)
    for pixel_range in (1 / std, torch.full((1, 1, 1), 1 / std)):
        found = critical_samples(scaled, inputs / std, pixel_range=pixel_range, **options)
        assert found.iteration.tolist() == expected.iteration.tolist()
    assert critical_samples(scaled, inputs / std, **options).ratio < expected.ratio


def test_stops_early_as_the_port_does(inputs):
    model = linear(6)
    # Small steps: each finds some; the search ends after the first that finds fewer than twenty.
    options = {"radius": 3.0, "alpha": 0.1, "beta": 0.0}
    full = critical_samples(model, inputs, iterations=100, **options)
    counts = torch.bincount(full.iteration, minlength=101)[1:]
    last = 1 + next(i for i, count in enumerate(counts.tolist()) if count < 20)
    early = critical_samples(model, inputs, iterations=100, fewest_new=20, batch_size=64, **options)
    assert early.iterations == last < 100
    assert early.critical.tolist() == ((full.iteration > 0) & (full.iteration <= last)).tolist()
    assert full.iterations == 100


def test_leaves_the_network_as_it_was(inputs):
    model = nn.Sequential(linear(3), nn.BatchNorm1d(3), nn.Dropout(0.5)).double()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = critical_samples(model, inputs, radius=1.0, iterations=3)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert critical_samples(model, inputs, radius=1.0, iterations=3).iteration.tolist() == first.iteration.tolist()


def test_noise_is_standard_normal_and_addressed():
    like = torch.empty(50, 3, 5, 7, dtype=torch.float64)
    noise = normal_noise(0, torch.arange(50), 1, like)
    assert stats.kstest(noise.flatten().numpy(), "norm").pvalue > 0.01
    assert torch.equal(normal_noise(0, torch.tensor([7]), 1, like[:1])[0], noise[7])
    assert not torch.equal(normal_noise(0, torch.arange(50), 2, like), noise)
    assert not torch.equal(normal_noise(1, torch.arange(50), 1, like), noise)
    # Neighbours, which share a pair of words, are as independent as others.
    flat = noise.flatten(1)
    for lag in (1, 2):
        assert abs(float((flat[:, lag:] * flat[:, :-lag]).mean())) < 0.04


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": torch.zeros(3, 4, dtype=torch.uint8)}, "inputs must be float"),
        ({"inputs": torch.zeros(0, 4)}, "inputs must be float"),
        ({"radius": 0.0}, "radius must be positive"),
        ({"alpha": float("nan")}, "alpha must be positive"),
        ({"beta": -1.0}, "beta must be finite"),
        ({"iterations": 0}, "iterations and batch_size"),
        ({"iterations": 65536}, "iterations must be below 65536"),
        ({"batch_size": 0}, "iterations and batch_size"),
        ({"fewest_new": 0}, "fewest_new must be at least 1"),
        ({"pixel_range": 0.0}, "pixel_range must be positive"),
        ({"ids": torch.arange(3)}, "ids must be int64"),
    ],
)
def test_bad_arguments(inputs, change, message):
    with pytest.raises(ValueError, match=message):
        critical_samples(linear(2), **{"inputs": inputs, **change})


def test_bad_bisection(inputs):
    with pytest.raises(ValueError, match="halvings must not be negative"):
        critical_radius(linear(2), inputs, halvings=-1)
    with pytest.raises(ValueError, match="radius must be positive"):
        critical_radius(linear(2), inputs, largest=0.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_finds_the_same(inputs):
    model = linear(6)
    expected = critical_samples(model, inputs, radius=1.0, iterations=8)
    found = critical_samples(model.cuda(), inputs.cuda(), radius=1.0, iterations=8)
    assert found.iteration.tolist() == expected.iteration.tolist()
