"""Several views of an image in one call, each under its own recipe."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import rote.augment
from rote.address import FRESH_VIEWS, MAX_VIEWS
from rote.augment import HorizontalFlip, RandomResizedCrop, Recipe, Views, recipes

from .conftest import make_addresses

FULL, MILD = recipes["benign-full"], recipes["benign-mild"]
PAIR = Views(FULL, MILD)


def small_addresses(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids, views = make_addresses(count)
    return ids, views // 4


def test_each_view_has_its_own_recipe_and_address(bank, device):
    ids, views = (v.to(device) for v in small_addresses(8))
    bank = bank.to(device)
    x1, x2 = PAIR(bank, ids, views, 5)
    assert torch.equal(x1, FULL(bank, ids, 2 * views, 5))
    assert torch.equal(x2, MILD(bank, ids, 2 * views + 1, 5))
    same = Views(FULL, FULL)(bank, ids, views, 5)
    assert not torch.equal(*same)


def test_stacked_is_the_same_in_one_tensor(bank, device):
    bank = bank.to(device)
    ids, views = (v.to(device) for v in small_addresses(8))
    for channels_last in (False, True):
        for dtype in (None, torch.bfloat16):
            how = {"channels_last": channels_last, "dtype": dtype}
            stacked = PAIR.stacked(bank, ids, views, 5, **how)
            assert stacked.shape == (8, 2, 3, 32, 32)
            for column, x in enumerate(PAIR(bank, ids, views, 5, **how)):
                assert torch.equal(stacked[:, column], x)
                if channels_last:
                    assert stacked[:, column].stride()[1] == 1


def test_batches_of_views_sizes_and_outs(bank):
    ids, views = small_addresses(12)
    ids, views = ids[:4], views.view(4, 3)
    crops = Views(Recipe(RandomResizedCrop(), size=16), *[Recipe(RandomResizedCrop((0.05, 0.3)), size=8)] * 3)
    result = crops(bank, ids, views)
    assert [tuple(x.shape) for x in result] == [(4, 3, 3, 16, 16)] + [(4, 3, 3, 8, 8)] * 3
    assert not torch.equal(result[1], result[2])
    outs = [torch.empty_like(x) for x in result]
    assert all(a is b for a, b in zip(crops(bank, ids, views, out=outs), outs, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(outs, result, strict=True))
    shifted = crops(bank, ids, views, address_ids=ids + 50)
    assert torch.equal(shifted[2], crops.recipes[2](bank, ids, 4 * views + 2, address_ids=ids + 50))


def test_no_two_views_share_an_address():
    views = torch.arange(50)
    for length in (1, 2, 3, 7):
        addresses = torch.stack(Views(*[FULL] * length).addresses(views))
        assert len(addresses.unique()) == addresses.numel()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_last_view_and_those_beyond(bank, length):
    views_of = Views(*[FULL] * length)
    ids = torch.tensor([0, 1])
    last = MAX_VIEWS // length - 1
    assert int(views_of.addresses(torch.tensor([last]))[-1]) < MAX_VIEWS
    views_of(bank, ids, torch.tensor([0, last]))
    for bad in (last + 1, MAX_VIEWS, -1, 1 << 62, (1 << 63) - 1, -(1 << 63)):
        with pytest.raises(ValueError, match=f"views: wanted 0 <= view < {last + 1} .* got {bad}"):
            views_of(bank, ids, torch.tensor([0, bad]))


def test_fresh_views_are_those_kept_for_evaluation():
    for length in (1, 2, 3):
        views_of = Views(*[FULL] * length)
        first = torch.tensor([views_of.fresh_views])
        assert min(int(v) for v in views_of.addresses(first)) >= FRESH_VIEWS
        assert min(int(v) for v in views_of.addresses(first - 1)) < FRESH_VIEWS


def test_bad_arguments(bank):
    ids, views = small_addresses(2)
    with pytest.raises(TypeError, match=r"recipes\[1\]: wanted a Recipe"):
        Views(FULL, HorizontalFlip())
    with pytest.raises(ValueError, match="recipes: wanted at least one"):
        Views()
    with pytest.raises(TypeError, match="views: wanted a tensor int64"):
        PAIR(bank, ids, views.float())
    with pytest.raises(ValueError, match="out: wanted 2 tensors, one for each recipe, got 1"):
        PAIR(bank, ids, views, out=[torch.empty(2, 3, 32, 32)])
    with pytest.raises(ValueError, match="recipes: wanted one size to stack"):
        Views(FULL, FULL.at(8)).stacked(bank, ids, views)
    with pytest.raises(ValueError, match=r"views: wanted shape \[B\]"):
        PAIR.stacked(bank, ids, views.view(2, 1))


def test_an_empty_batch(bank):
    none = torch.empty(0, dtype=torch.int64)
    assert [x.shape[0] for x in PAIR(bank, none, none)] == [0, 0]
    assert PAIR.stacked(bank, none, none).shape == (0, 2, 3, 32, 32)


def test_compiled_and_fake(bank):
    torch.compiler.reset()
    ids, views = small_addresses(4)
    both = torch.compile(
        lambda i, v: (*PAIR(bank, i, v, 1), PAIR.stacked(bank, i, v, 1)), fullgraph=True, backend="aot_eager"
    )
    x1, x2, stacked = both(ids, views)
    assert torch.equal(torch.stack([x1, x2], 1), stacked)
    assert torch.equal(stacked, PAIR.stacked(bank, ids, views, 1))
    torch.compiler.reset()
    with FakeTensorMode() as mode:
        fakes = [mode.from_tensor(t) for t in (bank, ids, views)]
        assert [x.shape for x in PAIR(*fakes)] == [x1.shape, x2.shape]


def test_as_a_value():
    assert Views(FULL, MILD) == PAIR != Views(MILD, FULL)
    assert pickle.loads(pickle.dumps(PAIR)) == PAIR
    assert hash(Views(FULL, MILD)) == hash(PAIR)
    assert eval(repr(PAIR), {**vars(rote.augment)}) == PAIR
