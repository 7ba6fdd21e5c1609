"""Training steps by number: the order of epochs, views and pools, as addressing.md says."""

from __future__ import annotations

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch._subclasses.fake_tensor import FakeTensorMode

from rote import address
from rote.address import Stream
from rote.augment import LabelledStep, Recipe, Step, recipes
from rote.ops.augment import signed64
from rote.ops.step import augment_step_addresses

from .conftest import make_bank

RECIPE = recipes["flip-crop"]


def addresses(step, num_images, batch_size, order=0, steps=1, pool=0, subset=None, device="cpu"):
    step = torch.tensor([step], device=device)
    subset = None if subset is None else subset.to(device)
    result = augment_step_addresses(step, subset, num_images, batch_size, steps, signed64(order), pool)
    return tuple(t.cpu() for t in result)


def oracle(step, num_images, batch_size, order=0, pool=0, subset=None):
    """One step by the Python address functions."""
    epoch, position = divmod(step, num_images // batch_size)
    ids = address.permutation(order, num_images, epoch)[position * batch_size : (position + 1) * batch_size]
    ids = ids if subset is None else subset[ids]
    views = torch.full_like(ids, epoch)
    return ids, address.integers(order, ids, views, Stream.POOL_VIEWS, pool) if pool else views


@pytest.mark.parametrize("num_images", [1, 2, 3, 4, 5, 16, 17, 100, 1023, 50_000])
@pytest.mark.parametrize("order", [0, (1 << 64) - 1])
def test_the_keyed_permutation(num_images, order, device):
    batch_size = min(num_images, 64)
    for step in (0, 1, 7, 12345, (1 << 40) + 3):
        got = addresses(step, num_images, batch_size, order, device=device)
        for values, expected in zip(got, oracle(step, num_images, batch_size, order), strict=True):
            assert torch.equal(values, expected)


def test_an_epoch_shows_whole_batches_and_every_image_at_most_once(device):
    ids, views = addresses(14, 100, 7, steps=14, device=device)  # one epoch of 14 steps: 98 of 100 images
    assert len(ids.unique()) == 98
    assert (views == 1).all()


@pytest.mark.parametrize("pool", [1, 2, 1000, 1 << 31])
def test_pools_of_views(pool, device):
    for step in (0, 31, 1000):
        got = addresses(step, 40, 13, 5, pool=pool, device=device)
        for values, expected in zip(got, oracle(step, 40, 13, 5, pool), strict=True):
            assert torch.equal(values, expected)


def test_subsets(device):
    subset = torch.tensor([3, 1, 22, 8, 9])
    for pool in (0, 50):
        got = addresses(9, 5, 2, 1, pool=pool, subset=subset, device=device)
        for values, expected in zip(got, oracle(9, 5, 2, 1, pool, subset), strict=True):
            assert torch.equal(values, expected)


def test_many_steps_are_one_after_another(device):
    whole = addresses(3, 30, 4, steps=25, device=device)
    parts = [addresses(3 + k, 30, 4, device=device) for k in range(25)]
    for values, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert torch.equal(values, torch.cat(pieces))


def test_threads_do_not_matter():
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(addresses(5, 50_000, 5000, steps=4))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_a_step_is_rendered_from_its_addresses(bank, device):
    bank, labels = bank.to(device), torch.arange(24, device=device) % 5
    step = torch.tensor([4], device=device)
    got = RECIPE.step(bank, step, 10, order=3, seed=8, pool=6)
    assert isinstance(got, Step)
    assert torch.equal(got.x, RECIPE(bank, got.ids, got.views, 8))
    assert torch.equal(step, torch.tensor([4], device=device))
    labelled = RECIPE.step(bank, 4, 10, order=3, seed=8, pool=6, labels=labels, num_classes=5)
    assert isinstance(labelled, LabelledStep)
    x, ids, views, y = labelled
    assert torch.equal(x, got.x)
    assert torch.equal(ids, got.ids)
    assert torch.equal(views, got.views)
    assert torch.equal(y, labels[ids])
    out = torch.empty(20, 3, 32, 32, dtype=torch.bfloat16, device=device)
    assert RECIPE.step(bank, step, 10, order=3, seed=8, steps=2, out=out).x is out
    assert torch.equal(out[:10], RECIPE.step(bank, step, 10, order=3, seed=8, dtype=torch.bfloat16).x)


def test_a_set_smaller_than_a_batch_is_one_batch(bank):
    x, ids, views = RECIPE.step(bank, 7, 1000)
    assert x.shape == (24, 3, 32, 32)
    assert torch.equal(ids.sort().values, torch.arange(24))
    assert (views == 7).all()
    assert RECIPE.step(bank, 7, 1000, subset=torch.tensor([5, 2])).x.shape == (2, 3, 32, 32)


def test_the_trainers_stream_shows_the_same(bank):
    from rote.train.config import Seeds
    from rote.train.labels import LabelSource
    from rote.train.stream import TrainingStream

    subset = torch.tensor([4, 2, 9, 11, 23, 0, 7])
    labels = LabelSource.fixed(torch.arange(24) % 3, num_classes=3)
    for views in (None, 9):
        seeds = Seeds(order=5, view=6)
        stream = TrainingStream(bank, subset, labels, RECIPE, 3, seeds, views)
        for step in (0, 1, 2, 5):
            x, ids, shown = RECIPE.step(bank, step, 3, order=5, seed=6, pool=views, subset=subset)
            expected_ids, expected_views, _ = stream.addresses(step)
            assert torch.equal(ids, expected_ids)
            assert torch.equal(shown, expected_views)
            assert torch.equal(x, stream.batch(step)[0])


def test_the_first_and_the_last_step(bank):
    last = (1 << 47) * 12 - 1  # 12 steps an epoch, epochs below 2^47
    views = RECIPE.step(bank, last, 2).views
    assert (views == (1 << 47) - 1).all()
    for bad in (last + 1, (1 << 63) - 1):
        with pytest.raises(ValueError, match=rf"step: wanted .* below 2\^47, got {bad}"):
            RECIPE.step(bank, bad, 2)
    with pytest.raises(ValueError, match=r"step: wanted .* below"):
        RECIPE.step(bank, last, 2, steps=2)
    with pytest.raises(ValueError, match="step: wanted 0 <= step"):
        RECIPE.step(bank, -1, 2)
    with pytest.raises(ValueError, match="step: wanted at least 0"):
        RECIPE.step(bank, torch.tensor([-1]), 2)


def test_bad_steps_on_a_device_render_nothing(bank, device):
    if device == "cpu":
        pytest.skip("on the CPU these are always errors")
    for bad in (-1, (1 << 63) - 1):
        x, ids, views = RECIPE.step(bank.to(device), torch.tensor([bad], device=device), 4, steps=2)
        assert x.isnan().all()
        assert (ids == -1).all()
        assert (views == -1).all()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"step": torch.tensor([1.0])}, TypeError, "step: wanted an int or a tensor int64"),
        ({"step": "1"}, TypeError, "step: wanted an int or a tensor int64"),
        ({"step": torch.tensor([1, 2])}, ValueError, r"step: wanted shape \[1\], got \[2\]"),
        ({"step": torch.tensor([[1]])}, ValueError, r"step: wanted shape \[1\], got \[1, 1\]"),
        ({"batch_size": 0}, ValueError, "batch_size: wanted at least 1, got 0"),
        ({"batch_size": 2.0}, TypeError, "batch_size: wanted an int"),
        ({"steps": 0}, ValueError, "steps: wanted at least 1"),
        ({"pool": 0}, ValueError, "pool: wanted at least 1"),
        ({"pool": (1 << 31) + 1}, ValueError, "pool: wanted at least 1 and at most 2147483648"),
        ({"order": -1}, ValueError, r"order: wanted 0 <= order < 2\^64"),
        ({"subset": torch.tensor([1], dtype=torch.int32)}, TypeError, "subset: wanted a tensor int64"),
        ({"subset": torch.empty(0, dtype=torch.int64)}, ValueError, "subset: wanted at least one image"),
        ({"subset": torch.tensor([24])}, ValueError, "ids: wanted indices in"),
        ({"images": make_bank()[:0]}, ValueError, "images: wanted at least one image"),
        ({"images": make_bank().float()}, TypeError, "images: wanted uint8"),
    ],
)
def test_bad_arguments(bank, arguments, error, match):
    with pytest.raises(error, match=match):
        RECIPE.step(**({"images": bank, "step": torch.tensor([1]), "batch_size": 4} | arguments))


