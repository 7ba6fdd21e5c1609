"""Renders a recipe and compares its pixels with float64 numpy and with torchvision v2, under the drawn parameters."""

from __future__ import annotations

import numpy as np
import torch

from rote.augment import Recipe

from . import oracle, torchvision_reference
from .conftest import make_addresses, make_bank
from .tolerances import tolerance


def assert_agrees_with_float64(
    recipe: Recipe,
    *,
    channels: int = 3,
    image: tuple[int, int] = (32, 28),
    count: int = 96,
    device: str = "cpu",
    bank: torch.Tensor | None = None,
) -> None:
    """Every pixel that is decided clearly (at least 95 % of each view) lies within the recipe's tolerance. Images are
    those of `bank`, or made up."""
    bank = make_bank(24, channels, *image) if bank is None else bank
    image = tuple(bank.shape[2:])
    ids, views = make_addresses(count, len(bank))
    rendered = recipe(bank.to(device), ids.to(device), views.to(device), seed=11).cpu().double().numpy()
    size = recipe.output_size(image)
    allowed = tolerance(recipe, max(*image, *size))
    worst = 0.0
    for number, row, got in zip(ids.tolist(), _rows(recipe, ids, views, 11, image), rendered, strict=True):
        expected, clear = oracle.render_decided(recipe, bank[number].numpy(), row, size)
        if allowed == 0:
            expected = expected.astype(np.float32)
        assert clear.mean() > 0.95
        worst = max(worst, np.abs(got - expected)[clear].max())
    assert worst <= allowed, (worst, allowed)


def assert_agrees_with_torchvision(
    recipe: Recipe, *, image: tuple[int, int] = (32, 28), count: int = 48, bank: torch.Tensor | None = None
) -> None:
    """Two float32 computations of the same thing, each within its own error of the truth: twice the tolerance. Four
    times for affine maps: torchvision's grid accumulates coordinates of magnitude max(H, W) in float32."""
    torchvision_reference.import_torchvision()
    bank = make_bank(24, 3, *image) if bank is None else bank
    image = tuple(bank.shape[2:])
    ids, views = make_addresses(count, len(bank), seed=1)
    rendered = recipe(bank, ids, views, seed=12)
    size = recipe.output_size(image)
    slack = 4 if any(o.kind in ("random_affine", "random_rotation") for o in recipe.operations) else 2
    allowed = slack * tolerance(recipe, max(*image, *size))
    worst = 0.0
    for number, row, got in zip(ids.tolist(), _rows(recipe, ids, views, 12, image), rendered, strict=True):
        expected = torchvision_reference.render(recipe, bank[number], row, size)
        clear = torch.from_numpy(oracle.render_decided(recipe, bank[number].numpy(), row, size)[1].copy())
        worst = max(worst, float((got - expected).abs()[clear].max()))
    assert worst <= allowed, (worst, allowed)


def _rows(recipe: Recipe, ids: torch.Tensor, views: torch.Tensor, seed: int, image: tuple[int, int]) -> list[dict]:
    params = recipe.params(ids, views, seed=seed, image_size=image)
    return oracle.rows_of(params) if params else [{}] * len(ids)
