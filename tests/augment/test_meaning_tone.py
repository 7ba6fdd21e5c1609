"""Blur, sharpness and tone operations: pixels against float64 numpy, torchvision v2, and what is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.augment import (
    AutoContrast,
    ColorJitter,
    Equalize,
    GaussianBlur,
    HorizontalFlip,
    Invert,
    Normalize,
    Posterize,
    RandomCrop,
    RandomResizedCrop,
    Recipe,
    Sharpness,
    Solarize,
)

from . import oracle
from .agreement import assert_agrees_with_float64, assert_agrees_with_torchvision
from .conftest import make_addresses, make_bank
from .forced import EXECUTORS, render_by

CASES = {
    "blur": Recipe(GaussianBlur(3, p=1)),
    "blur-wide": Recipe(GaussianBlur(23, (0.1, 5.0), p=0.7)),
    "blur-uneven": Recipe(GaussianBlur((5, 9), 1.3)),
    "blur-one-axis": Recipe(GaussianBlur((1, 7)), GaussianBlur((7, 1))),
    "blur-narrow-sigma": Recipe(GaussianBlur(5, 0.001, p=1)),
    "sharpen": Recipe(Sharpness(2.0, p=0.8)),
    "smooth": Recipe(Sharpness((0.0, 1.0), p=1)),
    "solarize": Recipe(Solarize(0.3)),
    "solarize-most": Recipe(Solarize(0.001, p=1)),
    "posterize": Recipe(Posterize(3)),
    "posterize-8": Recipe(Posterize(8, p=1)),
    "posterize-0": Recipe(Posterize(0, p=1)),
    "invert": Recipe(Invert()),
    "auto-contrast": Recipe(AutoContrast(p=1)),
    "equalize": Recipe(Equalize(p=1)),
    "equalize-inverted": Recipe(HorizontalFlip(), Equalize(p=0.5), Invert()),
    "blur-behind-normalize": Recipe(Normalize(0.5, 0.25), GaussianBlur(5, p=1)),
    "simclr": Recipe(
        RandomResizedCrop(),
        HorizontalFlip(),
        ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8),
        GaussianBlur(3),
        Solarize(p=0.2),
    ),
    "overshoot": Recipe(
        RandomResizedCrop(interpolation="bicubic"), Sharpness((0.5, 2.0)), Invert(), GaussianBlur(3), Posterize(4)
    ),
    "contrast-of-crops": Recipe(RandomCrop(4, "reflect"), Sharpness(3.0), GaussianBlur(3), AutoContrast(), size=24),
}


@pytest.mark.parametrize("byte", [0, 7, 255])
def test_auto_contrast_leaves_a_flat_image(byte, device):
    bank = torch.full((1, 3, 9, 7), byte, dtype=torch.uint8, device=device)
    zero = torch.zeros(1, dtype=torch.int64, device=device)
    assert Recipe(AutoContrast(p=1))(bank, zero, zero).equal(Recipe()(bank, zero, zero))


def test_overshoot_is_stretched(device):
    """Of noise: a flat image behind a resize is flat but for rounding, and that would be stretched."""
    recipe = Recipe(RandomResizedCrop(interpolation="bicubic"), Invert(), AutoContrast(p=1))
    bank = torch.randint(0, 256, (24, 3, 32, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert_agrees_with_float64(recipe, bank=bank, device=device)
    assert_agrees_with_torchvision(recipe, bank=bank)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    assert_agrees_with_float64(CASES[name], channels=channels, device=device)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    assert_agrees_with_torchvision(CASES[name])


@pytest.mark.parametrize("image", [(1, 1), (2, 5), (3, 3), (7, 64), (33, 17)])
def test_odd_sizes(image):
    kernel = 3 if min(image) > 1 else 1
    recipe = Recipe(Sharpness(2.5, p=1), GaussianBlur(kernel, p=1), AutoContrast(), Invert())
    assert_agrees_with_float64(recipe, image=image, count=24)
    assert_agrees_with_float64(Recipe(Equalize(p=1)), image=image, count=24)


def test_every_executor_renders_the_same_bits():
    for channels, height, width in ((3, 32, 32), (1, 17, 23), (3, 9, 5), (3, 19, 70)):
        bank = make_bank(24, channels, height, width)
        ids, views = make_addresses(64)
        for name, recipe in CASES.items():
            if ("wide" in name and min(height, width) < 12) or ("one-axis" in name and width < 4):
                continue
            if recipe.size is not None and min(height, width) < 16:
                continue
            by_level = {level: render_by(level, recipe, bank, ids, views, 5) for level in EXECUTORS}
            for level, rendered in by_level.items():
                assert torch.equal(rendered, by_level["scalar"]), (name, level, channels, height, width)


def test_the_widest_kernel_reaches_the_far_border():
    bank = make_bank(24, 3, 8, 6)
    recipe = Recipe(GaussianBlur((11, 15), 3.0, p=1))
    ids, views = make_addresses(24)
    by_level = {level: render_by(level, recipe, bank, ids, views) for level in EXECUTORS}
    assert all(torch.equal(rendered, by_level["scalar"]) for rendered in by_level.values())
    assert_agrees_with_float64(recipe, image=(8, 6))


def one_row(recipe: Recipe, values, **params) -> np.ndarray:
    """A one-channel image of one row, or of several, through a recipe under given parameters."""
    bank = torch.tensor(values, dtype=torch.uint8).view(1, 1, -1, len(values[0]))
    given = {f"{recipe.operations[0].kind}.applied": torch.ones(1, dtype=torch.bool)}
    given |= {f"{recipe.operations[0].kind}.{name}": torch.tensor([value]) for name, value in params.items()}
    return recipe.apply(bank, torch.zeros(1, dtype=torch.int64), given)[0, 0].numpy()


def test_known_pixels():
    assert np.allclose(one_row(Recipe(Solarize(0.6)), [[0, 152, 153, 255]]), [[0, 152 / 255, 102 / 255, 0]], atol=1e-7)
    assert (one_row(Recipe(Posterize(1)), [[0, 127, 128, 255]]) == [[0, 0, 0.5, 0.5]]).all()
    assert (one_row(Recipe(Posterize(8)), [[255, 1]]) == [[255 / 256, 1 / 256]]).all()
    assert (one_row(Recipe(Invert()), [[0, 255]]) == [[1, 0]]).all()
    assert np.allclose(one_row(Recipe(AutoContrast()), [[51, 102, 153]]), [[0, 0.5, 1]], atol=1e-6)
    flat = one_row(Recipe(AutoContrast()), [[51, 51, 51]])
    assert (flat == np.float32(51 / 255)).all()
    weight = np.exp(-0.5)
    blurred = one_row(Recipe(GaussianBlur((3, 1))), [[255, 0, 0]], sigma=1.0)
    assert np.allclose(blurred, np.array([[1, weight, 0]]) / (1 + 2 * weight), atol=1e-7)
    sharp = one_row(Recipe(Sharpness(1.0)), [[0, 0, 0], [0, 130, 0], [0, 0, 0]], factor=0.0)
    assert np.allclose(sharp[1, 1], 50 / 255, atol=1e-7)
    assert sharp.sum() == sharp[1, 1]


def test_equalize_is_pillows():
    image_ops, image = pytest.importorskip("PIL.ImageOps"), pytest.importorskip("PIL.Image")
    bank = make_bank(24, 3, 32, 28)
    ids = torch.arange(24)
    ours = Recipe(Equalize(p=1))(bank, ids, ids)
    for picture, got in zip(bank.numpy(), ours.numpy(), strict=True):
        theirs = np.asarray(image_ops.equalize(image.fromarray(picture.transpose(1, 2, 0)))).transpose(2, 0, 1)
        assert (np.round(got * 255).astype(int) == theirs).all()


def test_values_slightly_beyond_white_are_safe():
    """Blurred white may exceed 1 by a rounding; behind it every operation stays inside [0, 1]."""
    bank = torch.full((1, 3, 16, 16), 255, dtype=torch.uint8)
    views = torch.arange(400)
    blurred = Recipe(GaussianBlur(5, p=1))(bank, torch.zeros_like(views), views)
    assert ((blurred - 1).abs() < 1e-6).all()
    assert (blurred > 1).any()
    for operation in (Solarize(1.0, p=1), Posterize(8, p=1), Sharpness(5.0, p=1), AutoContrast(p=1), Equalize(p=1)):
        rendered = Recipe(GaussianBlur(5, p=1), operation)(bank, torch.zeros_like(views), views)
        assert rendered.min() >= -1e-6
        assert rendered.max() <= (1 + 1e-6 if isinstance(operation, Solarize) else 1), operation


def test_order_matters_and_is_kept(bank):
    ids, views = make_addresses(40)
    one = Recipe(Solarize(0.5, p=1), GaussianBlur(5, 2.0, p=1))
    other = Recipe(GaussianBlur(5, 2.0, p=1), Solarize(0.5, p=1))
    assert (one(bank, ids, views) - other(bank, ids, views)).abs().max() > 0.1
    assert_agrees_with_float64(one)
    assert_agrees_with_float64(other)


def test_replay(bank):
    ids, views = make_addresses(40)
    for recipe in CASES.values():
        params = recipe.params(ids, views, seed=3, image_size=32)
        assert torch.equal(recipe.apply(bank, ids, params), recipe(bank, ids, views, seed=3))


def test_an_operation_that_is_switched_off_moves_no_other_numbers():
    operations = [GaussianBlur(3), Solarize(), Posterize(4), Invert(), Sharpness((0, 2)), AutoContrast(), Equalize()]
    ids, views = make_addresses(100)
    everything = Recipe(*operations).params(ids, views, seed=4, image_size=32)
    for off in operations:
        rest = Recipe(*(o for o in operations if o is not off)).params(ids, views, seed=4, image_size=32)
        assert all(torch.equal(values, everything[name]) for name, values in rest.items())
        assert len(rest) == len(everything) - len(off.parameters)


@pytest.mark.cifar
def test_real_images(cifar_images):
    """Every case on CIFAR-10 test pictures, against float64."""
    ids = torch.arange(len(cifar_images))
    for name, recipe in CASES.items():
        rendered = recipe(cifar_images, ids, ids, seed=1).double().numpy()
        params = recipe.params(ids, ids, seed=1, image_size=32)
        for i, row in enumerate(oracle.rows_of(params)):
            size = recipe.output_size((32, 32))
            expected, clear = oracle.render_decided(recipe, cifar_images[i].numpy(), row, size)
            assert clear.mean() > 0.95, (name, i, clear.mean(axis=(1, 2)))
            assert np.abs(rendered[i] - expected)[clear].max() <= 2e-5 / (0.25 if "normalize" in name else 1), name
