"""Named recipes against the numbers of their sources, written out a second time."""

from __future__ import annotations

import math

import pytest
import torch

from rote.augment import Recipe, Views, pairs, recipes, strength

from .conftest import make_addresses

AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)
FULL_JITTER = {"brightness": (0.2, 1.8), "contrast": (0.2, 1.8), "saturation": (0.2, 1.8), "hue": (-0.2, 0.2), "p": 0.8}
HALF_JITTER = {"brightness": (0.6, 1.4), "contrast": (0.6, 1.4), "saturation": (0.6, 1.4), "hue": (-0.1, 0.1), "p": 0.8}
BYOL_JITTER = HALF_JITTER | {"saturation": (0.8, 1.2)}
CROP = ("random_resized_crop", {"scale": AREA, "ratio": RATIO, "interpolation": "bilinear"})
CUBIC = ("random_resized_crop", {"scale": AREA, "ratio": RATIO, "interpolation": "bicubic"})
FLIP = ("horizontal_flip", {"p": 0.5})
TURN = ("random_affine", {"degrees": (0, 180), "translate": (0.2, 0.2), "scale": None, "interpolation": "nearest"})
GREY = ("grayscale", {"p": 0.2})
CIFAR = ("normalize", {"mean": (0.4914, 0.4822, 0.4465), "std": (0.247, 0.2435, 0.2616)})
IMAGENET = ("normalize", {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)})

SOURCES = {
    "none": [],
    "flip-crop": [("random_crop", {"padding": 4, "padding_mode": "reflect"}), FLIP],
    "benign-full": [CROP, FLIP, ("color_jitter", FULL_JITTER), GREY],
    "benign-isometry": [FLIP, TURN],
    "benign-full-rotations": [CROP, FLIP, TURN, ("color_jitter", FULL_JITTER), GREY],
    "benign-most-difficult": [
        CROP,
        FLIP,
        ("vertical_flip", {"p": 0.5}),
        TURN,
        ("color_jitter", FULL_JITTER),
        ("gaussian_blur", {"kernel_size": (3, 3), "sigma": (0.1, 2.0), "p": 0.3}),
        GREY,
        ("random_erasing", {"p": 0.5, "scale": (0.02, 0.33), "ratio": (0.3, 3.3), "value": (0, 0, 0)}),
    ],
    "benign-myrandaugment": [
        ("rand_augment", {"num_ops": 2, "magnitude": 14, "num_magnitude_bins": 31, "interpolation": "nearest"}),
        ("random_crop", {"padding": 4, "padding_mode": "constant", "fill": 0.0}),
        FLIP,
    ],
    "simclr-cifar": [CUBIC, FLIP, ("color_jitter", HALF_JITTER), GREY],
    "simclr-imagenet": [
        CUBIC,
        FLIP,
        ("color_jitter", FULL_JITTER),
        GREY,
        ("gaussian_blur", {"kernel_size": (23, 23), "sigma": (0.1, 2.0), "p": 0.5}),
    ],
    "byol-1": [
        CUBIC,
        FLIP,
        ("color_jitter", BYOL_JITTER),
        GREY,
        ("gaussian_blur", {"kernel_size": (23, 23), "sigma": (0.1, 2.0), "p": 1.0}),
        IMAGENET,
    ],
    "byol-2": [
        CUBIC,
        FLIP,
        ("color_jitter", BYOL_JITTER),
        GREY,
        ("gaussian_blur", {"kernel_size": (23, 23), "sigma": (0.1, 2.0), "p": 0.1}),
        ("solarize", {"threshold": 0.5, "p": 0.2}),
        IMAGENET,
    ],
    "byol-cifar-1": [CUBIC, FLIP, ("color_jitter", BYOL_JITTER), GREY, CIFAR],
    "byol-cifar-2": [
        CUBIC,
        FLIP,
        ("color_jitter", BYOL_JITTER),
        GREY,
        ("solarize", {"threshold": 0.5, "p": 0.2}),
        CIFAR,
    ],
    "airbench94": [("alternating_flip", {}), ("random_crop", {"padding": 2, "padding_mode": "reflect"}), CIFAR],
    "airbench96": [
        ("alternating_flip", {}),
        ("random_crop", {"padding": 4, "padding_mode": "reflect"}),
        CIFAR,
        ("cutout", {"size": (12, 12), "inside": True, "value": (0, 0, 0), "p": 1.0}),
    ],
    "zhang": [("center_crop", {"size": (28, 28)})],
    "zhang-random-crop": [("random_crop", {"padding": 0})],
    "zhang-demo": [
        ("normalize", {"mean": (125.3 / 255, 123 / 255, 113.9 / 255), "std": (63 / 255, 62.1 / 255, 66.7 / 255)})
    ],
    "arpit": [("center_crop", {"size": (28, 28)})],
}
OWN = {"digits", "benign-mild"}  # without a source elsewhere
SIZES = {"zhang": (28, 28), "zhang-random-crop": (28, 28), "arpit": (28, 28)} | dict.fromkeys(
    ("simclr-imagenet", "byol-1", "byol-2"), (224, 224)
)


