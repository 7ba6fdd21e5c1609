"""RandomErasing and Cutout: pixels, boxes, replays, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.augment import ColorJitter, Cutout, HorizontalFlip, RandomCrop, RandomErasing, Recipe

from .agreement import assert_agrees_with_float64, assert_agrees_with_torchvision
from .conftest import make_addresses, make_bank
from .levels import assert_levels_agree
from .torchvision_reference import import_torchvision

stats = pytest.importorskip("scipy.stats")

LEVEL = 1e-3
NORMALIZE = Recipe(mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616)).operations

CASES = {
    "erase": Recipe(RandomErasing()),
    "erase-always": Recipe(RandomErasing(1.0, (0.1, 0.9), (0.2, 5.0), value=0.3)),
    "erase-channels": Recipe(RandomErasing(1.0, value=(0.1, 0.5, 0.9))),
    "erase-random": Recipe(RandomErasing(1.0, value="random")),
    "erase-behind-normalize": Recipe(*NORMALIZE, RandomErasing(1.0, value=(-1.5, 0.0, 2.0))),
    "random-behind-normalize": Recipe(*NORMALIZE, RandomErasing(1.0, value="random")),
    "erase-slivers": Recipe(RandomErasing(1.0, (0.0, 0.01), (0.01, 100.0), value="random")),
    "cutout": Recipe(Cutout(8)),
    "cutout-sometimes": Recipe(Cutout((5, 11), value=0.25, p=0.6), HorizontalFlip()),
    "cutout-whole": Recipe(Cutout((32, 28), value=(0.25, 0.5, 1.0))),
    "cutout-clipped": Recipe(Cutout(12, inside=False)),
    "cutout-clipped-odd": Recipe(RandomCrop(2), Cutout((7, 1), inside=False, value=0.7)),
    "cutout-larger": Recipe(Cutout((70, 9), inside=False, p=0.8)),
    "cutout-behind-normalize": Recipe(*NORMALIZE, Cutout(9, value=-3.0)),
}
THREE_CHANNELS = {"erase-channels", "cutout-whole"} | {name for name in CASES if "normalize" in name}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, device):
    assert_agrees_with_float64(CASES[name], device=device)


@pytest.mark.parametrize("name", sorted(set(CASES) - THREE_CHANNELS))
def test_agrees_with_float64_on_one_channel(name):
    assert_agrees_with_float64(CASES[name], channels=1)


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    assert_agrees_with_torchvision(CASES[name])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("channels", "image"), [(3, (32, 32)), (1, (33, 29)), (3, (70, 70))])
def test_levels_agree_to_the_bit(name, channels, image):
    if channels == 1 and name in THREE_CHANNELS:
        pytest.skip("has values for three channels")
    assert_levels_agree(CASES[name], channels=channels, image=image)


# Boxes ---------------------------------------------------------------------------------------------------------------


def draw(operation, image_size, count: int = 40_000) -> dict[str, np.ndarray]:
    ids, views = make_addresses(count, images=1000, seed=3)
    params = Recipe(operation).params(ids, views, 2, image_size=image_size)
    return {name.split(".")[1]: values.numpy() for name, values in params.items()}


def assert_uniform_counts(values: np.ndarray, outcomes) -> None:
    counts = np.array([(values == outcome).sum() for outcome in outcomes])
    assert counts.sum() == len(values)
    assert stats.chisquare(counts).pvalue > LEVEL, counts


@pytest.mark.parametrize(
    ("scale", "ratio", "image"),
    [((0.02, 0.33), (0.3, 3.3), (32, 32)), ((0.3, 1.0), (0.1, 9.0), (40, 24)), ((0.0, 0.02), (0.3, 3.3), (24, 31))],
)
def test_erased_boxes_are_torchvisions(scale, ratio, image):
    ours = draw(RandomErasing(1.0, scale, ratio), image)
    transform = import_torchvision().RandomErasing(1.0, scale, ratio)
    torch.manual_seed(0)
    theirs = [transform.make_params([torch.zeros(3, *image)]) for _ in range(4000)]
    erased = np.array([p["v"] is not None for p in theirs])
    assert (
        stats.fisher_exact([[ours["applied"].sum(), (~ours["applied"]).sum()], [erased.sum(), (~erased).sum()]]).pvalue
        > LEVEL
    )
    for name, key in (("top", "i"), ("left", "j"), ("height", "h"), ("width", "w")):
        box = np.array([p[key] for p in theirs])[erased]
        assert stats.ks_2samp(ours[name][ours["applied"]], box).pvalue > LEVEL, name
    height, width = ours["height"][ours["applied"]], ours["width"][ours["applied"]]
    assert (height < image[0]).all()
    assert (width < image[1]).all()
    area = np.array([p["h"] * p["w"] for p in theirs])[erased]
    assert stats.ks_2samp(height * width, area).pvalue > LEVEL


def test_nothing_is_erased_where_no_box_fits(bank):
    recipe = Recipe(RandomErasing(1.0, (1.0, 1.0), (4.0, 4.0)))
    ids, views = make_addresses(200)
    params = recipe.params(ids, views, image_size=32)
    assert not any(values.any() for values in params.values())
    assert torch.equal(recipe(bank, ids, views), bank[ids] / 255)


def test_probabilities():
    for p in (0.0, 0.3, 1.0):
        for operation in (RandomErasing(p), Cutout(4, p=p), Cutout(4, inside=False, p=p)):
            applied = draw(operation, 32, 20_000)["applied"]
            assert stats.binomtest(int(applied.sum()), len(applied), p).pvalue > LEVEL


def test_cutout_is_uniform():
    inside = draw(Cutout((9, 24)), (32, 28))
    assert_uniform_counts(inside["top"], range(24))
    assert_uniform_counts(inside["left"], range(5))
    clipped = draw(Cutout((9, 24), inside=False), (32, 28))
    assert_uniform_counts(clipped["top"], range(-4, 28))
    assert_uniform_counts(clipped["left"], range(-12, 16))


def test_only_random_values_have_a_key():
    assert not draw(RandomErasing(1.0), 32, 100)["key"].any()
    noise = draw(RandomErasing(1.0, value="random"), 32, 100)
    assert len(np.unique(noise["key"])) == 100


# Replays -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_rows_replay(name, bank, device):
    recipe = CASES[name]
    ids, views = make_addresses(40)
    params = recipe.params(ids, views, seed=4, image_size=32)
    bank = bank.to(device)
    expected = recipe(bank, ids.to(device), views.to(device), seed=4)
    replayed = recipe.apply(bank, ids.to(device), {name: values.to(device) for name, values in params.items()})
    assert torch.equal(replayed, expected)


def test_a_box_of_ones_own(bank):
    fields = {"top": 30, "left": 0, "height": 2, "width": 5, "key": 0}
    params = {f"random_erasing.{name}": torch.tensor([value]) for name, value in fields.items()}
    params["random_erasing.applied"] = torch.tensor([True])
    expected = bank[7:8] / 255
    expected[:, :, 30:, :5] = 0.75
    assert torch.equal(Recipe(RandomErasing(value=0.75)).apply(bank, torch.tensor([7]), params), expected)


@pytest.mark.parametrize(
    ("field", "value"), [("top", -1), ("top", 25), ("left", 32), ("height", 33), ("height", -1), ("width", 1 << 40)]
)
def test_a_box_outside_the_image_is_an_error(bank, field, value):
    fields = {"top": 24, "left": 2, "height": 8, "width": 8, "key": 0}
    params = {f"random_erasing.{name}": torch.tensor([value]) for name, value in fields.items()}
    params["random_erasing.applied"] = torch.tensor([True])
    params[f"random_erasing.{field}"][0] = value
    recipe = Recipe(RandomErasing())
    with pytest.raises(ValueError, match="random_erasing"):
        recipe.apply(bank, torch.tensor([0]), params)
    params["random_erasing.applied"][0] = False  # and is nothing to a view that is not erased
    recipe.apply(bank, torch.tensor([0]), params)


@pytest.mark.parametrize(("inside", "top"), [(True, -1), (True, 23), (False, -6), (False, 27)])
def test_a_cutout_outside_its_range_is_an_error(bank, inside, top):
    recipe = Recipe(Cutout(10, inside))
    params = {"cutout.top": torch.tensor([top]), "cutout.left": torch.tensor([0])}
    params["cutout.applied"] = torch.tensor([True])
    with pytest.raises(ValueError, match=r"cutout.*top"):
        recipe.apply(bank, torch.tensor([0]), params)
    params["cutout.top"] += 1 if top < 0 else -1
    recipe.apply(bank, torch.tensor([0]), params)


# Arguments -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"p": 1.1}, "p must be"),
        ({"scale": (0.3, 0.2)}, "scale must be"),
        ({"scale": (0.5, 1.5)}, "scale must be"),
        ({"ratio": (0.0, 1.0)}, "ratio must be"),
        ({"value": "noise"}, "value must be"),
        ({"value": (0.1, 0.2)}, "value must hold 1 or 3"),
        ({"value": float("nan")}, "value must be"),
    ],
)
def test_erasing_arguments_that_are_wrong(arguments, match):
    with pytest.raises(ValueError, match=match):
        RandomErasing(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"size": 0}, ValueError, "size must be in"),
        ({"size": 4.0}, TypeError, "size must be an int"),
        ({"size": (4, 4, 4)}, TypeError, "size must be an int"),
        ({"size": 4, "inside": 1}, TypeError, "inside must be a bool"),
        ({"size": 4, "p": -0.1}, ValueError, "p must be"),
        ({"size": 4, "value": "0"}, TypeError, "value must be a number"),
    ],
)
def test_cutout_arguments_that_are_wrong(arguments, error, match):
    with pytest.raises(error, match=match):
        Cutout(**arguments)


def test_recipes_that_cannot_be(bank):
    for operation in (RandomErasing(value=-0.5), Cutout(4, value=(0.0, 0.0, 1.5))):
        with pytest.raises(ValueError, match=r"value must be in \[0, 1\]"):
            Recipe(operation)
    with pytest.raises(ValueError, match="ColorJitter"):
        Recipe(RandomErasing(value="random"), ColorJitter(0.5))
    ids, views = make_addresses(2)
    with pytest.raises(ValueError, match="does not lie inside"):
        Recipe(Cutout(33))(bank, ids, views)
    for operation in (RandomErasing(value=(0.0, 0.5, 1.0)), Cutout(4, value=(0.0, 0.5, 1.0))):
        with pytest.raises(ValueError, match="value: wanted one value for images of 1 channel"):
            Recipe(operation)(make_bank(24, 1), ids, views)
