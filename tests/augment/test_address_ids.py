"""Addresses apart from the rows of a bank: a shard renders what the whole set does."""

from __future__ import annotations

import pytest
import torch

from rote.augment import Recipe, recipes
from rote.ops.augment import signed64

from .conftest import make_addresses

RECIPE = recipes["benign-full"]


@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("name", recipes)
def test_a_shard_renders_the_whole_sets_views(name, count, bank, device):
    recipe, bank = recipes[name], bank.to(device)
    ids, views = (v.to(device) for v in make_addresses(count))
    order = torch.randperm(24, generator=torch.Generator().manual_seed(1)).to(device)
    rows = torch.empty_like(order)
    rows[order] = torch.arange(24, device=device)
    expected = recipe(bank, ids, views, 9)
    assert torch.equal(recipe(bank[order], rows[ids], views, 9, address_ids=ids), expected)
    out = torch.empty_like(expected)
    recipe(bank[order], rows[ids], views, 9, address_ids=ids, out=out)
    assert torch.equal(out, expected)


def test_several_views_an_image(bank):
    ids, views = make_addresses(12)
    ids, views = ids[:4], views.view(4, 3)
    addresses = ids + (1 << 39)
    got = RECIPE(bank, ids, views, 1, address_ids=addresses)
    assert got.shape == (4, 3, 3, 32, 32)
    for v in range(3):
        assert torch.equal(got[:, v], RECIPE(bank, ids, views[:, v], 1, address_ids=addresses))
    params = RECIPE.params(addresses, views, 1, image_size=32)
    assert torch.equal(RECIPE.apply(bank, ids, params), got)
    assert not torch.equal(RECIPE(bank, ids, views, 1), got)


def test_addresses_reach_to_2_to_the_40_whatever_the_bank(bank):
    ids, views = make_addresses(3)
    RECIPE(bank, ids, views, address_ids=torch.full((3,), (1 << 40) - 1))
    for bad in (-1, 1 << 40, -(1 << 63)):
        with pytest.raises(
            ValueError, match=rf"address_ids: wanted image ids in \[0, 2\^40\), got {bad} at position 1"
        ):
            RECIPE(bank, ids, views, address_ids=torch.tensor([0, bad, 0]))
    with pytest.raises(ValueError, match="ids: wanted indices"):
        RECIPE(bank, ids + 24, views, address_ids=ids)


def test_addresses_of_the_wrong_kind(bank):
    ids, views = make_addresses(3)
    with pytest.raises(TypeError, match=r"address_ids: wanted a tensor int64 \[B\], got torch.int32"):
        RECIPE(bank, ids, views, address_ids=ids.int())
    with pytest.raises(ValueError, match="address_ids: wanted 3 rows as ids has"):
        RECIPE(bank, ids, views, address_ids=ids[:2])
    with pytest.raises(ValueError, match=r"address_ids: wanted shape \[B\]"):
        RECIPE(bank, ids, views, address_ids=ids.view(3, 1))
    with pytest.raises(ValueError, match="address_ids: wanted torch"):
        torch.ops.rote.augment_render(
            bank, ids, views, None, RECIPE.program, [32, 32], 0, torch.float32, False, ids[:2]
        )


def test_an_empty_batch(bank):
    none = torch.empty(0, dtype=torch.int64)
    assert RECIPE(bank, none, none, address_ids=none).shape == (0, 3, 32, 32)
    assert RECIPE(bank, none, none.view(0, 2), address_ids=none).shape == (0, 2, 3, 32, 32)


def test_the_operators_take_them(bank):
    ids, views = make_addresses(6)
    render = (bank, ids, views, None, RECIPE.program, [20, 28], signed64(7), torch.bfloat16, False, ids + 5)
    torch.library.opcheck(torch.ops.rote.augment_render.default, render)
    out = torch.empty(6, 3, 32, 32)
    torch.library.opcheck(
        torch.ops.rote.augment_render_out.default, (bank, ids, views, None, RECIPE.program, 1, out, ids + 5)
    )
    torch.compiler.reset()
    compiled = torch.compile(lambda i: RECIPE(bank, i, views, address_ids=i + 5), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(ids), RECIPE(bank, ids, views, address_ids=ids + 5))
    torch.compiler.reset()


def test_a_recipe_without_draws_has_no_use_for_them(bank):
    ids, views = make_addresses(6)
    assert torch.equal(Recipe()(bank, ids, views, address_ids=ids + 1), Recipe()(bank, ids, views))
