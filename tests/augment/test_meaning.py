"""Pixels against float64 numpy and against torchvision v2, under the parameters that the engine drew.

The tolerances are the published ones: integer-exact operations exact, resampling 4 · 2^-24 · max(H, W), colour and
whole chains 2e-5. A nearest-neighbour map is compared where the source coordinate is no closer than 1e-3 to a tie.
"""

from __future__ import annotations

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
    recipes,
)

from . import oracle, torchvision_reference
from .conftest import make_addresses, make_bank

EXACT, RESAMPLED, COLOUR = "exact", "resampled", "colour"
CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}

CASES = {
    "none": (Recipe(), EXACT),
    "flip": (Recipe(HorizontalFlip()), EXACT),
    "crop-constant": (Recipe(RandomCrop(4, fill=0.25), size=(24, 33)), EXACT),
    "crop-edge": (Recipe(RandomCrop(5, "edge"), size=30), EXACT),
    "crop-reflect": (Recipe(RandomCrop(4, "reflect")), EXACT),
    "crop-symmetric": (Recipe(RandomCrop(7, "symmetric"), size=(40, 9)), EXACT),
    "rrc": (Recipe(RandomResizedCrop()), RESAMPLED),
    "rrc-enlarge": (Recipe(RandomResizedCrop((0.1, 1.0), (0.3, 3.0)), size=(47, 70)), RESAMPLED),
    "rrc-shrink": (Recipe(RandomResizedCrop((0.5, 1.0)), size=(13, 7)), RESAMPLED),
    "rrc-twice": (Recipe(RandomResizedCrop((0.5, 1.0)), RandomResizedCrop((0.5, 1.0)), size=24), RESAMPLED),
    "affine-bilinear": (
        Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), (-20, 20, -10, 10), "bilinear", fill=0.4)),
        RESAMPLED,
    ),
    "affine-nearest": (Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), (-20, 20, -10, 10), fill=0.4)), EXACT),
    "brightness": (Recipe(ColorJitter(brightness=0.8)), COLOUR),
    "contrast": (Recipe(ColorJitter(contrast=0.8)), COLOUR),
    "saturation": (Recipe(ColorJitter(saturation=0.8)), COLOUR),
    "hue": (Recipe(ColorJitter(hue=0.5)), COLOUR),
    "jitter": (Recipe(ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8)), COLOUR),
    "grey": (Recipe(Grayscale(p=0.5)), COLOUR),
    "normalize": (Recipe(**CIFAR), COLOUR),
    "digits": (recipes["digits"], COLOUR),
    "benign-full": (recipes["benign-full"], COLOUR),
    "benign-mild": (recipes["benign-mild"].at((20, 28)), COLOUR),
    "everything": (
        Recipe(
            RandomCrop(3, "reflect"),
            RandomAffine(20, (0.1, 0.1), interpolation="bilinear"),
            RandomResizedCrop((0.3, 1.0)),
            HorizontalFlip(),
            ColorJitter(0.4, 0.4, 0.2, 0.1, p=0.8),
            Grayscale(p=0.2),
            ColorJitter(0.2, 0.2, 0.2, 0.05),
            size=28,
            **CIFAR,
        ),
        # Divided by a std of about 0.25 at the end.
        COLOUR,
    ),
}


def tolerance(accuracy: str, recipe: Recipe, extent: int) -> float:
    scale = 1 / min((min(o.std) for o in recipe.operations if o.kind == "normalize"), default=1.0)
    return {EXACT: 0.0, RESAMPLED: 4 * 2.0**-24 * extent, COLOUR: 2e-5}[accuracy] * scale


