"""Misalignment: the paper's formula, 0 if and only if aligned, and the covariances it is taken of."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from rote import models
from rote.metrics.alignment import (
    covariance,
    eigenbasis,
    filters_of,
    first_layer,
    misalignment,
    patch_covariance,
    random_basis,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def oracle(s: torch.Tensor, v: torch.Tensor) -> float:
    """sqrt(sum_i sqrt((v_i' S v_i) (v_i' S^-1 v_i)) - d), with an explicit inverse."""
    s, inverse = s.numpy(), np.linalg.inv(s.numpy())
    terms = [math.sqrt((c @ s @ c) * (c @ inverse @ c)) for c in v.numpy().T]
    return math.sqrt(sum(terms) - len(terms))


def spread(d: int, seed: int = 0) -> torch.Tensor:
    """A covariance of full rank with eigenvalues from 1/10 to 10 along a random basis."""
    basis = random_basis(d, generator(seed))
    return basis @ torch.diag(torch.logspace(-1, 1, d, dtype=torch.float64)) @ basis.T


@pytest.mark.parametrize("d", [2, 5, 27])
def test_it_is_the_formula(d):
    basis = random_basis(d, generator(7))
    assert misalignment(spread(d), basis) == pytest.approx(oracle(spread(d), basis), rel=1e-9)


def test_aligned_is_zero_whatever_the_order_and_the_scale():
    s = spread(9)
    basis = eigenbasis(s)
    assert misalignment(s, basis) == pytest.approx(0, abs=1e-6)
    assert misalignment(100 * s, -basis.flip(1)) == pytest.approx(0, abs=1e-6)
    assert misalignment(torch.eye(9), random_basis(9, generator())) == pytest.approx(0, abs=1e-6)  # every basis


def test_only_aligned_is_zero():
    s = torch.diag(torch.tensor([4.0, 1.0]))
    for angle in (0.01, 0.3, math.pi / 4):
        c, sn = math.cos(angle), math.sin(angle)
        basis = torch.tensor([[c, -sn], [sn, c]], dtype=torch.float64)
        # By hand: v1' S v1 = 4 c^2 + s^2 and v1' S^-1 v1 = c^2 / 4 + s^2; v2 the same with c and s exchanged.
        first = math.sqrt((4 * c**2 + sn**2) * (c**2 / 4 + sn**2))
        second = math.sqrt((4 * sn**2 + c**2) * (sn**2 / 4 + c**2))
        assert misalignment(s, basis) == pytest.approx(math.sqrt(first + second - 2), rel=1e-9)
        assert misalignment(s, basis) > 0.005


def test_a_random_basis_is_orthonormal_and_uniform():
    basis = random_basis(6, generator())
    torch.testing.assert_close(basis.T @ basis, torch.eye(6, dtype=torch.float64))
    drawn = torch.stack([random_basis(3, generator(seed)) for seed in range(2000)])
    assert drawn.mean(0).abs().max() < 0.06  # signs as well: every entry has mean 0 and standard deviation 0.58


def test_covariance_is_numpys():
    rows = torch.randn(40, 5, generator=generator())
    np.testing.assert_allclose(covariance(rows), np.cov(rows.double().numpy().T), rtol=1e-12)


def test_patches_are_what_the_filters_see(images):
    layer = nn.Conv2d(3, 2, 3, stride=2, padding=1)
    ids = torch.tensor([4, 50, 7])
    pixels = images[ids].numpy() / 255
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (3, 3), axis=(2, 3))  # [3, C, 6, 6, 3, 3]
    patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, 27)
    np.testing.assert_allclose(patch_covariance(images, ids, layer), np.cov(patches.T), rtol=1e-6, atol=1e-9)
    # A filter applied to a patch is the convolution: both are flattened alike.
    whole = nn.functional.conv2d(torch.tensor(pixels).float(), layer.weight)
    flat = torch.tensor(patches).float() @ layer.weight.detach().flatten(1).T
    torch.testing.assert_close(flat.view(3, 6, 6, 2).permute(0, 3, 1, 2), whole)


def test_a_linear_layer_sees_whole_images(images):
    found = patch_covariance(images, None, nn.Linear(192, 4))
    np.testing.assert_allclose(found, np.cov(images.flatten(1).numpy().T / 255), rtol=1e-6, atol=1e-9)


def test_the_first_layer_is_the_one_that_sees_pixels():
    convnet = models.build("convnet", in_channels=3, image_size=8, num_classes=5, width=4)
    assert filters_of(convnet).shape == (4, 27)
    assert torch.equal(filters_of(convnet), convnet.encoder[0][0].weight.detach().double().flatten(1))
    assert filters_of(models.build("mlp", in_channels=3, image_size=8, num_classes=5, width=4)).shape == (4, 192)
    with pytest.raises(ValueError, match="groups=3"):
        first_layer(nn.Sequential(nn.Conv2d(3, 3, 3, groups=3)))
    with pytest.raises(ValueError, match="no convolution or linear layer"):
        first_layer(nn.ReLU())


def test_bad_arguments(images):
    few = covariance(torch.randn(5, 9, generator=generator()))
    with pytest.raises(ValueError, match="full rank, 9; got rank 4"):
        misalignment(few, torch.eye(9))
    with pytest.raises(ValueError, match="basis must be orthonormal"):
        misalignment(torch.eye(3), 2 * torch.eye(3))
    with pytest.raises(ValueError, match="symmetric"):
        misalignment(torch.eye(3) + torch.triu(torch.ones(3, 3), 1), torch.eye(3))
    with pytest.raises(ValueError, match=r"must be \[d, d\]"):
        misalignment(torch.eye(3), torch.eye(4))
    with pytest.raises(ValueError, match="patches of 27"):
        patch_covariance(images[:, :1], None, nn.Conv2d(3, 2, 3))
    with pytest.raises(ValueError, match="n > 1"):
        covariance(torch.ones(1, 3))
