"""A view depends on (seed, image, view) alone: not on batch, layout, threads, or what else is switched on."""

from __future__ import annotations

import hashlib

import pytest
import torch

from rote import address
from rote.augment import (
    ColorJitter,
    Grayscale,
    HorizontalFlip,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    Recipe,
    recipes,
)

from .conftest import make_addresses, make_bank
from .forced import EXECUTORS, render_by

EVERYTHING = Recipe(
    RandomCrop(4, "reflect"),
    RandomAffine(20, (0.1, 0.1), (0.9, 1.1), 5, "bilinear"),
    RandomResizedCrop((0.2, 1.0)),
    HorizontalFlip(),
    ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8),
    Grayscale(p=0.2),
    size=(24, 28),
    mean=(0.5, 0.4, 0.3),
    std=(0.2, 0.3, 0.25),
)
RECIPES = {**recipes, "everything": EVERYTHING}


@pytest.fixture(params=RECIPES)
def recipe(request) -> Recipe:
    return RECIPES[request.param]


def test_batch_order_and_size_do_not_matter(recipe, bank, device):
    bank = bank.to(device)
    ids, views = (v.to(device) for v in make_addresses(67))
    whole = recipe(bank, ids, views, seed=3)
    order = torch.randperm(67, generator=torch.Generator().manual_seed(0)).to(device)
    assert torch.equal(recipe(bank, ids[order], views[order], seed=3), whole[order])
    pieces = [recipe(bank, i, v, seed=3) for i, v in zip(ids.split(9), views.split(9), strict=True)]
    assert torch.equal(torch.cat(pieces), whole)
    assert torch.equal(recipe(bank, ids[5:6], views[5:6], seed=3), whole[5:6])


def test_threads_do_not_matter(recipe, bank):
    ids, views = make_addresses(300)
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append(recipe(bank, ids, views))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(result, results[0]) for result in results)


