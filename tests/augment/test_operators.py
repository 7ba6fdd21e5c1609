"""The torch.library operators: opcheck, fake tensors, torch.compile, autocast."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from rote.augment import HorizontalFlip, Recipe, recipes
from rote.ops.augment import signed64

from .conftest import make_addresses

RECIPE = recipes["benign-full"]
MAX_SEED = (1 << 64) - 1


def render_arguments(bank, channels_last=False, dtype=torch.bfloat16):
    ids, views = make_addresses(6)
    return (bank, ids, views, None, RECIPE.program, [20, 28], signed64(MAX_SEED), dtype, channels_last)


@pytest.mark.parametrize("channels_last", [False, True])
def test_opcheck_render(bank, channels_last):
    torch.library.opcheck(torch.ops.rote.augment_render.default, render_arguments(bank, channels_last))


def test_opcheck_render_rows(bank):
    ids, views = make_addresses(6)
    words = sum(column.words for column in RECIPE.columns)
    rows = torch.ops.rote.augment_sample(ids, views, RECIPE.program, [32, 32], [32, 32], words, 0)
    torch.library.opcheck(
        torch.ops.rote.augment_render.default,
        (bank, ids, None, rows, RECIPE.program, [32, 32], 0, torch.float32, False),
    )


def test_opcheck_render_out(bank):
    ids, views = make_addresses(6)
    out = torch.empty(6, 3, 32, 32, dtype=torch.float16)
    torch.library.opcheck(torch.ops.rote.augment_render_out.default, (bank, ids, views, None, RECIPE.program, 1, out))


def test_opcheck_sample():
    ids, views = make_addresses(6)
    words = sum(column.words for column in RECIPE.columns)
    torch.library.opcheck(
        torch.ops.rote.augment_sample.default, (ids, views, RECIPE.program, [32, 32], [32, 32], words, 0)
    )


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (0,), (1,)])
def test_fake_tensors_have_the_real_strides(bank, shape, channels_last):
    ids, views = make_addresses(6)
    ids, views = ids[: shape[0]], views[: torch.Size(shape).numel()].view(shape)
    real = RECIPE(bank, ids, views, dtype=torch.float16, channels_last=channels_last)
    with FakeTensorMode() as mode:
        fakes = [mode.from_tensor(v) for v in (bank, ids, views)]
        fake = RECIPE(*fakes, dtype=torch.float16, channels_last=channels_last)
    assert (fake.shape, fake.stride(), fake.dtype) == (real.shape, real.stride(), real.dtype)


@pytest.fixture
def fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def test_compiles_without_a_graph_break(bank, fresh_compiler):
    def step(ids, views, seed):
        x = RECIPE(bank, ids, views, seed, channels_last=True)
        return x.mean(dim=(2, 3)) * 2

    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    for count, seed in ((8, 0), (8, 1), (13, 5), (21, MAX_SEED), (1, 1 << 63)):
        ids, views = make_addresses(count, seed=count)
        assert torch.equal(compiled(ids, views, seed), step(ids, views, seed))


def test_one_graph_serves_every_batch_size_and_seed(bank, fresh_compiler):
    frames = torch._dynamo.testing.CompileCounter()

    def step(ids, views, seed):
        return RECIPE(bank, ids, views, seed) * 2

    compiled = torch.compile(step, fullgraph=True, backend=frames, dynamic=True)
    for count in (4, 9, 33):
        ids, views = make_addresses(count)
        assert torch.equal(compiled(ids, views, count), step(ids, views, count))
    assert frames.frame_count == 1


def test_params_apply_and_out_compile(bank, fresh_compiler):
    ids, views = make_addresses(12)
    views = views.view(4, 3)

    def replay(ids, views):
        params = RECIPE.params(ids, views, 3, image_size=32)
        params["horizontal_flip.applied"] = ~params["horizontal_flip.applied"]
        return RECIPE.apply(bank, ids, params)

    compiled = torch.compile(replay, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(ids[:4], views), replay(ids[:4], views))

    def into(ids, views, out):
        RECIPE(bank, ids, views, out=out)
        return out.sum()

    out = torch.empty(4, 3, 3, 32, 32)
    total = torch.compile(into, fullgraph=True, backend="aot_eager")(ids[:4], views, out)
    assert torch.equal(out, RECIPE(bank, ids[:4], views))
    assert torch.equal(total, out.sum())


def test_inductor(bank, fresh_compiler):
    def step(ids, views):
        return RECIPE(bank, ids, views, dtype=torch.bfloat16).float() * 2

    ids, views = make_addresses(8)
    assert torch.equal(torch.compile(step, fullgraph=True)(ids, views), step(ids, views))


def test_a_changed_recipe_is_compiled_again(bank, fresh_compiler):
    ids, views = make_addresses(8)
    compiled = torch.compile(lambda recipe: recipe(bank, ids, views), fullgraph=True, backend="aot_eager")
    for recipe in (Recipe(HorizontalFlip(0.0)), Recipe(HorizontalFlip(1.0)), Recipe()):
        assert torch.equal(compiled(recipe), recipe(bank, ids, views))


def test_autocast_leaves_the_requested_dtype(bank):
    ids, views = make_addresses(8)
    with torch.autocast("cpu", torch.bfloat16):
        views_of = RECIPE(bank, ids, views)
    assert torch.equal(views_of, RECIPE(bank, ids, views))


def test_a_cuda_graph_captures_a_call(bank, device):
    if device == "cpu":
        pytest.skip("needs a CUDA device")
    ids, views = (v.to(device) for v in make_addresses(32))
    bank = bank.to(device)
    out = torch.empty(32, 3, 32, 32, device=device)
    RECIPE(bank, ids, views, out=out)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        RECIPE(bank, ids, views, out=out)
    views += 1
    graph.replay()
    assert torch.equal(out, RECIPE(bank, ids, views))


def test_a_device_renders_the_cpus_bits(bank, device):
    if device == "cpu":
        pytest.skip("needs a CUDA device")
    ids, views = make_addresses(200)
    for recipe in recipes.values():
        for dtype in (torch.float32, torch.float16, torch.bfloat16):
            expected = recipe(bank, ids, views, dtype=dtype)
            got = recipe(bank.to(device), ids.to(device), views.to(device), dtype=dtype)
            assert torch.equal(got.cpu(), expected)
        on_cpu, on_device = (recipe.params(ids, views, image_size=32, device=d) for d in ("cpu", device))
        assert all(torch.equal(on_device[name].cpu(), values) for name, values in on_cpu.items())
