"""MixUp and CutMix: pixels, partners, labels, replays, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.augment import (
    ColorJitter,
    CutMix,
    GaussianNoise,
    HorizontalFlip,
    MixUp,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    Recipe,
)

from . import oracle, torchvision_reference
from .conftest import make_addresses, make_bank
from .levels import assert_levels_agree
from .oracle.mixing import render_mixed
from .tolerances import tolerance

CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
SHIFT = (RandomCrop(4, "reflect"), HorizontalFlip())

CASES = {
    "mixup": Recipe(MixUp(), partners=24),
    "mixup-shifted": Recipe(*SHIFT, MixUp(0.4, p=0.8), partners=24),
    "mixup-first": Recipe(MixUp(p=0.8), *SHIFT, partners=7),
    "mixup-small": Recipe(RandomResizedCrop(), HorizontalFlip(), MixUp(), size=(20, 12), partners=24),
    "mixup-normalized": Recipe(*SHIFT, ColorJitter(0.4, 0.4, 0.4, 0.1), MixUp(), partners=24, **CIFAR),
    "mixup-of-noise": Recipe(GaussianNoise(sigma=0.2), MixUp(0.2), GaussianNoise(sigma=0.1), partners=24),
    "cutmix": Recipe(CutMix(), partners=24),
    "cutmix-shifted": Recipe(*SHIFT, CutMix(0.3, p=0.8), HorizontalFlip(), partners=24),
    "cutmix-enlarged": Recipe(RandomResizedCrop(), CutMix(), size=40, partners=24),
    "both": Recipe(*SHIFT, MixUp(p=0.7), RandomErasing(value=0.3), CutMix(p=0.7), partners=24),
    "three": Recipe(CutMix(), RandomCrop(2), MixUp(0.3), MixUp(2.0, p=0.5), HorizontalFlip(), partners=24),
}
ONE_CHANNEL = {"mixup-normalized": Recipe(*SHIFT, MixUp(), mean=0.5, std=0.25, partners=24)}


def rendered(recipe: Recipe, channels: int = 3, device: str = "cpu", apply=None, mix=None) -> tuple[float, float]:
    """The largest difference from a rendering by the same rows, and what is allowed in float64."""
    image = (32, 28)
    bank = make_bank(24, channels, *image)
    ids, views = make_addresses(64)
    got = recipe(bank.to(device), ids.to(device), views.to(device), seed=11).cpu().double()
    size = recipe.output_size(image)
    rows = oracle.rows_of(recipe.params(ids, views, 11, image_size=image))
    worst = 0.0
    for number, row, view in zip(ids.tolist(), rows, got, strict=True):
        if mix is None:
            expected = torch.from_numpy(render_mixed(recipe, bank.numpy(), number, row, size, by_numpy).copy())
        else:
            expected = render_mixed(recipe, bank.float(), number, row, size, apply, mix)
        worst = max(worst, float((expected.float().double() - view).abs().max()))
    return worst, tolerance(recipe, max(*image, *size))


def by_numpy(operation, x, p, size):
    return oracle.APPLY[type(operation)](operation, x, p, size)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_float64(name, channels, device):
    recipe = ONE_CHANNEL.get(name, CASES[name]) if channels == 1 else CASES[name]
    worst, allowed = rendered(recipe, channels, device)
    assert worst <= allowed, worst


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torchvision(name):
    """Its transforms mix a batch with itself rolled by one: here a view and its partner."""
    v2 = torchvision_reference.import_torchvision()

    def by_torchvision(operation, x, p, size):
        return torchvision_reference.APPLY[operation.kind](v2.functional, operation, x, p, size)

    def mixup(operation, x, partner, p):
        params = {"lam": p["weight"], "labels": None, "batch_size": 2}
        return v2.MixUp(num_classes=2).transform(torch.stack([x, partner]), params)[0]

    def cutmix(operation, x, partner, p):
        box = (p["left"], p["top"], p["left"] + p["width"], p["top"] + p["height"])
        params = {"box": box, "labels": None, "batch_size": 2}
        return v2.CutMix(num_classes=2).transform(torch.stack([x, partner]), params)[0]

    worst, allowed = rendered(CASES[name], apply=by_torchvision, mix={MixUp: mixup, CutMix: cutmix})
    assert worst <= 2 * allowed, worst


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("channels", "image"), [(3, (32, 32)), (1, (32, 32)), (3, (9, 13))])
def test_levels_agree_to_the_bit(name, channels, image):
    recipe = ONE_CHANNEL.get(name, CASES[name]) if channels == 1 else CASES[name]
    assert_levels_agree(recipe, channels=channels, image=image)


# Partners ------------------------------------------------------------------------------------------------------------


def test_a_partner_is_the_view_of_its_image(bank):
    """With weight 0 nothing is left but the partner: what the operations before show of it at that view number."""
    ids, views = make_addresses(60)
    before = (RandomResizedCrop(), HorizontalFlip(), ColorJitter(0.4, 0.4, 0.4, 0.1), GaussianNoise(p=0.5))
    recipe = Recipe(*before, MixUp(), partners=24)
    params = recipe.params(ids, views, 6, image_size=32)
    params["mixup.weight"][:] = 0.0
    shown = recipe.apply(bank, ids, params)
    partners = params["mixup.partner"]
    assert torch.equal(shown, Recipe(*before)(bank, partners, views, 6))
    own = Recipe(*before).params(partners, views, 6, image_size=32)
    for name, values in own.items():
        assert torch.equal(params[f"mixup.partner.{name}"], values), name


def test_the_row_of_a_partner_is_obeyed(bank):
    recipe = Recipe(HorizontalFlip(), CutMix(), partners=24)
    params = {f"cutmix.{name}": torch.tensor([0]) for name in ("top", "left")}
    params |= {f"cutmix.{name}": torch.tensor([32]) for name in ("height", "width")}
    params |= {"cutmix.partner": torch.tensor([5]), "horizontal_flip.applied": torch.tensor([False])}
    for flipped in (False, True):
        params["cutmix.partner.horizontal_flip.applied"] = torch.tensor([flipped])
        expected = bank[5:6].flip(-1) if flipped else bank[5:6]
        assert torch.equal(recipe.apply(bank, torch.tensor([9]), params), expected / 255)


def test_nothing_is_mixed_in_a_partner(bank):
    """The partner of a second mix is a plain image, and its row has no first partner."""
    recipe = Recipe(HorizontalFlip(), MixUp(), CutMix(), partners=24)
    ids, views = make_addresses(50)
    params = recipe.params(ids, views, image_size=32)
    hidden = [name for name in params if name.startswith("cutmix.partner.mixup")]
    assert hidden
    assert not any(params[name].any() for name in hidden)
    params["cutmix.top"][:], params["cutmix.left"][:] = 0, 0
    params["cutmix.height"][:], params["cutmix.width"][:] = 32, 32
    expected = Recipe(HorizontalFlip())(bank, params["cutmix.partner"], views)
    assert torch.equal(recipe.apply(bank, ids, params), expected)


@pytest.mark.parametrize("name", ["mixup-shifted", "both"])
def test_views_depend_on_nothing_but_their_address(name, bank, device):
    """Not on the size of the bank, the order of the batch or its size."""
    recipe = CASES[name]
    ids, views = make_addresses(50)
    expected = recipe(bank, ids, views, 3)
    longer = torch.cat([bank, bank.flip(0)]).to(device)
    assert torch.equal(recipe(longer, ids.to(device), views.to(device), 3).cpu(), expected)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(1))
    assert torch.equal(recipe(bank, ids[order], views[order], 3), expected[order])
    assert torch.equal(recipe(bank, ids[20:21], views[20:21], 3), expected[20:21])


@pytest.mark.parametrize("name", CASES)
def test_rows_replay(name, bank, device):
    recipe = CASES[name]
    ids, views = make_addresses(40)
    params = recipe.params(ids, views, seed=4, image_size=32)
    bank, ids, views = bank.to(device), ids.to(device), views.to(device)
    expected = recipe(bank, ids, views, seed=4)
    assert torch.equal(recipe.apply(bank, ids, {k: v.to(device) for k, v in params.items()}), expected)


def test_what_is_not_mixed_stays_as_it_is(bank):
    ids, views = make_addresses(30)
    assert torch.equal(Recipe(MixUp(p=0.0), CutMix(p=0.0), partners=24)(bank, ids, views), bank[ids] / 255)


# Labels --------------------------------------------------------------------------------------------------------------


def test_labels_are_mixed_as_pixels_are(bank):
    """A bank in which pixels are one-hot labels: the mean pixel is the label."""
    classes = torch.arange(24) % 3
    colours = torch.nn.functional.one_hot(classes, 3).to(torch.uint8)[:, :, None, None] * 255
    colours = colours.expand(24, 3, 12, 10).contiguous()
    ids, views = make_addresses(64)
    for recipe in (
        Recipe(MixUp(0.5), partners=24),
        Recipe(CutMix(0.5, p=0.9), partners=24),
        Recipe(HorizontalFlip(), MixUp(p=0.8), partners=24),
    ):
        x, y = recipe(colours, ids, views, 2, labels=classes, num_classes=3)
        assert y.dtype == torch.float32
        assert torch.equal(x, recipe(colours, ids, views, 2))
        assert (x.mean(dim=(2, 3)) - y).abs().max() < 2e-6
        assert (y.sum(dim=1) - 1).abs().max() < 1e-6


def test_inputs_only(bank):
    """The released code of The Curious Case of Benign Memorization keeps the label of the image itself."""
    labels, (ids, views) = torch.arange(24), make_addresses(30)
    mixing, plain = Recipe(MixUp(), partners=24), Recipe(MixUp(mix_labels=False), partners=24)
    x, y = plain(bank, ids, views, labels=labels)
    assert torch.equal(y, ids)
    assert torch.equal(x, mixing(bank, ids, views))
    assert plain != mixing
    assert plain.hash() != mixing.hash()


def test_label_shares_are_torchvisions():
    """CutMix counts the pixels of the clipped box."""
    values = {name: torch.tensor([n]) for name, n in (("top", 0), ("left", 3), ("height", 5), ("width", 7))}
    assert float(CutMix().label_share(values, (8, 10))) == np.float32(1 - 35 / 80)
    assert float(MixUp().label_share({"weight": torch.tensor([0.3])}, (8, 10))) == np.float32(0.3)


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [MixUp, CutMix])
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"alpha": 0.0}, ValueError),
        ({"alpha": -1.0}, ValueError),
        ({"alpha": float("inf")}, ValueError),
        ({"alpha": "1"}, TypeError),
        ({"p": 1.5}, ValueError),
        ({"mix_labels": 1}, TypeError),
    ],
)
def test_arguments_that_are_wrong(operation, arguments, error):
    with pytest.raises(error, match=f"{operation.__name__}: {next(iter(arguments))}"):
        operation(**arguments)


@pytest.mark.parametrize("operation", [MixUp(), CutMix()])
def test_partners_that_are_wrong(operation, bank):
    ids, views = make_addresses(4)
    with pytest.raises(ValueError, match="partners"):
        Recipe(operation)
    for partners in (0, -1, 1 << 31):
        with pytest.raises(ValueError, match="partners"):
            Recipe(operation, partners=partners)
    with pytest.raises(ValueError, match="25"):
        Recipe(operation, partners=25)(bank, ids, views)
    recipe = Recipe(operation, partners=24)
    params = recipe.params(ids, views, image_size=32)
    for partner in (24, -1, 1 << 40):
        params[f"{operation.kind}.partner"][2] = partner
        with pytest.raises(ValueError, match="partner"):
            recipe.apply(bank, ids, params)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mixup.weight", 1.5),
        ("mixup.weight", -0.1),
        ("mixup.weight", float("nan")),
        ("cutmix.top", -1),
        ("cutmix.left", 30),
        ("cutmix.height", 33),
        ("mixup.partner.random_crop.top", 99),
        ("cutmix.partner.random_crop.left", -3),
    ],
)
def test_rows_that_mean_nothing(column, value, bank):
    recipe = Recipe(RandomCrop(2), MixUp(), CutMix(), partners=24)
    ids, views = make_addresses(6)
    params = recipe.params(ids, views, image_size=32)
    for name, small in (("top", 3), ("left", 3), ("height", 8), ("width", 8)):
        params[f"cutmix.{name}"][:] = small
    recipe.apply(bank, ids, params)
    params[column][3] = value
    with pytest.raises(ValueError, match=column.split(".")[-1]):
        recipe.apply(bank, ids, params)
