"""Several batches of one recipe in one call: the pixels of a call each."""

from __future__ import annotations

import pytest
import torch

from rote.augment import ColorJitter, HorizontalFlip, Normalize, RandomResizedCrop, Recipe
from rote.ops.augment import signed64
from rote.ops.augment_batches import augment_render_batches

RECIPE = Recipe(
    RandomResizedCrop(), HorizontalFlip(), ColorJitter(0.4, 0.4, 0.4, 0.1), Normalize([0.5] * 3, [0.2] * 3), size=12
)
SEEDS = [0, 5, 2**64 - 1]
BATCH = 70  # more than one hand-out to a thread


@pytest.fixture(scope="module")
def banks():
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (n, 3, 16, 16), dtype=torch.uint8, generator=generator) for n in (20, 30, 40)]


def addresses(device="cpu"):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 20, (3, BATCH), generator=generator)
    views = torch.randint(0, 1 << 48, (3, BATCH), generator=generator)
    return ids.to(device), views.to(device)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("shared", [True, False])
def test_each_batch_is_a_call_of_its_own(banks, device, dtype, channels_last, shared):
    banks = [bank.to(device) for bank in (banks[:1] if shared else banks)]
    ids, views = addresses(device)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    out = torch.empty((BATCH, 9, 12, 12), dtype=dtype, device=device, memory_format=layout)
    augment_render_batches(banks, ids, views, RECIPE.program, [signed64(seed) for seed in SEEDS], out)
    for r, seed in enumerate(SEEDS):
        expected = RECIPE(banks[0 if shared else r], ids[r], views[r], seed, dtype=dtype)
        assert torch.equal(out[:, 3 * r : 3 * r + 3], expected)


def test_threads_change_no_bit(banks):
    ids, views = addresses()
    seeds = [signed64(seed) for seed in SEEDS]
    outs = []
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            outs.append(torch.empty(BATCH, 9, 12, 12))
            augment_render_batches(banks, ids, views, RECIPE.program, seeds, outs[-1])
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(out, outs[0]) for out in outs)


def test_autograd_notices_that_a_saved_input_was_rendered_over(banks):
    ids, views = addresses()
    out = torch.zeros(BATCH, 9, 12, 12)
    weight = torch.ones((), requires_grad=True)
    loss = (weight * out).sum()
    augment_render_batches(banks, ids, views, RECIPE.program, [1, 2, 3], out)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_the_operator_passes_torchs_checks(banks):
    ids, views = addresses()
    arguments = (banks, ids, views, RECIPE.program, [1, 2, 3], torch.zeros(BATCH, 9, 12, 12))
    torch.library.opcheck(torch.ops.rote.augment_render_batches.default, arguments)


def test_nothing_to_render(banks):
    out = torch.ones(0, 9, 12, 12)
    augment_render_batches(banks, *torch.empty(2, 3, 0, dtype=torch.int64), RECIPE.program, [1, 2, 3], out)


def test_bad_arguments(banks):
    ids, views = addresses()
    out = torch.empty(BATCH, 9, 12, 12)

    def call(images=banks, ids=ids, views=views, seeds=(1, 2, 3), out=out):
        augment_render_batches(list(images), ids, views, RECIPE.program, list(seeds), out)

    with pytest.raises(ValueError, match=r"ids, views: wanted int64 \[R, B\] both"):
        call(ids=ids[0])
    with pytest.raises(ValueError, match=r"ids, views: wanted int64 \[R, B\] both"):
        call(views=views[:, 1:])
    with pytest.raises(ValueError, match="seeds: wanted 3, one for each batch, got 2"):
        call(seeds=(1, 2))
    with pytest.raises(ValueError, match="images: wanted one bank, or 3, one for each batch, got 2"):
        call(images=banks[:2])
    with pytest.raises(ValueError, match=r"images: wanted banks uint8 \[N, 3, 16, 16\], got torch.uint8"):
        call(images=[*banks[:2], banks[2][:, :, 1:]])
    with pytest.raises(ValueError, match=r"out: wanted .* \[70, 9, h, w\]"):
        call(out=out[1:])
    with pytest.raises(ValueError, match=r"ids: wanted indices in \[0, 20\) \(the number of images\), got 20"):
        call(ids=ids.clone().fill_(20))
    with pytest.raises(ValueError, match="views: wanted view ids"):
        call(views=views - 1 << 50)
