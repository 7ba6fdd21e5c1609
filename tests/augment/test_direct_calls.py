"""Calls that go past the dispatcher give its pixels and errors, and whoever watches operators still sees them."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from rote.augment import Normalize, Recipe, direct, recipes
from rote.augment.interception import operators_are_plain, tensors_are_plain

from .conftest import make_addresses, make_bank

RECIPE = recipes["benign-full"]


class Log(TorchDispatchMode):
    """Names of the operators that were dispatched."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))


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
    with Log() as log:
        result = recipe(bank, ids, views, seed, **how)
    assert any("rote.augment_render" in name for name in log.names)
    return result


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
    with Log(), pytest.raises((TypeError, ValueError)) as operator_error:
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


# Who watches still sees ----------------------------------------------------------------------------------------------


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


def test_dispatch_modes_see_the_operator(bank):
    ids, views = make_addresses(2)
    with Log() as log:
        RECIPE(bank, ids, views)
        RECIPE(bank, ids, views, out=torch.empty(2, 3, 32, 32))
    assert [n for n in log.names if "rote" in n] == ["rote.augment_render.default", "rote.augment_render_out.default"]


def test_function_modes_see_the_operator(bank):
    seen = []

    class Functions(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            seen.append(str(function))
            return function(*args, **(kwargs or {}))

    ids, views = make_addresses(2)
    with Functions():
        RECIPE(bank, ids, views)
    assert any("rote.augment_render" in name for name in seen)


def test_fake_tensors_stay_fake(bank):
    ids, views = make_addresses(2)
    with FakeTensorMode() as mode:
        fakes = [mode.from_tensor(t) for t in (bank, ids, views)]
        assert isinstance(RECIPE(*fakes), FakeTensor)
    assert isinstance(RECIPE(*fakes), FakeTensor)  # also where the mode is not active
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert isinstance(RECIPE(bank, ids, views), FakeTensor)


def test_graphs_hold_the_operator(bank):
    ids, views = make_addresses(2)
    graph = make_fx(lambda i, v: RECIPE(bank, i, v))(ids, views)
    assert any("augment_render" in str(node.target) for node in graph.graph.nodes)
    other = make_addresses(2, seed=1)
    assert torch.equal(graph(*other), RECIPE(bank, *other))
    torch.compiler.reset()
    exported = torch.export.export(_Module(bank), (ids, views))
    assert any("augment_render" in str(node.target) for node in exported.graph.nodes)
    torch.compiler.reset()


class _Module(torch.nn.Module):
    def __init__(self, bank):
        super().__init__()
        self.register_buffer("bank", bank)

    def forward(self, ids, views):
        return RECIPE(self.bank, ids, views)


def test_compiled_functions_hold_the_operator(bank):
    torch.compiler.reset()
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    ids, views = make_addresses(2)
    RECIPE(bank, ids, views)  # bound before the compiler looks
    compiled = torch.compile(lambda i, v: RECIPE(bank, i, v) + 1, fullgraph=True, backend=backend)
    assert torch.equal(compiled(ids, views), RECIPE(bank, ids, views) + 1)
    assert any("augment_render" in str(node.target) for node in graphs[0].graph.nodes)
    torch.compiler.reset()


@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_vmap_sees_the_operator(bank):
    ids, views = make_addresses(6)
    batched = torch.vmap(lambda i, v: RECIPE(bank, i, v, 3))(ids.view(3, 2), views.view(3, 2))
    assert torch.equal(batched.flatten(0, 1), RECIPE(bank, ids, views, 3))


def test_the_profiler_sees_the_operator(bank):
    ids, views = make_addresses(2)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        RECIPE(bank, ids, views)
    assert any(event.key == "rote::augment_render" for event in profile.key_averages())


def test_every_state_that_adds_a_dispatch_key_is_noticed():
    plain = []
    torch.vmap(lambda x: (plain.append(tensors_are_plain()), x)[1])(torch.ones(2))
    torch.func.grad(lambda x: (plain.append(tensors_are_plain()), x)[1])(torch.tensor(1.0))
    torch.func.functionalize(lambda x: (plain.append(tensors_are_plain()), x)[1])(torch.ones(2))
    make_fx(lambda x: (plain.append(tensors_are_plain()), x + 1)[1])(torch.ones(2))
    with FakeTensorMode():
        plain.append(tensors_are_plain())
    with Log():
        plain.append(tensors_are_plain())
    assert plain
    assert not any(plain)
    assert tensors_are_plain()


def test_autograd_notices_a_direct_call_too(bank, direct_calls):
    ids, views = make_addresses(2)
    out = torch.empty(2, 3, 32, 32)
    version = out._version
    RECIPE(bank, ids, views, out=out)
    assert direct_calls == [True]
    assert out._version == version + 1
