"""Crops, flips, resizes and affine maps: pixels against float64 numpy and torchvision v2."""

from __future__ import annotations

import itertools

import pytest
import torch

from rote.augment import (
    AlternatingFlip,
    CenterCrop,
    ColorJitter,
    HorizontalFlip,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    Resize,
    VerticalFlip,
)

from .agreement import assert_agrees_with_float64, assert_agrees_with_torchvision

AFFINE = {"degrees": 180, "translate": (0.2, 0.1), "scale": (0.6, 1.6), "shear": (-20, 20, -10, 10)}
CASES = {
    "flip": Recipe(HorizontalFlip()),
    "vertical-flip": Recipe(VerticalFlip()),
    "alternating-flip": Recipe(AlternatingFlip(), VerticalFlip(0.3)),
    "crop-constant": Recipe(RandomCrop(4, fill=0.25), size=(24, 33)),
    "crop-edge": Recipe(RandomCrop(5, "edge"), size=30),
    "crop-reflect": Recipe(RandomCrop(4, "reflect", p=0.5)),
    "crop-symmetric": Recipe(RandomCrop(7, "symmetric"), size=(40, 9)),
    "center-crop": Recipe(CenterCrop(), size=(17, 20)),
    "center-crop-mixed": Recipe(CenterCrop((15, 41)), CenterCrop((40, 7))),
    "rrc": Recipe(RandomResizedCrop()),
    "rrc-sometimes": Recipe(RandomResizedCrop(p=0.4), size=20),
    "rrc-enlarge": Recipe(RandomResizedCrop((0.1, 1.0), (0.3, 3.0)), size=(47, 70)),
    "rrc-shrink": Recipe(RandomResizedCrop((0.5, 1.0)), size=(13, 7)),
    "rrc-twice": Recipe(RandomResizedCrop((0.5, 1.0)), RandomResizedCrop((0.5, 1.0)), size=24),
    "rrc-nearest": Recipe(RandomResizedCrop(interpolation="nearest")),
    "rrc-plain": Recipe(RandomResizedCrop(antialias=False), size=12),
    "rrc-bicubic": Recipe(RandomResizedCrop(interpolation="bicubic")),
    "rrc-plain-bicubic": Recipe(RandomResizedCrop(interpolation="bicubic", antialias=False), size=(12, 40)),
    "resize-then-crop": Recipe(Resize(40), RandomCrop(2), size=32),
    "affine-bilinear": Recipe(RandomAffine(**AFFINE, interpolation="bilinear", fill=0.4)),
    "affine-nearest": Recipe(RandomAffine(**AFFINE, fill=0.4)),
    "affine-sometimes": Recipe(RandomAffine(**AFFINE, interpolation="bilinear", fill=0.4, p=0.5)),
    "affine-of-colours": Recipe(HorizontalFlip(), RandomCrop(3), RandomAffine(30, interpolation="bilinear")),
    "rotation-bilinear": Recipe(RandomRotation(180, "bilinear", fill=0.7)),
    "rotation-nearest": Recipe(RandomRotation((-30, 60), p=0.7)),
}
#: image -> view sizes: one pixel, odd sizes, shrinking by half and by an eighth, enlarging, equal on one axis.
SIZES = [((1, 1), (3, 2)), ((7, 13), (1, 1)), ((13, 7), (7, 13)), ((64, 64), (32, 32)), ((32, 28), (32, 57))]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    assert_agrees_with_float64(CASES[name], channels=channels, device=device)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    assert_agrees_with_torchvision(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_real_images(name, cifar_images):
    assert_agrees_with_float64(CASES[name], bank=cifar_images, count=60)
    assert_agrees_with_torchvision(CASES[name], bank=cifar_images, count=60)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize(("image", "size"), SIZES, ids=str)
def test_resizes_agree(image, size, interpolation, antialias):
    for operation in (
        Resize(size, interpolation, antialias),
        RandomResizedCrop((0.3, 1.0), interpolation=interpolation, antialias=antialias),
    ):
        recipe = Recipe(operation, size=size)
        for channels in (1, 3):
            assert_agrees_with_float64(recipe, channels=channels, image=image, count=32)
        assert_agrees_with_torchvision(recipe, image=image, count=16)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_large_images_agree(interpolation):
    recipe = Recipe(
        RandomResizedCrop(interpolation=interpolation), RandomAffine(10, fill=0.5), VerticalFlip(), size=224
    )
    assert_agrees_with_float64(recipe, image=(256, 250), count=3)
    recipe = Recipe(Resize((224, 224), interpolation), CenterCrop(200), HorizontalFlip())
    assert_agrees_with_torchvision(recipe, image=(256, 250), count=3)


@pytest.mark.parametrize(("image", "size"), [((1, 1), (1, 1)), ((7, 13), (7, 13)), ((9, 1), (9, 1))], ids=str)
def test_small_images_turn(image, size):
    for operation in (RandomRotation(180, "bilinear", 0.3), RandomAffine(**AFFINE, interpolation="bilinear", fill=0.3)):
        assert_agrees_with_float64(Recipe(operation), image=image, count=32)
        assert_agrees_with_torchvision(Recipe(operation), image=image, count=32)


@pytest.mark.parametrize("shorter", [1, 10, 33, 50])
def test_the_shorter_side_becomes_the_size(shorter):
    for image in ((32, 28), (7, 13), (20, 20), (3, 31)):
        recipe = Recipe(Resize(shorter))
        assert_agrees_with_float64(recipe, image=image, count=4)
        assert_agrees_with_torchvision(recipe, image=image, count=4)


def test_a_recipe_without_a_size_ends_where_its_operations_do():
    for recipe, size in (
        (Recipe(Resize(16), HorizontalFlip()), (18, 16)),
        (Recipe(Resize(16), Resize()), (32, 28)),
        (Recipe(RandomResizedCrop(), CenterCrop(9)), (9, 9)),
        (Recipe(Resize((40, 50)), RandomCrop()), (32, 28)),
        (Recipe(CenterCrop(50), Resize((7, 5)), RandomCrop(2), size=8), (8, 8)),
    ):
        assert recipe.output_size((32, 28)) == size


def test_bicubic_overshoots_and_colours_follow_torchvision_outside_the_unit_interval():
    """Edges of black and white, so that many pixels leave [0, 1] before each of the jitter's operations."""
    recipe = Recipe(Resize((47, 45), "bicubic", antialias=False))
    assert_agrees_with_float64(recipe)
    for jitter in (ColorJitter(hue=0.5), ColorJitter(contrast=0.8), ColorJitter(0.4, 0.4, 0.4, 0.3)):
        recipe = Recipe(Resize((47, 45), "bicubic", antialias=False), Resize((40, 50), "bicubic"), jitter)
        assert_agrees_with_torchvision(recipe)


def test_random_resized_crop_of_the_whole_image_copies_it(bank):
    for interpolation, antialias in itertools.product(("nearest", "bilinear", "bicubic"), (False, True)):
        recipe = Recipe(RandomResizedCrop(interpolation=interpolation, antialias=antialias))
        zero, side = torch.zeros(24, dtype=torch.int64), torch.full((24,), 32)
        params = dict(zip(("top", "left", "height", "width"), (zero, zero, side, side), strict=True))
        params = {f"random_resized_crop.{name}": values for name, values in params.items()}
        assert torch.equal(recipe.apply(bank, torch.arange(24), params), bank.float() / 255)
        ids = torch.arange(24)
        never = Recipe(RandomResizedCrop(interpolation=interpolation, antialias=antialias, p=0.0))
        assert torch.equal(never(bank, ids, ids), bank.float() / 255)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_a_map_that_moves_nothing_leaves_the_image_untouched(bank, interpolation):
    ids = torch.arange(24)
    for operation in (
        RandomAffine(30, interpolation=interpolation, fill=0.3, p=0.0),
        RandomAffine(0, interpolation=interpolation, fill=0.3),
        RandomRotation(30, interpolation, fill=0.3, p=0.0),
        RandomRotation((360, 360), interpolation, fill=0.3),
    ):
        assert torch.equal(Recipe(operation)(bank, ids, ids), bank.float() / 255)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_counter_clockwise(bank, interpolation, turns):
    ids = torch.arange(24)
    views = Recipe(RandomRotation((90.0 * turns, 90.0 * turns), interpolation))(bank, ids, ids)
    assert torch.equal(views, torch.rot90(bank.float() / 255, turns, dims=(2, 3)))


def test_alternating_flips_alternate(bank):
    ids, views = torch.arange(24), torch.arange(6).expand(24, 6)
    recipe = Recipe(AlternatingFlip())
    applied = recipe.params(ids, views, seed=3, image_size=32)["alternating_flip.applied"]
    assert torch.equal(applied[:, ::2], applied[:, :1].expand(24, 3))
    assert torch.equal(applied[:, 1::2], ~applied[:, ::2])
    assert 4 <= applied[:, 0].sum() <= 20