def test_dtypes_are_roundings_of_float32(recipe, bank, device):
    bank = bank.to(device)
    ids, views = (v.to(device) for v in make_addresses(50))
    exact = recipe(bank, ids, views)
    assert exact.dtype == torch.float32
    for dtype in (torch.float16, torch.bfloat16):
        assert torch.equal(recipe(bank, ids, views, dtype=dtype), exact.to(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_layout_changes_strides_only(recipe, bank, dtype, device):
    bank = bank.to(device)
    ids, views = (v.to(device) for v in make_addresses(50))
    planar = recipe(bank, ids, views, dtype=dtype)
    last = recipe(bank, ids, views, dtype=dtype, channels_last=True)
    assert planar.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(planar, last)


def test_many_views_of_each_image(recipe, bank, device):
    bank = bank.to(device)
    ids, views = (v.to(device) for v in make_addresses(30))
    ids, views = ids[:10], views.view(10, 3)
    result = recipe(bank, ids, views, seed=5)
    assert result.shape == (10, 3, 3, *recipe.output_size((32, 32)))
    for column in range(3):
        assert torch.equal(result[:, column], recipe(bank, ids, views[:, column], seed=5))
    last = recipe(bank, ids, views, seed=5, channels_last=True)
    assert torch.equal(last, result)
    assert last[0, 0].stride()[0] == 1


def test_out_is_filled_whatever_its_strides(recipe, bank, device):
    bank = bank.to(device)
    ids, views = (v.to(device) for v in make_addresses(12))
    expected = recipe(bank, ids, views, dtype=torch.bfloat16)
    h, w = expected.shape[2:]
    padded = torch.zeros(12, 5, h + 2, 2 * w + 3, dtype=torch.bfloat16, device=device)
    outs = [
        torch.empty_like(expected),
        expected.new_empty(12, h, w, 3).permute(0, 3, 1, 2),
        padded[:, 1:4, 1 : h + 1, 1 : 2 * w : 2],
        expected.new_empty(3, w, h, 12).permute(3, 0, 2, 1),
    ]
    for out in outs:
        assert recipe(bank, ids, views, out=out) is out
        assert torch.equal(out, expected)
    assert padded[:, 0].abs().sum() == 0
    assert padded[:, :, 0].abs().sum() == 0
    assert padded[:, :, :, ::2].abs().sum() == 0
    many = expected.new_empty(4, 3, *expected.shape[1:])
    assert torch.equal(
        recipe(bank, ids[:4], views.view(4, 3), out=many), recipe(bank, ids[:4], views.view(4, 3)).to(many)
    )


def test_banks_of_any_strides(recipe, bank):
    ids, views = make_addresses(40)
    expected = recipe(bank, ids, views)
    wide = torch.zeros(48, 3, 34, 70, dtype=torch.uint8)
    wide[::2, :, 1:33, 2:66:2] = bank
    banks = [
        bank.to(memory_format=torch.channels_last),
        wide[::2, :, 1:33, 2:66:2],
        bank.permute(2, 0, 3, 1).contiguous().permute(1, 3, 0, 2),
        bank.numpy(),
        bank.flip(3).contiguous().numpy()[:, :, :, ::-1],
    ]
    for other in banks:
        assert torch.equal(recipe(other, ids, views), expected)


def test_read_only_numpy_bank_renders_without_a_warning(bank, recwarn):
    array = bank.numpy().copy()
    array.flags.writeable = False
    recipes["flip-crop"](array, torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))
    assert not recwarn.list


def test_params_replay_to_the_bit(recipe, bank, device):
    bank = bank.to(device)
    ids, views = (v.to(device) for v in make_addresses(60))
    drawn = recipe.params(ids, views, seed=9, image_size=(32, 32))
    assert torch.equal(recipe.apply(bank, ids, drawn), recipe(bank, ids, views, seed=9))
    if drawn:
        pairs = recipe.params(ids[:20], views.view(20, 3), seed=9, image_size=32)
        assert torch.equal(recipe.apply(bank, ids[:20], pairs), recipe(bank, ids[:20], views.view(20, 3), seed=9))


def test_views_seeds_and_images_are_never_wrapped(bank):
    recipe = EVERYTHING
    one = torch.zeros(1, dtype=torch.int64)

    def view(image=0, view=0, seed=0):
        params = recipe.params(one + image, one + view, seed, image_size=32)
        return tuple(float(v.double().sum()) for v in params.values())

    distinct = [
        view(),
        view(view=1),
        view(view=1 << 32),
        view(view=1 << 47),
        view(image=1),
        view(image=1 << 32),
        view(image=(1 << 40) - 1),
        view(seed=1),
        view(seed=1 << 32),
        view(seed=1 << 63),
        view(seed=(1 << 64) - 1),
    ]
    assert len(set(distinct)) == len(distinct)


def test_switching_an_operation_off_moves_no_other_numbers():
    ids, views = make_addresses(100)
    everything = EVERYTHING.params(ids, views, seed=4, image_size=32)
    for operation in EVERYTHING.operations[:-1]:
        # The last crop decides the size, and boxes depend on sizes: keep the crops' inputs as they were.
        if operation.kind == "random_resized_crop":
            continue
        rest = [o for o in EVERYTHING.operations if o is not operation]
        size_before = 32 if operation.kind == "random_crop" else None
        kept = Recipe(*rest, size=EVERYTHING.size).params(ids, views, seed=4, image_size=32)
        for name, values in kept.items():
            if size_before and name.split(".")[0] in ("random_resized_crop", "random_affine"):
                continue
            assert torch.equal(values, everything[name]), name
        never = [o if o is not operation else _switched_off(o) for o in EVERYTHING.operations]
        kept = Recipe(*never, size=EVERYTHING.size).params(ids, views, seed=4, image_size=32)
        for name, values in kept.items():
            if not name.startswith(operation.kind):
                assert torch.equal(values, everything[name]), name


def _switched_off(operation):
    return {
        "random_crop": RandomCrop(4, "edge"),
        "random_affine": RandomAffine(0),
        "horizontal_flip": HorizontalFlip(p=0),
        "color_jitter": ColorJitter(p=0),
        "grayscale": Grayscale(p=0),
    }[operation.kind]


def test_a_second_operation_of_a_kind_draws_its_own_numbers(bank):
    ids, views = make_addresses(200)
    twice = Recipe(HorizontalFlip(), ColorJitter(0.5), HorizontalFlip(), ColorJitter(0.5))
    params = twice.params(ids, views, image_size=32)
    assert "horizontal_flip#2.applied" in params
    assert not torch.equal(params["horizontal_flip.applied"], params["horizontal_flip#2.applied"])
    assert not torch.equal(params["color_jitter.brightness"], params["color_jitter#2.brightness"])
    once = Recipe(HorizontalFlip(), ColorJitter(0.5)).params(ids, views, image_size=32)
    assert all(torch.equal(values, params[name]) for name, values in once.items())
    both = params["horizontal_flip.applied"] ^ params["horizontal_flip#2.applied"]
    flips = Recipe(HorizontalFlip(), HorizontalFlip())
    expected = torch.where(both.view(-1, 1, 1, 1), bank[ids].flip(3), bank[ids]).float() / 255
    assert torch.equal(flips(bank, ids, views), expected)


def test_parameters_are_the_words_of_their_addresses():
    """Streams are code·16 + occurrence and slots are fixed: docs/addressing.md."""
    ids, views = make_addresses(500)
    seed = (1 << 64) - 3
    recipe = Recipe(HorizontalFlip(0.3), HorizontalFlip(0.6), ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8), RandomCrop(4))
    params = recipe.params(ids, views, seed, image_size=32)

    def uniform(stream, slot=0):
        return address.uniform(seed, ids, views, stream, slot)

    assert torch.equal(params["horizontal_flip.applied"], uniform(48) < 0.3)
    assert torch.equal(params["horizontal_flip#2.applied"], uniform(49) < 0.6)
    assert torch.equal(params["color_jitter.applied"], uniform(80) < 0.8)
    low, high = recipe.operations[2].brightness
    assert torch.equal(params["color_jitter.brightness"], (low + (high - low) * uniform(80, 2)).float())
    assert torch.equal(params["random_crop.top"], address.integers(seed, ids, views, 32, 9, 0))
    assert torch.equal(params["random_crop.left"], address.integers(seed, ids, views, 32, 9, 1))