def test_every_recipe_has_a_source_here():
    assert set(SOURCES) | OWN == set(recipes)


@pytest.mark.parametrize("name", SOURCES)
def test_parameters(name):
    recipe = recipes[name]
    assert recipe.size == SIZES.get(name)
    assert [operation.kind for operation in recipe.operations] == [kind for kind, _ in SOURCES[name]]
    for operation, (_, wanted) in zip(recipe.operations, SOURCES[name], strict=True):
        for field, value in wanted.items():
            assert getattr(operation, field) == pytest.approx(value), (operation, field)


@pytest.mark.parametrize("name", recipes)
def test_every_recipe_renders(bank, name):
    ids, views = make_addresses(6)
    recipe = recipes[name].at(32) if recipes[name].size == (224, 224) else recipes[name]
    x = recipe(bank, ids, views)
    assert x.isfinite().all()
    if not any(operation.kind == "normalize" for operation in recipe.operations):
        overshoot = 0.2 if any(getattr(o, "interpolation", "") == "bicubic" for o in recipe.operations) else 0.0
        assert -overshoot <= x.min() <= x.max() <= 1 + overshoot
    assert torch.equal(x, Recipe.from_dict(recipe.to_dict())(bank, ids, views))


def test_alternating_flip_shows_both_sides_in_two_epochs(bank):
    ids = torch.arange(24)
    params = [recipes["airbench94"].params(ids, torch.full((24,), e), image_size=32) for e in range(4)]
    first, second, third, fourth = (p["alternating_flip.applied"] for p in params)
    assert torch.equal(first, ~second)
    assert torch.equal(first, third)
    assert torch.equal(second, fourth)
    assert 0 < first.sum() < 24


@pytest.mark.parametrize("s", [0.0, 0.1, 0.29, 0.3, 0.33, 0.5, 0.6, 0.75, 0.9, 0.999, 1.0])
def test_strength_is_the_papers_dial(s):
    """Its released code: int(10 s // 3 + 1) operations, magnitude min(int(100 s), 99) of 100 bins."""
    (operation,) = strength(s).operations
    assert operation.num_ops == int(s * 10 // 3 + 1)
    assert operation.magnitude == min(int(s * 100), 99)
    assert operation.num_magnitude_bins == 100
    assert recipes[f"strength-{s}"] == strength(s)


@pytest.mark.parametrize("name", ["strength-1.01", "strength--0.1", "strength-", "strength-much", "strength-nan"])
def test_strength_out_of_range(name):
    with pytest.raises(KeyError, match="number in"):
        recipes[name]


@pytest.mark.parametrize("s", [-0.1, 1.5, math.nan])
def test_strength_refuses(s):
    with pytest.raises(ValueError, match="s must be"):
        strength(s)


def test_unknown_name_lists_the_names():
    with pytest.raises(KeyError, match=r"wanted one of none, flip-crop.*strength-"):
        recipes["benign"]
    assert "benign" not in recipes
    assert "strength-0.5" in recipes
    assert "strength-0.5" not in list(recipes)


def test_pairs():
    assert set(pairs) == {"byol", "byol-cifar"}
    for name, pair in pairs.items():
        assert isinstance(pair, Views)
        assert pair.recipes == (recipes[f"{name}-1"], recipes[f"{name}-2"])


def test_the_two_views_of_byol_differ_in_their_chains(bank):
    ids, views = torch.arange(12), torch.zeros(12, dtype=torch.int64)
    x1, x2 = pairs["byol-cifar"](bank, ids, views)
    assert x1.shape == x2.shape == (12, 3, 32, 32)
    assert not torch.equal(x1, x2)
