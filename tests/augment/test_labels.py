"""Labels beside views: those of the images, and mixtures where images are mixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from rote.augment import CutMix, HorizontalFlip, MixUp, Operation, Recipe, labels, parameters, recipes
from rote.augment.operation import Field

from .conftest import make_addresses

RECIPE = recipes["flip-crop"]
LABELS = torch.arange(24) * 7 % 10


@dataclass(frozen=True)
class Blend(Operation):
    """Stands for an operation that mixes in a partner with a share of its own."""

    mix_labels: bool = True

    code: ClassVar[int] = 24
    kind: ClassVar[str] = "blend"
    parameters: ClassVar[tuple[Field, ...]] = (Field("partner", "int"), Field("weight", "float"))

    def label_share(self, values, image):
        return values["weight"]


Operation.registry.pop("blend")


def test_hard_labels(bank, device):
    bank, truth = bank.to(device), LABELS.to(device)
    ids, views = (v.to(device) for v in make_addresses(9))
    x, y = RECIPE(bank, ids, views, 2, labels=truth)
    assert torch.equal(x, RECIPE(bank, ids, views, 2))
    assert torch.equal(y, truth[ids])
    assert y.dtype == torch.int64
    x, y = RECIPE(bank, ids[:3], views.view(3, 3), 2, labels=truth, num_classes=10)
    assert torch.equal(x, RECIPE(bank, ids[:3], views.view(3, 3), 2))
    assert torch.equal(y, truth[ids[:3]].unsqueeze(1).expand(3, 3))


def test_labels_follow_the_row_of_the_bank_and_not_the_address(bank):
    ids, views = make_addresses(5)
    x, y = RECIPE(bank, ids, views, labels=LABELS, address_ids=ids + 100)
    assert torch.equal(y, LABELS[ids])
    assert torch.equal(x, RECIPE(bank, ids, views, address_ids=ids + 100))


def test_an_empty_batch_and_an_out(bank):
    none = torch.empty(0, dtype=torch.int64)
    x, y = RECIPE(bank, none, none, labels=LABELS, num_classes=10)
    assert x.shape == (0, 3, 32, 32)
    assert y.shape == (0,)
    x, y = RECIPE(bank[:0], none, none.view(0, 2), labels=LABELS[:0])
    assert x.shape == (0, 2, 3, 32, 32)
    assert y.shape == (0, 2)
    ids, views = make_addresses(4)
    out = torch.empty(4, 3, 32, 32)
    assert RECIPE(bank, ids, views, labels=LABELS, out=out)[0] is out


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"labels": LABELS.int()}, TypeError, "labels: wanted a tensor int64"),
        ({"labels": LABELS.tolist()}, TypeError, "labels: wanted a tensor int64 .* got list"),
        ({"labels": LABELS[:23]}, ValueError, r"labels: wanted one for each of the 24 images, got \[23\]"),
        ({"labels": LABELS.view(24, 1)}, ValueError, "labels: wanted shape"),
        ({"labels": LABELS, "num_classes": 0}, ValueError, "num_classes: wanted at least 1"),
        ({"labels": LABELS, "num_classes": 10.0}, TypeError, "num_classes: wanted an int"),
        ({"labels": LABELS, "num_classes": 3}, ValueError, r"labels: wanted 0 <= label < 3 .num_classes., got 7 for "),
        ({"labels": LABELS - 1, "num_classes": 10}, ValueError, "labels: wanted 0 <= label < 10 .*got -1 for image 0"),
        ({"num_classes": 10}, ValueError, "labels: wanted labels"),
    ],
)
def test_bad_labels(bank, arguments, error, match):
    ids = torch.arange(24)
    with pytest.raises(error, match=match):
        RECIPE(bank, ids, ids, **arguments)


def test_labels_compile(bank):
    torch.compiler.reset()
    ids, views = make_addresses(6)
    compiled = torch.compile(
        lambda i, v: RECIPE(bank, i, v, labels=LABELS, num_classes=10), fullgraph=True, backend="aot_eager"
    )
    for got, expected in zip(compiled(ids, views), RECIPE(bank, ids, views, labels=LABELS), strict=True):
        assert torch.equal(got, expected)
    torch.compiler.reset()


# Mixtures ------------------------------------------------------------------------------------------------------------


def test_mixtures_of_labels():
    operations = (HorizontalFlip(), Blend(), Blend(mix_labels=False), Blend())
    ids = torch.tensor([0, 3, 5])
    params = {
        "blend.partner": torch.tensor([1, 3, 5]),
        "blend.weight": torch.tensor([0.25, 0.5, 1.0]),
        "blend#2.partner": torch.tensor([9, 9, 9]),
        "blend#2.weight": torch.tensor([0.5, 0.5, 0.5]),
        "blend#3.partner": torch.tensor([2, 4, 6]),
        "blend#3.weight": torch.tensor([0.5, 0.75, 0.0]),
    }
    y = labels.soft_labels(operations, params, LABELS, ids, 10, (32, 32), (32, 32))
    one_hot = torch.eye(10)[LABELS]
    first = torch.stack([0.25 * one_hot[0] + 0.75 * one_hot[1], one_hot[3], one_hot[5]])
    expected = torch.stack([(first[0] + one_hot[2]) / 2, 0.75 * first[1] + 0.25 * one_hot[4], one_hot[6]])
    assert y.dtype == torch.float32
    assert torch.allclose(y, expected, atol=1e-7)
    assert labels.mixes_labels(operations)
    assert not labels.mixes_labels((Blend(mix_labels=False),))


def test_a_bad_label_of_a_partner_is_an_error():
    params = {"blend.partner": torch.tensor([1, 2]), "blend.weight": torch.tensor([0.5, 0.5])}
    bad = torch.tensor([0, 1, -1])
    with pytest.raises(ValueError, match=r"labels: wanted 0 <= label < 2 .*, got -1 for image 2 at position 1"):
        labels.soft_labels((Blend(),), params, bad, torch.tensor([0, 0]), 2, (8, 8), (8, 8))


def test_a_mixed_view_and_its_label_are_the_same_mixture(device):
    value = torch.arange(24) * 7 % 10 * 20  # of the flat image and of its label
    bank = value.to(torch.uint8).view(24, 1, 1, 1).expand(24, 3, 12, 12).to(device)
    truth, ids, views = (v.to(device) for v in (value // 20, *make_addresses(40)))
    recipe = Recipe(HorizontalFlip(), MixUp(0.7), CutMix(), MixUp(0.2, p=0.5), partners=20)
    x, y = recipe(bank, ids, views, 3, labels=truth, num_classes=10)
    assert torch.equal(x, recipe(bank, ids, views, 3))
    assert y.shape == (40, 10)
    assert torch.allclose(y.sum(1), torch.ones(40, device=device), atol=1e-6)
    levels = torch.arange(10, device=device) * 20 / 255
    assert torch.allclose(y @ levels, x.mean(dim=(1, 2, 3)), atol=1e-5)
    assert (y > 0).sum(1).max() > 2
    again, y2 = recipe(bank, ids[:20], views.view(20, 2), 3, labels=truth, num_classes=10)
    assert y2.shape == (20, 2, 10)
    assert torch.equal(y2[3, 1], recipe(bank, ids[3:4], views[7:8], 3, labels=truth, num_classes=10)[1][0])
    assert torch.equal(again[3, 1], recipe(bank, ids[3:4], views[7:8], 3)[0])


def test_inputs_only_keeps_the_label(bank):
    ids, views = make_addresses(8)
    recipe = Recipe(MixUp(mix_labels=False), partners=24)
    x, y = recipe(bank, ids, views, labels=LABELS)
    assert torch.equal(y, LABELS[ids])
    assert torch.equal(x, Recipe(MixUp(), partners=24)(bank, ids, views))


def test_mixtures_follow_the_address(bank):
    ids, views = make_addresses(8)
    recipe = Recipe(MixUp(), partners=24)
    x, y = recipe(bank, ids, views, labels=LABELS, num_classes=10, address_ids=ids + 100)
    params = recipe.params(ids + 100, views, image_size=32)
    weight, partner = params["mixup.weight"].unsqueeze(1), params["mixup.partner"]
    one_hot = torch.eye(10)[LABELS]
    assert torch.allclose(y, weight * one_hot[ids] + (1 - weight) * one_hot[partner], atol=1e-7)
    assert torch.equal(x, recipe.apply(bank, ids, params))


def test_mixtures_compile_and_may_be_empty(bank):
    recipe = Recipe(HorizontalFlip(), CutMix(), partners=24)
    none = torch.empty(0, dtype=torch.int64)
    assert recipe(bank, none, none, labels=LABELS, num_classes=10)[1].shape == (0, 10)
    assert recipe(bank, none, none.view(0, 3), labels=LABELS, num_classes=10)[1].shape == (0, 3, 10)
    torch.compiler.reset()
    ids, views = make_addresses(6)

    def call(i, v):
        return recipe(bank, i, v, labels=LABELS, num_classes=10)

    for got, expected in zip(
        torch.compile(call, fullgraph=True, backend="aot_eager")(ids, views), call(ids, views), strict=True
    ):
        assert torch.equal(got, expected)
    torch.compiler.reset()
    with FakeTensorMode() as mode:
        fakes = [mode.from_tensor(t) for t in (bank, ids, views, LABELS)]
        x, y = recipe(*fakes[:3], labels=fakes[3], num_classes=10)
    assert (x.shape, y.shape) == ((6, 3, 32, 32), (6, 10))


def test_a_bank_must_hold_the_partners(bank):
    ids, views = make_addresses(3)
    for count in (25, 1000):
        with pytest.raises(ValueError, match=f"images: wanted at least {count}, for the recipe draws partners"):
            Recipe(MixUp(), partners=count)(bank, ids, views)
    with pytest.raises(ValueError, match="num_classes: wanted the number of classes"):
        Recipe(MixUp(), partners=24)(bank, ids, views, labels=LABELS)


def test_mixing_wants_classes_and_partners():
    with pytest.raises(ValueError, match="num_classes: wanted the number of classes"):
        labels.check_labels(LABELS, None, 24, LABELS.device, soft=True)
    with pytest.raises(ValueError, match="partners: Blend wants the number of images"):
        Recipe(Blend())
    for bad, error in ((0, ValueError), (1 << 31, ValueError), (2.0, TypeError), (True, TypeError)):
        with pytest.raises(error, match="partners: wanted"):
            Recipe(HorizontalFlip(), partners=bad)


def test_a_partners_row_stands_behind_the_fields_of_its_operation():
    columns = parameters.columns_of((HorizontalFlip(), Blend(), Blend()))
    assert [(c.name, c.word) for c in columns] == [
        ("horizontal_flip.applied", 0),
        ("blend.partner", 1),
        ("blend.weight", 2),
        ("blend.partner.horizontal_flip.applied", 3),
        ("blend#2.partner", 4),
        ("blend#2.weight", 5),
        ("blend#2.partner.horizontal_flip.applied", 6),
        ("blend#2.partner.blend.partner", 7),
        ("blend#2.partner.blend.weight", 8),
        ("blend#2.partner.blend.partner.horizontal_flip.applied", 9),
    ]


def test_partners_are_part_of_a_recipe():
    recipe = Recipe(HorizontalFlip(), partners=100)
    assert Recipe.from_json(recipe.to_json()) == recipe != Recipe(HorizontalFlip())
    assert recipe.hash() != Recipe(HorizontalFlip()).hash()
    assert recipe.at(8).partners == 100
    assert eval(repr(recipe)) == recipe
    assert "partners" not in Recipe(HorizontalFlip()).to_dict()
