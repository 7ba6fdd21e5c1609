"""Recipes as values: equality, description, JSON, hashes, names."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

import rote.augment
from rote.augment import (
    ColorJitter,
    Grayscale,
    HorizontalFlip,
    Normalize,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    Recipe,
    recipes,
)

OTHERS = {
    "affine": Recipe(RandomAffine(10, (0.1, 0.2), (0.5, 2), (-1, 2, -3, 4), "bilinear", 0.5), size=(8, 9)),
    "normalized": Recipe(RandomCrop(2, "edge"), size=16, mean=(0.1, 0.2, 0.3), std=0.5),
}


@pytest.mark.parametrize("recipe", [*recipes.values(), *OTHERS.values()], ids=[*recipes, *OTHERS])
def test_a_recipe_survives_json(recipe):
    copy = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert copy == recipe
    assert hash(copy) == hash(recipe)
    assert copy.hash() == recipe.hash()
    assert eval(repr(recipe), {**vars(rote.augment)}) == recipe
    assert recipe.hash()[:12] in recipe.describe()


def test_equal_meanings_are_equal():
    assert ColorJitter(0.5, hue=0.1) == ColorJitter((0.5, 1.5), (1, 1), (1, 1), (-0.1, 0.1))
    assert RandomAffine(5, shear=3) == RandomAffine((-5, 5), shear=(-3, 3, 0, 0))
    assert Recipe(mean=0.5, std=0.2) == Recipe(Normalize((0.5,), (0.2, 0.2, 0.2)))
    assert Recipe(size=8) == Recipe(size=(8, 8)) != Recipe()
    assert Recipe(HorizontalFlip(), Grayscale()) != Recipe(Grayscale(), HorizontalFlip())


def test_hashes_differ_and_do_not_depend_on_the_process():
    different = {*recipes.values(), *OTHERS.values()}  # two of the named ones are equal
    assert len({recipe.hash() for recipe in different}) == len(different) == len(recipes) + len(OTHERS) - 1
    code = "from rote.augment import recipes; print(recipes['benign-full'].hash())"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == recipes["benign-full"].hash()


def test_descriptions_that_are_wrong():
    with pytest.raises(ValueError, match=r"kind: wanted one of alternating_flip, .*, got 'blur'"):
        Recipe.from_dict({"operations": [{"kind": "blur"}]})
    with pytest.raises(ValueError, match=r"grayscale: .*q"):
        Recipe.from_dict({"operations": [{"kind": "grayscale", "q": 1}]})
    with pytest.raises(ValueError, match="description: unknown sizes"):
        Recipe.from_dict({"operations": [], "sizes": 3})
    with pytest.raises(ValueError, match="description: missing operations"):
        Recipe.from_dict({})


def test_names():
    assert list(recipes)[:5] == ["none", "flip-crop", "digits", "benign-full", "benign-mild"]
    assert {"simclr-cifar", "byol-1", "byol-2", "airbench94", "airbench96", "zhang", "arpit"} <= set(recipes)
    with pytest.raises(KeyError, match=r"wanted one of none, flip-crop, .*, got 'simclr'"):
        recipes["simclr"]


def test_benign_full_is_the_papers():
    assert recipes["benign-full"].operations == (
        RandomResizedCrop((0.08, 1.0), (3 / 4, 4 / 3)),
        HorizontalFlip(0.5),
        ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8),
        Grayscale(0.2),
    )


def test_named_recipes_keep_the_images_own_size_unless_told():
    bank = torch.zeros(2, 3, 20, 26, dtype=torch.uint8)
    ids = torch.zeros(2, dtype=torch.int64)
    for name, recipe in recipes.items():
        height, width = recipe.size or (20, 26)
        if height > 20 and name.startswith(("zhang", "arpit")):
            continue  # cut 28 x 28 out of larger images
        assert recipe(bank, ids, ids).shape == (2, 3, height, width), name
    assert recipes["benign-mild"].at(16)(bank, ids, ids).shape == (2, 3, 16, 16)


def test_digits_keep_their_handedness():
    assert not any(isinstance(operation, HorizontalFlip) for operation in recipes["digits"].operations)


def test_flip_crop_has_162_views():
    ids = torch.zeros(20_000, dtype=torch.int64)
    params = recipes["flip-crop"].params(ids, torch.arange(20_000), image_size=32)
    assert len(torch.unique(torch.stack([values.long() for values in params.values()]), dim=1)[0]) == 162


def test_params_have_their_documented_dtypes():
    ids = torch.arange(3)
    params = recipes["benign-full"].params(ids, ids, image_size=32)
    assert list(params) == [
        *(f"random_resized_crop.{name}" for name in ("top", "left", "height", "width")),
        "horizontal_flip.applied",
        *(f"color_jitter.{name}" for name in ("applied", "order", "brightness", "contrast", "saturation", "hue")),
        "grayscale.applied",
    ]
    assert params["random_resized_crop.top"].dtype == torch.int64
    assert params["horizontal_flip.applied"].dtype == torch.bool
    assert params["color_jitter.hue"].dtype == torch.float32
    assert params["color_jitter.order"].shape == (3, 4)
    views = torch.arange(6).view(3, 2)
    assert recipes["benign-full"].params(ids, views, image_size=32)["color_jitter.order"].shape == (3, 2, 4)