def comparable(recipe: Recipe, row: dict, height: int, width: int) -> np.ndarray:
    """Where a nearest-neighbour map decides clearly; everywhere for anything else."""
    clear = np.ones((height, width), dtype=bool)
    for operation, p in oracle.operations_with_parameters(recipe, row):
        if operation.kind == "random_affine" and operation.interpolation == "nearest":
            for coordinate in oracle.source_coordinates(p, height, width):
                clear &= np.abs(coordinate + 0.5 - np.round(coordinate + 0.5)) > 1e-3
    return clear


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    recipe, accuracy = CASES[name]
    if channels == 1 and name == "everything":
        recipe = Recipe(*recipe.operations[:-1], size=recipe.size, mean=0.5, std=0.25)
    if channels == 1 and name == "normalize":
        recipe = Recipe(mean=0.5, std=0.25)
    height, width = 32, 28
    bank = make_bank(24, channels, height, width)
    ids, views = make_addresses(96)
    views_of = recipe(bank.to(device), ids.to(device), views.to(device), seed=11).cpu().double().numpy()
    params = recipe.params(ids, views, seed=11, image_size=(height, width))
    rows = oracle.rows_of(params) if params else [{}] * len(ids)
    size = recipe.output_size((height, width))
    worst = 0.0
    for image, row, got in zip(ids.tolist(), rows, views_of, strict=True):
        expected = oracle.render(recipe, bank[image].numpy(), row, size)
        if accuracy is EXACT:
            expected = expected.astype(np.float32)
        clear = comparable(recipe, row, height, width) if "nearest" in name else np.ones(size, dtype=bool)
        assert clear.mean() > 0.95
        worst = max(worst, np.abs(got - expected)[:, clear].max())
    assert worst <= tolerance(accuracy, recipe, max(height, width, *size)), worst


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    torchvision_reference.import_torchvision()
    recipe, accuracy = CASES[name]
    height, width = 32, 28
    bank = make_bank(24, 3, height, width)
    ids, views = make_addresses(48, seed=1)
    views_of = recipe(bank, ids, views, seed=12)
    params = recipe.params(ids, views, seed=12, image_size=(height, width))
    rows = oracle.rows_of(params) if params else [{}] * len(ids)
    size = recipe.output_size((height, width))
    worst = 0.0
    for image, row, got in zip(ids.tolist(), rows, views_of, strict=True):
        expected = torchvision_reference.render(recipe, bank[image], row, size)
        clear = torch.from_numpy(comparable(recipe, row, height, width)) if "nearest" in name else slice(None)
        difference = (got - expected).abs()
        worst = max(worst, float(difference[:, clear].max()))
    # Two float32 computations of the same thing, each within its own error of the truth. torchvision's affine grid
    # accumulates coordinates of magnitude max(H, W) in float32.
    slack = 4 if any(o.kind == "random_affine" for o in recipe.operations) else 2
    assert worst <= slack * max(tolerance(accuracy, recipe, max(height, width, *size)), 0.0), worst


def test_random_resized_crop_of_the_whole_image_copies_it(bank):
    recipe = Recipe(RandomResizedCrop())
    zero, side = torch.zeros(24, dtype=torch.int64), torch.full((24,), 32)
    params = dict(zip(("top", "left", "height", "width"), (zero, zero, side, side), strict=True))
    params = {f"random_resized_crop.{name}": values for name, values in params.items()}
    assert torch.equal(recipe.apply(bank, torch.arange(24), params), bank.float() / 255)


def test_pixels_are_correctly_rounded_quotients():
    bank = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    views = Recipe()(bank, torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
    expected = (np.arange(256) / 255.0).astype(np.float32)
    assert np.array_equal(views.numpy().ravel(), expected)


def test_kornia_agrees_where_its_meaning_is_the_same(bank):
    """kornia flips, multiplies brightness and shifts hue (in radians) as torchvision does."""
    kornia = pytest.importorskip("kornia")
    x = bank.float() / 255
    ids = torch.arange(24)
    flip = {"horizontal_flip.applied": torch.ones(24, dtype=torch.bool)}
    assert torch.equal(Recipe(HorizontalFlip()).apply(bank, ids, flip), kornia.geometry.transform.hflip(x))
    recipe = Recipe(ColorJitter(0.5, 0.5, 0.5, 0.5))
    params = recipe.params(ids, ids, image_size=32)
    params["color_jitter.brightness"][:] = 1.0
    params["color_jitter.contrast"][:] = 1.0
    params["color_jitter.saturation"][:] = 1.0
    turned = kornia.enhance.adjust_hue(x, params["color_jitter.hue"] * 2 * torch.pi)
    assert (recipe.apply(bank, ids, params) - turned).abs().max() < 2e-5