def test_the_operator(bank):
    step, subset = torch.tensor([5]), torch.tensor([3, 1, 4])
    for inputs in ((step, None, 24, 5, 2, signed64((1 << 64) - 1), 0), (step, subset, 3, 2, 1, 7, 9)):
        torch.library.opcheck(torch.ops.rote.augment_step_addresses.default, inputs)
    for bad in ((step.int(), None, 24, 5, 2, 0, 0), (step, subset, 4, 2, 1, 0, 0), (step, None, 24, 25, 1, 0, 0)):
        with pytest.raises(ValueError, match="wanted"):
            torch.ops.rote.augment_step_addresses(*bad)
    with FakeTensorMode() as mode:
        fake = RECIPE.step(mode.from_tensor(bank), mode.from_tensor(step), 5, steps=3)
    assert fake.x.shape == (15, 3, 32, 32)
    assert fake.ids.shape == fake.views.shape == (15,)


def test_one_graph_serves_all_steps(bank):
    torch.compiler.reset()
    frames = CompileCounter()
    compiled = torch.compile(lambda step: RECIPE.step(bank, step, 6, pool=3), fullgraph=True, backend=frames)
    for number in (0, 3, 17):
        for got, expected in zip(compiled(torch.tensor([number])), RECIPE.step(bank, number, 6, pool=3), strict=True):
            assert torch.equal(got, expected)
    assert frames.frame_count == 1
    torch.compiler.reset()


def test_a_captured_graph_advances_by_itself(bank, device):
    if device == "cpu":
        pytest.skip("needs a CUDA device")
    bank, step = bank.to(device), torch.zeros(1, dtype=torch.int64, device=device)
    recipe = Recipe(*RECIPE.operations)
    recipe.step(bank, step, 6)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        x, ids, _ = recipe.step(bank, step, 6)
        step.add_(1)
    for number in range(5):
        graph.replay()
        expected = recipe.step(bank, number, 6)
        assert torch.equal(ids, expected.ids)
        assert torch.equal(x, expected.x)
