"""Bad input to the operations that move pixels, and to their parameters."""

from __future__ import annotations

import pytest
import torch

from rote.augment import (
    CenterCrop,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    Resize,
    VerticalFlip,
)

IDS = torch.arange(4)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: RandomResizedCrop(interpolation="lanczos"), ValueError, "interpolation must be one of 'nearest'"),
        (lambda: RandomResizedCrop(antialias=None), TypeError, "antialias must be True or False, got None"),
        (lambda: RandomResizedCrop(p=1.5), ValueError, r"p must be in \[0, 1\]"),
        (lambda: Resize(0), ValueError, r"Resize: size must be in \[1, 16384\] pixels, got 0"),
        (lambda: Resize((4, 20000)), ValueError, "size must be in"),
        (lambda: Resize((4,)), TypeError, "size must be an int, .h, w. or None"),
        (lambda: Resize(4.0), TypeError, "size must be an int"),
        (lambda: Resize(True), TypeError, "size must be an int"),
        (lambda: Resize(interpolation=2), ValueError, "interpolation must be one of"),
        (lambda: Resize(antialias=1), TypeError, "antialias must be True or False"),
        (lambda: CenterCrop((1, 2, 3)), TypeError, "CenterCrop: size must be an int"),
        (lambda: CenterCrop(-1), ValueError, "CenterCrop: size must be in"),
        (lambda: RandomCrop(p=-1), ValueError, r"p must be in \[0, 1\]"),
        (lambda: VerticalFlip(2), ValueError, r"VerticalFlip: p must be in \[0, 1\]"),
        (lambda: RandomAffine(0, p=2), ValueError, "RandomAffine: p must be in"),
        (lambda: RandomRotation(-1), ValueError, "RandomRotation: degrees must be in"),
        (lambda: RandomRotation((20, 10)), ValueError, "degrees must be .lower, upper."),
        (lambda: RandomRotation(10, "bicubic"), ValueError, "interpolation must be one of"),
        (lambda: RandomRotation(10, p="1"), TypeError, "p must be a number"),
        (lambda: Recipe(RandomRotation(10, fill=2.0)), ValueError, r"RandomRotation: fill must be in \[0, 1\], got 2"),
    ],
)
def test_operations_that_mean_nothing(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_sizes_that_do_not_fit(bank):
    with pytest.raises(ValueError, match=r"Resize: size 9000 makes an image of 1 x 2 18000 pixels long"):
        Recipe(Resize(9000)).params(IDS, IDS, image_size=(1, 2))
    with pytest.raises(ValueError, match=r"size: the recipe ends at 8 x 8 .* leave images of 16 x 16"):
        Recipe(Resize(16), size=8)(bank, IDS, IDS)
    with pytest.raises(ValueError, match=r"RandomCrop: cannot cut 32 x 32 from an image of 16 x 16"):
        Recipe(Resize(16), RandomCrop())(bank, IDS, IDS)


def test_angles_must_be_finite(bank):
    recipe = Recipe(RandomRotation(5))
    given = recipe.params(IDS, IDS, image_size=32)
    given["random_rotation.angle"][1] = float("inf")
    with pytest.raises(ValueError, match=r"params.*angle.*: wanted a finite number of degrees, got inf in row 1"):
        recipe.apply(bank, IDS, given)
    given["random_rotation.angle"] = torch.zeros(4, dtype=torch.int64)
    with pytest.raises(TypeError, match=r"wanted torch\.float32"):
        recipe.apply(bank, IDS, given)


def test_flips_want_bool_columns(bank):
    with pytest.raises(TypeError, match=r"vertical_flip.applied.*wanted torch.bool"):
        Recipe(VerticalFlip()).apply(bank, IDS, {"vertical_flip.applied": torch.ones(4)})
