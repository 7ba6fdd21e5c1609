"""Bad input: every error names the argument, what was wanted and what was given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

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

RECIPE = recipes["benign-full"]
IDS = torch.arange(4)
VIEWS = torch.arange(4)


def test_images_must_be_a_uint8_bank(bank):
    with pytest.raises(TypeError, match=r"images: wanted uint8, got torch.float32"):
        RECIPE(bank.float(), IDS, VIEWS)
    with pytest.raises(TypeError, match=r"images: wanted a tensor .* got list"):
        RECIPE([[0]], IDS, VIEWS)
    for shape in ((3, 32, 32), (2, 2, 32, 32), (2, 4, 8, 8), (2, 3, 0, 8)):
        with pytest.raises(ValueError, match="images: wanted shape"):
            RECIPE(torch.zeros(shape, dtype=torch.uint8), IDS, VIEWS)


def test_ids_and_views_must_be_int64_of_one_batch(bank):
    with pytest.raises(TypeError, match=r"ids: wanted a tensor int64 \[B\], got torch.int32"):
        RECIPE(bank, IDS.int(), VIEWS)
    with pytest.raises(TypeError, match=r"views: wanted a tensor int64 \[B\] or \[B, V\], got torch.float32"):
        RECIPE(bank, IDS, VIEWS.float())
    with pytest.raises(TypeError, match=r"ids: wanted a tensor .* got int"):
        RECIPE(bank, 3, VIEWS)
    with pytest.raises(ValueError, match=r"views: wanted 4 rows as ids has, got \[5\]"):
        RECIPE(bank, IDS, torch.arange(5))
    with pytest.raises(ValueError, match=r"views: wanted shape \[B\] or \[B, V\], got \[4, 1, 1\]"):
        RECIPE(bank, IDS, VIEWS.view(4, 1, 1))
    with pytest.raises(ValueError, match=r"ids: wanted shape \[B\], got \[4, 1\]"):
        RECIPE(bank, IDS.view(4, 1), VIEWS)


@pytest.mark.parametrize("bad", [-1, 24, 1 << 40, -(1 << 63)])
def test_ids_outside_the_bank(bank, bad):
    ids = IDS.clone()
    ids[2] = bad
    with pytest.raises(ValueError, match=f"ids: .*got {bad} at position 2"):
        RECIPE(bank, ids, VIEWS)
    with pytest.raises(ValueError, match=f"ids: .*got {bad} at position 2"):
        RECIPE.apply(bank, ids, RECIPE.params(IDS, VIEWS, image_size=32))


@pytest.mark.parametrize("bad", [-1, 1 << 48, (1 << 63) - 1])
def test_views_out_of_range_are_errors_and_the_last_one_is_not(bank, bad):
    views = VIEWS.clone()
    views[3] = bad
    with pytest.raises(ValueError, match=f"views: .*got {bad} at position 3"):
        RECIPE(bank, IDS, views)
    with pytest.raises(ValueError, match=f"views: .*got {bad} at position 3"):
        RECIPE.params(IDS, views, image_size=32)
    views[3] = (1 << 48) - 1
    RECIPE(bank, IDS, views)


def test_image_ids_of_parameters_reach_to_2_to_the_40():
    RECIPE.params(torch.tensor([(1 << 40) - 1]), torch.zeros(1, dtype=torch.int64), image_size=32)
    with pytest.raises(ValueError, match=r"ids: .*2.40"):
        RECIPE.params(torch.tensor([1 << 40]), torch.zeros(1, dtype=torch.int64), image_size=32)


@pytest.mark.parametrize("bad", [-1, 1 << 64])
def test_seed_out_of_range(bank, bad):
    with pytest.raises(ValueError, match=r"seed: wanted 0 <= seed < 2\^64, got"):
        RECIPE(bank, IDS, VIEWS, seed=bad)
    with pytest.raises(ValueError, match="seed"):
        RECIPE.params(IDS, VIEWS, bad, image_size=32)


@pytest.mark.parametrize("bad", [0.0, "1", None, True])
def test_seed_of_another_type(bank, bad):
    with pytest.raises(TypeError, match="seed: wanted an int"):
        RECIPE(bank, IDS, VIEWS, seed=bad)


def test_output_arguments(bank):
    with pytest.raises(TypeError, match=r"dtype: wanted torch.float32, .*, got torch.float64"):
        RECIPE(bank, IDS, VIEWS, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"out: wanted shape \[4, 3, 32, 32\], got \[4, 3, 32, 31\]"):
        RECIPE(bank, IDS, VIEWS, out=torch.empty(4, 3, 32, 31))
    with pytest.raises(TypeError, match=r"out: wanted torch.bfloat16, got torch.float32"):
        RECIPE(bank, IDS, VIEWS, dtype=torch.bfloat16, out=torch.empty(4, 3, 32, 32))
    with pytest.raises(TypeError, match=r"out: wanted .*, got torch.int32"):
        RECIPE(bank, IDS, VIEWS, out=torch.empty(4, 3, 32, 32, dtype=torch.int32))
    with pytest.raises(ValueError, match="out: wanted own memory for every pixel"):
        RECIPE(bank, IDS, VIEWS, out=torch.empty(1, 3, 32, 32).expand(4, 3, 32, 32))
    with pytest.raises(ValueError, match="out: wanted channels-last memory"):
        RECIPE(bank, IDS, VIEWS, channels_last=True, out=torch.empty(4, 3, 32, 32))
    with pytest.raises(ValueError, match="out: wanted batch and views mergeable"):
        RECIPE(bank, IDS, VIEWS.view(4, 1).expand(4, 2), out=torch.empty(2, 4, 3, 32, 32).transpose(0, 1))
    with pytest.raises(ValueError, match=r"out: .*gradient"):
        RECIPE(bank, IDS, VIEWS, out=torch.empty(4, 3, 32, 32, requires_grad=True))


def test_an_empty_batch_is_an_empty_result(bank):
    none = torch.empty(0, dtype=torch.int64)
    assert RECIPE(bank, none, none).shape == (0, 3, 32, 32)
    assert RECIPE(bank, none, none.view(0, 3)).shape == (0, 3, 3, 32, 32)
    assert RECIPE(bank, IDS, VIEWS.new_empty(4, 0)).shape == (4, 0, 3, 32, 32)
    assert RECIPE(bank[:0], none, none, out=torch.empty(0, 3, 32, 32)).shape == (0, 3, 32, 32)
    params = RECIPE.params(none, none, image_size=32)
    assert params["color_jitter.order"].shape == (0, 4)
    assert RECIPE.apply(bank, none, params).shape == (0, 3, 32, 32)


def test_sizes_that_operations_cannot_reach(bank):
    with pytest.raises(ValueError, match=r"size: the recipe ends at 16 x 16 .* leave images of 32 x 32"):
        Recipe(HorizontalFlip(), size=16)(bank, IDS, VIEWS)
    with pytest.raises(ValueError, match="size: "):
        Recipe(HorizontalFlip(), size=16).params(IDS, VIEWS, image_size=32)
    with pytest.raises(ValueError, match=r"RandomCrop: cannot cut 41 x 41 from an image of 32 x 32 padded by 4"):
        Recipe(RandomCrop(4), size=41)(bank, IDS, VIEWS)
    with pytest.raises(ValueError, match="RandomCrop: reflect padding must be at most 31"):
        Recipe(RandomCrop(32, "reflect"))(bank, IDS, VIEWS)
    with pytest.raises(ValueError, match="RandomCrop: symmetric padding must be at most 32"):
        Recipe(RandomCrop(33, "symmetric"))(bank, IDS, VIEWS)
    for bad in (0, -1, (32, 0)):
        with pytest.raises(ValueError, match="size: wanted at least 1 x 1"):
            Recipe(size=bad)
    for bad in (2.0, "32", (1, 2, 3), True, (8, 8.0)):
        with pytest.raises(TypeError, match="size: wanted an int or"):
            Recipe(RandomResizedCrop(), size=bad)
    with pytest.raises(TypeError, match="image_size: wanted"):
        RECIPE.params(IDS, VIEWS, image_size=None)


def test_recipes_that_mean_nothing():
    with pytest.raises(TypeError, match=r"operations\[1\]: wanted an operation"):
        Recipe(HorizontalFlip(), HorizontalFlip)
    with pytest.raises(ValueError, match="mean, std: wanted both or neither"):
        Recipe(mean=0.5)
    with pytest.raises(ValueError, match="operations: wanted at most 16, got 17"):
        Recipe(*[HorizontalFlip()] * 17)
    for operation in (ColorJitter(0.1), Grayscale()):
        with pytest.raises(ValueError, match="must stand before Normalize"):
            Recipe(Normalize(0.5, 0.5), operation)
    with pytest.raises(ValueError, match=r"RandomCrop: fill must be in \[0, 1\], got 2"):
        Recipe(RandomCrop(2, fill=2.0))
    Recipe(Normalize(0.5, 0.5), RandomCrop(2, fill=-1.0))


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: RandomResizedCrop(scale=(0.5, 0.1)), ValueError, "scale must be .lower, upper. with lower <= upper"),
        (lambda: RandomResizedCrop(scale=0.5), TypeError, "scale must be a pair"),
        (lambda: RandomResizedCrop(scale=(0, 1)), ValueError, "scale must be positive"),
        (lambda: RandomResizedCrop(ratio=(0, 1)), ValueError, "ratio must be positive"),
        (lambda: RandomResizedCrop(scale=(0.5, float("nan"))), ValueError, "scale must be"),
        (lambda: RandomCrop(padding=-1), ValueError, "padding must be at least 0"),
        (lambda: RandomCrop(padding=1.5), TypeError, "padding must be an int"),
        (lambda: RandomCrop(4, "wrap"), ValueError, "padding_mode must be one of 'constant'"),
        (lambda: HorizontalFlip(p=1.1), ValueError, r"p must be in \[0, 1\], got 1.1"),
        (lambda: HorizontalFlip(p="0.5"), TypeError, "p must be a number"),
        (lambda: Grayscale(p=-0.1), ValueError, "p must be in"),
        (lambda: RandomAffine(-5), ValueError, "degrees must be in"),
        (lambda: RandomAffine(0, translate=(0.5, 1.5)), ValueError, "translate must be in"),
        (lambda: RandomAffine(0, translate=0.5), TypeError, "translate must be a pair"),
        (lambda: RandomAffine(0, scale=(0, 1)), ValueError, "scale must be positive"),
        (lambda: RandomAffine(0, shear=90), ValueError, "shear must be in"),
        (lambda: RandomAffine(0, interpolation="bicubic"), ValueError, "interpolation must be one of"),
        (lambda: ColorJitter(brightness=-0.1), ValueError, "brightness must be in"),
        (lambda: ColorJitter(hue=0.6), ValueError, "hue must be in"),
        (lambda: ColorJitter(hue=(-0.6, 0)), ValueError, "hue must be in"),
        (lambda: ColorJitter(saturation=(1, 2, 3)), TypeError, "saturation must be a pair"),
        (lambda: Normalize((0.1, 0.2), 1.0), ValueError, "mean must hold 1 or 3 numbers, got 2"),
        (lambda: Normalize(0.5, 0.0), ValueError, "std must be positive"),
    ],
)
def test_operations_that_mean_nothing(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_three_channel_statistics_want_three_channels(bank):
    with pytest.raises(ValueError, match="images: wanted 3 channels for a Normalize of three, got 1"):
        Recipe(mean=(0.1, 0.2, 0.3), std=1.0)(bank[:, :1], IDS, VIEWS)
    grey = Recipe(mean=0.5, std=0.25)(bank[:, :1], IDS, VIEWS)
    assert torch.allclose(grey, (bank[IDS, :1] / 255 - 0.5) / 0.25, atol=1e-6)


# Parameters ----------------------------------------------------------------------------------------------------------


def params() -> dict[str, torch.Tensor]:
    return RECIPE.params(IDS, VIEWS, image_size=32)


def test_columns_must_be_complete_and_known(bank):
    given = params()
    del given["grayscale.applied"]
    with pytest.raises(ValueError, match=r"params: missing grayscale.applied"):
        RECIPE.apply(bank, IDS, given)
    with pytest.raises(ValueError, match=r"params: unknown gray.applied; the recipe has color_jitter"):
        RECIPE.apply(bank, IDS, params() | {"gray.applied": torch.zeros(4, dtype=torch.bool)})


def test_columns_must_have_their_dtype_and_shape(bank):
    for name, values in (
        ("horizontal_flip.applied", torch.ones(4)),
        ("random_resized_crop.top", torch.ones(4)),
        ("color_jitter.hue", torch.zeros(4, dtype=torch.float64)),
        ("color_jitter.order", torch.zeros(4, 4)),
        ("color_jitter.hue", [0.0] * 4),
    ):
        with pytest.raises(TypeError, match="params"):
            RECIPE.apply(bank, IDS, params() | {name: values})
    with pytest.raises(ValueError, match=r"wanted shape \[\.\.\., 4\], got \[4, 3\]"):
        RECIPE.apply(bank, IDS, params() | {"color_jitter.order": torch.zeros(4, 3, dtype=torch.int64)})
    with pytest.raises(ValueError, match=r"wanted shape \[4\] as the first column has, got \[5\]"):
        RECIPE.apply(bank, IDS, params() | {"color_jitter.hue": torch.zeros(5)})
    with pytest.raises(ValueError, match=r"wanted shape \[3\] or \[3, V\] as ids has, got \[4\]"):
        RECIPE.apply(bank, IDS[:3], params())


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("random_resized_crop.top", -1, "a box inside the image"),
        ("random_resized_crop.top", 32, "a box inside the image"),
        ("random_resized_crop.left", 1 << 32, "a box inside the image"),
        ("random_resized_crop.height", 0, "1 <= height <= 32"),
        ("random_resized_crop.width", 33, "1 <= width <= 32"),
        ("random_resized_crop.width", (1 << 32) + 8, "1 <= width <= 32"),
        ("color_jitter.order", 3, "a permutation of 0, 1, 2, 3"),
        ("color_jitter.brightness", -0.5, "a factor in"),
        ("color_jitter.contrast", float("nan"), "a factor in"),
        ("color_jitter.saturation", float("inf"), "a factor in"),
        ("color_jitter.hue", 0.51, "-0.5 <= hue <= 0.5"),
        ("color_jitter.hue", float("nan"), "-0.5 <= hue <= 0.5"),
    ],
)
def test_values_must_mean_something(bank, name, value, wanted):
    given = params()
    given[name][2] = value
    with pytest.raises(ValueError, match=f"params.*{wanted}.* in row 2"):
        RECIPE.apply(bank, IDS, given)


def test_values_of_crops_and_affine_maps(bank):
    recipe = Recipe(RandomCrop(4), RandomAffine(5))
    for name, value in (
        ("random_crop.top", 9),
        ("random_crop.left", -1),
        ("random_affine.scale", 0.0),
        ("random_affine.angle", float("nan")),
        ("random_affine.shear_x", 90.0),
        ("random_affine.translate_y", 1 << 40),
    ):
        given = recipe.params(IDS, VIEWS, image_size=32)
        given[name][1] = value
        with pytest.raises(ValueError, match=r"params.* in row 1"):
            recipe.apply(bank, IDS, given)


def test_numpy_addresses_are_accepted(bank):
    expected = RECIPE(bank, IDS, VIEWS)
    assert torch.equal(RECIPE(bank.numpy(), IDS.numpy(), VIEWS.numpy()), expected)
    with pytest.raises(TypeError, match="ids"):
        RECIPE(bank.numpy(), IDS.numpy().astype(np.int32), VIEWS.numpy())


# CUDA ----------------------------------------------------------------------------------------------------------------


def test_bad_addresses_on_a_device_render_nothing_and_are_errors_on_request(bank, device, monkeypatch):
    if device == "cpu":
        pytest.skip("on the CPU these are always errors")
    ids, views = IDS.to(device).clone(), VIEWS.to(device).clone()
    ids[1], views[2] = 24, 1 << 48
    result = RECIPE(bank.to(device), ids, views)
    assert result[1:3].isnan().all()
    assert not result[[0, 3]].isnan().any()
    monkeypatch.setenv("ROTE_CHECK", "1")
    with pytest.raises(ValueError, match="ids: wanted 0 <= ids < 24"):
        RECIPE(bank.to(device), ids, views)
    with pytest.raises(ValueError, match="ids: wanted device"):
        RECIPE(bank.to(device), IDS, VIEWS)
