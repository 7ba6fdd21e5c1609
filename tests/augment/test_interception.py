"""Whoever watches or replaces operators sees those of a recipe, though plain calls go past the dispatcher."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.overrides import TorchFunctionMode

from rote.augment import recipes
from rote.augment.interception import tensors_are_plain

from .conftest import OperatorLog, make_addresses

RECIPE = recipes["benign-full"]


def test_dispatch_modes_see_the_operator(bank):
    ids, views = make_addresses(2)
    with OperatorLog() as log:
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
    with OperatorLog():
        plain.append(tensors_are_plain())
    assert plain
    assert not any(plain)
    assert tensors_are_plain()
