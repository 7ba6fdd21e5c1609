"""Calls that go past the dispatcher give its pixels and errors."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from rote.augment import Normalize, Recipe, direct, recipes
from rote.augment.interception import operators_are_plain, tensors_are_plain

from .conftest import OperatorLog, make_addresses, make_bank

RECIPE = recipes["benign-full"]


@pytest.fixture
def direct_calls(monkeypatch) -> list[bool]:
    """One entry for each rendering call: whether it went past the dispatcher."""
    calls = []
    render = direct.DirectCalls.render

    def counted(self, *args):
        result = render(self, *args)
        calls.append(result is not None)
        return result

    monkeypatch.setattr(direct.DirectCalls, "render", counted)
    return calls


def by_operator(recipe, bank, ids, views, seed=0, **how):
    with OperatorLog() as log:
        result = recipe(bank, ids, views, seed, **how)
    assert any("rote.augment_render" in name for name in log.names)
    return result


def test_a_plain_call_is_direct(bank, direct_calls):
    ids, views = make_addresses(2)
    assert operators_are_plain()
    assert tensors_are_plain()
    RECIPE(bank, ids, views)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        RECIPE(bank, ids, views)
    with torch.inference_mode():
        RECIPE(bank, ids, views, out=torch.empty(2, 3, 32, 32))
    assert direct_calls == [True, True, True]


def test_autograd_notices_a_direct_call_too(bank, direct_calls):
    ids, views = make_addresses(2)
    out = torch.empty(2, 3, 32, 32)
    version = out._version
    RECIPE(bank, ids, views, out=out)
    assert direct_calls == [True]
    assert out._version == version + 1


# The same results ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [None, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_operators_pixels_and_strides(direct_calls, dtype, channels_last, channels):
    for height, width, count in ((32, 32, 7), (9, 14, 1), (1, 1, 3)):
        bank = make_bank(24, channels, max(height, 3), max(width, 3))[:, :, :height, :width]
        ids, views = make_addresses(count)
        how = {"dtype": dtype, "channels_last": channels_last}
        for recipe in (RECIPE, RECIPE.at((5, 8)), Recipe(mean=0.5, std=0.2)):
            got, expected = (
                f(bank, ids, views, 5, **how) for f in (recipe, lambda *a, r=recipe, **k: by_operator(r, *a, **k))
            )
            assert torch.equal(got, expected)
            assert (got.stride(), got.dtype) == (expected.stride(), expected.dtype)
    assert direct_calls == [True, False] * 9


def test_every_layout_of_a_bank(direct_calls):
    plain = make_bank()
    ids, views = make_addresses(11)
    expected = RECIPE(plain, ids, views)
    for bank in (
        plain.contiguous(memory_format=torch.channels_last),
        plain.flip(0).flip(0),
        plain.repeat(1, 1, 1, 2)[..., :32],
    ):
        assert torch.equal(RECIPE(bank, ids, views), expected)
    shifted = torch.cat([plain[:1], plain])
    assert torch.equal(RECIPE(shifted[1:], ids, views), expected)
    assert torch.equal(RECIPE(plain[::2], ids // 2, views), RECIPE(plain[::2].clone(), ids // 2, views))
    assert all(direct_calls)


def test_out_in_every_layout(bank, direct_calls):
    ids, views = make_addresses(6)
    expected = RECIPE(bank, ids, views)
    wide = torch.full((6, 5, 40, 40), 7.0)
    column = torch.full((6, 2, 3, 32, 32), 7.0)
    for out in (
        torch.empty(6, 3, 32, 32),
        torch.empty(6, 3, 32, 32).contiguous(memory_format=torch.channels_last),
        wide[:, 1:4, 4:36, 3:35],
        column[:, 1],
    ):
        assert RECIPE(bank, ids, views, out=out) is out
        assert torch.equal(out, expected)
        assert torch.equal(RECIPE(bank, ids, views, out=out, dtype=torch.float32), expected)
    assert (wide[:, 0] == 7).all()
    assert (column[:, 0] == 7).all()
    half = torch.empty(6, 3, 32, 32, dtype=torch.float16)
    assert torch.equal(RECIPE(bank, ids, views, out=half), by_operator(RECIPE, bank, ids, views, dtype=torch.float16))
    assert direct_calls == [*[True] * 10, False]


def test_columns_that_are_no_plain_memory_go_the_long_way(bank, direct_calls):
    ids, views = make_addresses(12)
    expected = RECIPE(bank, ids[::2], views[::2])
    assert torch.equal(RECIPE(bank, ids[::2].contiguous(), views[::2].contiguous()), expected)
    negated = torch._neg_view(-ids[::2].contiguous())  # the values are the ids, the memory holds their negatives
    assert torch.equal(RECIPE(bank, negated, views[::2].contiguous()), expected)
    assert torch.equal(RECIPE(bank, ids[::2].contiguous(), views[::2].reshape(6, 1)).squeeze(1), expected)
    assert direct_calls == [False, True, False, False]


def test_a_tensor_that_changes_shape_is_bound_again(bank):
    ids, views = make_addresses(4)
    changing = bank.clone()
    RECIPE(changing, ids, views)
    changing.transpose_(2, 3)
    assert torch.equal(RECIPE(changing, ids, views), RECIPE(changing.contiguous(), ids, views))
    changing.resize_(24, 3, 16, 16)
    assert RECIPE(changing, ids, views).shape == (4, 3, 16, 16)


def test_many_geometries_stay_few_in_memory():
    recipe = Recipe(Normalize(0.5, 0.25))
    ids, views = make_addresses(2)
    for width in range(1, 2 * direct.MAX_BOUND):
        bank = make_bank(24, 1, 4, width + 2)[..., :width]
        assert torch.equal(recipe(bank, ids, views), (bank[ids] / 255 - 0.5) / 0.25)
    assert len(recipe._direct._bound) <= direct.MAX_BOUND


def test_recipes_are_copied_and_pickled_without_what_was_bound(bank):
    ids, views = make_addresses(3)
    expected = RECIPE(bank, ids, views)
    for other in (copy.copy(RECIPE), copy.deepcopy(RECIPE), pickle.loads(pickle.dumps(RECIPE))):
        assert other == RECIPE
        assert torch.equal(other(bank, ids, views), expected)


# The same errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        {"ids": torch.tensor([24])},
        {"ids": torch.tensor([-1])},
        {"views": torch.tensor([1 << 48])},
        {"views": torch.tensor([-(1 << 63)])},
        {"views": torch.arange(2)},
        {"ids": torch.tensor([1.0])},
        {"seed": 1 << 64},
        {"seed": -1},
        {"seed": None},
        {"dtype": torch.int8},
        {"dtype": ["float32"]},
        {"images": make_bank()[:, :2]},
        {"images": make_bank().float()},
        {"out": torch.empty(2, 3, 32, 32)},
        {"out": torch.empty(1, 3, 32, 32), "channels_last": True},
        {"out": torch.empty(1, 3, 32, 32), "dtype": torch.float16},
        {"out": torch.empty(1, 3, 32, 1).expand(1, 3, 32, 32)},
        {"out": torch.empty(1, 3, 32, 32, requires_grad=True)},
        {"out": torch.empty(1, 3, 32, 32, dtype=torch.float64)},
        {"address_ids": torch.tensor([1 << 40])},
        {"address_ids": torch.tensor([1, 2])},
    ],
)
def test_the_operators_errors(bank, bad):
    call = {"images": bank, "ids": torch.tensor([3]), "views": torch.tensor([5]), "seed": 0} | bad
    with pytest.raises((TypeError, ValueError)) as direct_error:
        RECIPE(**call)
    with OperatorLog(), pytest.raises((TypeError, ValueError)) as operator_error:
        RECIPE(**call)
    assert (type(direct_error.value), str(direct_error.value)) == (
        type(operator_error.value),
        str(operator_error.value),
    )


def test_errors_of_a_geometry_come_every_time(bank):
    ids, views = make_addresses(2)
    for _ in range(2):
        with pytest.raises(ValueError, match="images: wanted 3 channels"):
            Recipe(mean=(0.1, 0.2, 0.3), std=1.0)(bank[:, :1], ids, views)
        with pytest.raises(ValueError, match="size: the recipe ends at"):
            Recipe(size=16)(bank, ids, views)