def test_every_instruction_set_renders_the_same_bits(recipe):
    """Scalar oracle against each level of this CPU, in every dtype and layout, at sizes that leave vector tails."""
    for channels, height, width in ((3, 32, 32), (1, 17, 23), (3, 19, 40)):
        if recipe == recipes["zhang-random-crop"] and height < 28:
            continue  # cuts 28 x 28 out of larger images
        if channels == 1 and recipe is EVERYTHING:
            continue
        bank = make_bank(24, channels, height, width)
        ids, views = make_addresses(200)
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            for last in (False, True):
                digests = {}
                for executor in EXECUTORS:
                    pixels = render_by(
                        executor, recipe, bank, ids, views, 21, dtype=dtype, channels_last=last, threads=2
                    )
                    digests[executor] = hashlib.sha256(pixels.contiguous().view(torch.uint8).numpy()).hexdigest()
                assert len(set(digests.values())) == 1, (channels, height, width, dtype, last, digests)


def test_flush_denormal_changes_nothing(bank):
    """Denormals occur (brightness of 1e-39), and the caller's setting survives the call."""
    recipe = Recipe(ColorJitter(0.5))
    ids = torch.arange(24)
    params = recipe.params(ids, ids, image_size=32)
    params["color_jitter.brightness"][:] = 1e-38
    expected = recipe.apply(bank, ids, params)
    tiny = torch.finfo(torch.float32).tiny
    assert ((expected > 0) & (expected < tiny)).any()
    if not torch.set_flush_denormal(True):
        pytest.skip("this CPU cannot flush denormals")
    try:
        flushed = recipe.apply(bank, ids, params)
        assert float(torch.tensor([1e-38]) / 100) == 0.0
    finally:
        torch.set_flush_denormal(False)
    assert torch.equal(flushed, expected)
