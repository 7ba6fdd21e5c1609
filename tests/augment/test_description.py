"""Recipes in words, as JSON, and hashes that stay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest

from rote.augment import (
    AlternatingFlip,
    CenterCrop,
    ColorJitter,
    CutMix,
    Cutout,
    GaussianBlur,
    GaussianNoise,
    HorizontalFlip,
    Invert,
    MixUp,
    Operation,
    Posterize,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    Resize,
    Sharpness,
    Solarize,
    VerticalFlip,
    description,
    recipes,
    words,
)

#: Run folders hold these: they stay for ever while the meaning does.
HASHES = {
    "none": "6803053713e572c2447cda4affbf553b5a48e95ab6e9a1f7fc5fe6f60e303b7f",
    "flip-crop": "62f937c9320be1967b8e98e8cacb6010eae1a72ab0c54c23e4caa348cfce8104",
    "digits": "61b0a39b105c23ac13519ecd0157ab8395dc2c093a16cd0e37072200f978d6d9",
    "benign-full": "b275097adc17d3d6c04b16a525c3fa349e38bd3546a5bc98129d4cf522a36d08",
    "benign-mild": "9f1362b32ec1ea160c4ef4e0212c6af9bf17c4ff8f99eea8fefa058cc67a6815",
}
AFFINE = Recipe(RandomAffine(10, (0.1, 0.2), (0.5, 2), (-1, 2, -3, 4), "bilinear", 0.5), size=(8, 9))
NORMALIZED = Recipe(RandomCrop(2, "edge"), size=16, mean=(0.1, 0.2, 0.3), std=0.5)


def test_hashes_of_the_first_version_stay():
    assert {name: recipes[name].hash() for name in HASHES} == HASHES
    assert AFFINE.hash() == "af13cfea4e8130da223afa8c7b74c491d56a3262f3c814dfa0fd1dae3e08252e"
    assert NORMALIZED.hash() == "bc44109a28dc6dc636ba9cf9208897835ca22a618790de70791cbce1fb9b7101"


def test_a_field_that_came_later_leaves_old_hashes(monkeypatch):
    @dataclass(frozen=True)
    class LaterFlip(Operation):
        p: float = 0.5
        axis: str = "x"
        weights: tuple[float, ...] = (1.0, 2.0)

        code: ClassVar[int] = 3
        kind: ClassVar[str] = "later_flip"

    del Operation.registry["later_flip"]
    monkeypatch.setitem(description.FIRST_FIELDS, "later_flip", {"p"})
    first = [{"kind": "later_flip", "p": 0.5}]
    assert [description._hashed(LaterFlip())] == first
    assert [description._hashed(LaterFlip(weights=(1.0, 2.0)))] == first
    assert description._hashed(LaterFlip(axis="y")) == first[0] | {"axis": "y"}
    assert len({Recipe(LaterFlip(axis=a)).hash() for a in "xyz"}) == 3
    monkeypatch.delitem(description.FIRST_FIELDS, "later_flip")
    assert description._hashed(LaterFlip()) == LaterFlip().to_dict()


@pytest.mark.parametrize("recipe", [*recipes.values(), AFFINE, NORMALIZED], ids=repr)
def test_json(recipe):
    text = recipe.to_json()
    assert Recipe.from_json(text) == recipe
    assert Recipe.from_json(text).hash() == recipe.hash()
    assert json.loads(text) == recipe.to_dict()


def test_json_that_is_wrong():
    with pytest.raises(ValueError, match="text: wanted a JSON object, got list"):
        Recipe.from_json("[]")
    with pytest.raises(ValueError, match="Expecting value"):
        Recipe.from_json("recipe")
    with pytest.raises(ValueError, match="description: unknown partner;"):
        Recipe.from_json('{"operations": [], "partner": 3}')
    with pytest.raises(TypeError, match="partners: wanted an int"):
        Recipe.from_json('{"operations": [], "partners": "3"}')


def test_in_words():
    assert recipes["benign-full"].describe(32).splitlines() == [
        "images of 32 x 32, views at 32 x 32, hash b275097adc17",
        "1. RandomResizedCrop: a window of 8% to 100% of the area (82 to 1024 of 1024 pixels), width / height 0.75 to "
        "1.333, resized to 32 x 32, bilinear",
        "2. HorizontalFlip: left and right swapped, with probability 0.5",
        "3. ColorJitter: brightness x 0.2 to 1.8, contrast x 0.2 to 1.8, saturation x 0.2 to 1.8, hue + -0.2 to 0.2 "
        "turns, in random order, with probability 0.8",
        "4. Grayscale: all channels 0.2989 R + 0.587 G + 0.114 B, with probability 0.2",
    ]
    assert "at one of 5 x 5 places" in Recipe(RandomCrop(2)).describe(32)
    assert "padded by 2 pixels (edge)" in NORMALIZED.describe()
    assert "(x - (0.1, 0.2, 0.3)) / (0.5, 0.5, 0.5)" in NORMALIZED.describe()
    assert "moved by up to 3 pixels in x and 6 in y" in Recipe(RandomAffine(10, (0.1, 0.2))).describe((32, 32))
    assert "views at the size its operations leave" in Recipe(RandomResizedCrop()).describe()
    assert Recipe().describe().endswith("the images as they are")
    assert "partners drawn from the first 9 images" in Recipe(partners=9).describe()
    assert "nothing, in random order" in Recipe(ColorJitter()).describe()


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Resize(40), "the whole image resized to 40 x 40, bilinear"),
        (Resize((8, 9), "bicubic", antialias=False), "resized to 8 x 9, bicubic without antialias"),
        (CenterCrop(20), "the central 20 x 20"),
        (RandomRotation(10, p=0.5), "turned by -10 to 10 degrees, nearest, outside 0, with probability 0.5"),
        (VerticalFlip(), "top and bottom swapped, with probability 0.5"),
        (AlternatingFlip(), "left and right swapped at every other view"),
        (GaussianBlur(3, 1.5, p=0.5), "a Gaussian of sigma 1.5 pixels, kernel 3 x 3, with probability 0.5"),
        (Solarize(0.25, p=1.0), "1 - x where x >= 0.25"),
        (Posterize(3), "3 bits a channel"),
        (Invert(0.2), "1 - x, with probability 0.2"),
        (Sharpness((1, 3)), "sharpness x 1 to 3"),
        (RandAugment(1, 12), "1 operation out of 14 at magnitude 12 of 30"),
        (RandomErasing(value="random"), "a box of 2% to 33% of the area, height / width 0.3 to 3.3, replaced by noise"),
        (Cutout(8, value=(0.1, 0.2, 0.3)), "a box of 8 x 8 inside the image replaced by (0.1, 0.2, 0.3)"),
        (GaussianNoise(0.5, 0.25), "x + 0.5 + 0.25 z, z standard normal, clamped to [0, 1]"),
        (MixUp(0.4), "w x + (1 - w) partner, w from Beta(0.4, 0.4), labels alike"),
        (CutMix(mix_labels=False), "labels as they are"),
    ],
    ids=repr,
)
def test_operations_in_words(operation, text):
    line = Recipe(operation, partners=5).describe(32).splitlines()[1]
    assert line.startswith(f"1. {type(operation).__name__}: ")
    assert text in line
    assert Recipe.from_json(Recipe(operation, partners=5).to_json()) == Recipe(operation, partners=5)


def test_every_operation_has_words():
    assert set(Operation.registry) <= set(words._WORDS)


def test_an_operation_without_words_shows_its_fields():
    @dataclass(frozen=True)
    class Unworded(Operation):
        amount: float = 0.25
        mode: str = "soft"
        p: float = 0.5

        code: ClassVar[int] = 3
        kind: ClassVar[str] = "unworded"

    del Operation.registry["unworded"]
    assert words.words(Unworded(), None, None) == "amount 0.25, mode soft, with probability 0.5"


def test_a_description_for_images_the_recipe_cannot_take():
    with pytest.raises(ValueError, match="size: "):
        Recipe(HorizontalFlip(), size=8).describe(32)
    with pytest.raises(TypeError, match="image_size: wanted"):
        Recipe().describe("32")
