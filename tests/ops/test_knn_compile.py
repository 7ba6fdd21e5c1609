"""rote.knn, Index.search and the operators under torch.compile, dynamic shapes, autocast, fake tensors and export."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch._subclasses.fake_tensor import FakeTensorMode

import rote
from rote.ops import knn as ops

from .knn_executors import METRICS, assert_same_bits, generator

OPERATORS = (torch.ops.rote.knn_search, torch.ops.rote.knn_search_keys)


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch.compiler.reset()


def restrictions_of(rows: int, count: int) -> dict[str, torch.Tensor]:
    return {
        "exclude": torch.arange(rows),
        "query_groups": torch.arange(rows) % 3,
        "reference_groups": torch.arange(count) % 3,
        "mask": torch.arange(count) % 7 != 0,
    }


REFERENCES = torch.randn(40, 6, generator=generator(3))
INDEX = rote.Index(REFERENCES, metric="l2")
GIVEN = restrictions_of(5, 40)
OPTIONS = {
    "exclude": GIVEN["exclude"],
    "groups": (GIVEN["query_groups"], GIVEN["reference_groups"]),
    "mask": GIVEN["mask"],
}

#: Every way to search, with everything a search can be given, as a function of queries [5, 6].
FUNCTIONS: dict[str, Callable] = {
    "rote.knn": lambda q: rote.knn(q, REFERENCES, 4, "cosine", **OPTIONS),
    "Index.search": lambda q: INDEX.search(q, 4, **OPTIONS),
    "knn_search": lambda q: ops.knn_search(q, REFERENCES, 4, "ip", **GIVEN),
    "knn_search_keys": lambda q: torch.ops.rote.knn_search_keys(q, REFERENCES, 4, "sqeuclidean", **GIVEN),
}


@pytest.mark.parametrize("operator", OPERATORS, ids=str)
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
def test_opcheck(operator, dtype):
    x = torch.randn(30, 8, generator=generator(1)).to(dtype)
    torch.library.opcheck(operator, (x[:9], x, 4, "l2"))
    torch.library.opcheck(operator, (x[:9], x, 4, "cosine"), restrictions_of(9, 30))
    strided = torch.randn(8, 30, generator=generator(2)).to(dtype).T
    torch.library.opcheck(operator, (strided[::2], strided, 4, "ip"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_fullgraph(name):
    queries, function = torch.randn(5, 6, generator=generator(4)), FUNCTIONS[name]
    compiled = torch.compile(lambda q: function(q * 2), fullgraph=True, backend="aot_eager")
    assert_same_bits(compiled(queries), function(queries * 2))


def test_fullgraph_with_inductor():
    """The default backend, its own code before and behind the search."""

    def nearest(queries, references):
        distances, indices = rote.knn(queries * 2 + 1, references.relu(), 3, "sqeuclidean", exclude="self")
        return distances + 1, indices * 2

    x = torch.randn(20, 6, generator=generator(5))
    compiled = torch.compile(nearest, fullgraph=True)
    assert_same_bits(compiled(x, x), nearest(x, x))


@pytest.mark.parametrize("metric", METRICS)
def test_dynamic_shapes_are_traced_once(metric):
    graphs = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(lambda q, r, k: rote.knn(q, r, k, metric), fullgraph=True, dynamic=True, backend=graphs)
    for rows, count, dim, k in ((5, 40, 6, 3), (9, 77, 11, 8), (30, 31, 12, 31)):
        queries = torch.randn(rows, dim, generator=generator(6))
        references = torch.randn(count, dim, generator=generator(7))
        assert_same_bits(compiled(queries, references, k), rote.knn(queries, references, k, metric))
    assert graphs.frame_count == 1


def test_dynamic_shapes_of_an_index_and_of_restrictions():
    graphs = CompileCounterWithBackend("aot_eager")
    index = rote.Index(torch.randn(50, 6, generator=generator(8)), metric="cosine")
    mask = torch.arange(50) % 7 != 0

    def search(queries, exclude, groups):
        return index.search(queries, 4, exclude=exclude, groups=groups, mask=mask)

    compiled = torch.compile(search, fullgraph=True, dynamic=True, backend=graphs)
    for rows in (4, 9, 33):
        queries = torch.randn(rows, 6, generator=generator(9))
        arguments = queries, torch.arange(rows), (torch.arange(rows) % 3, torch.arange(50) % 3)
        assert_same_bits(compiled(*arguments), search(*arguments))
    assert graphs.frame_count == 1


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_changes_nothing(name, dtype):
    queries, function = REFERENCES[:5] + 0.01, FUNCTIONS[name]
    wanted = function(queries)
    with torch.autocast("cpu", dtype):
        found = function(queries)
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager")(queries)
    for result in (found, compiled):
        assert result[0].dtype == wanted[0].dtype
        assert_same_bits(result, wanted)


def test_autocast_of_what_comes_before():
    """What a low-precision layer puts out is searched as it is, beside references of full precision."""
    layer, x = torch.nn.Linear(8, 6), torch.randn(30, 8, generator=generator(11))
    references = torch.randn(40, 6, generator=generator(12))

    def embed_and_search(x):
        features = layer(x)
        return features, *rote.knn(features, references, 5)

    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for function in (embed_and_search, torch.compile(embed_and_search, fullgraph=True, backend="aot_eager")):
            features, *found = function(x)
            assert features.dtype == torch.bfloat16
            assert_same_bits(found, rote.knn(features.float(), references, 5))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_fake_tensors_give_shapes_and_strides(name):
    real = FUNCTIONS[name](torch.randn(5, 6))
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake = FUNCTIONS[name](torch.empty(5, 6))
    for found, wanted in zip(fake, real, strict=True):
        assert (found.shape, found.dtype, found.stride()) == (wanted.shape, wanted.dtype, wanted.stride())


class Nearest(torch.nn.Module):
    """A probe's forward pass: an encoder, then its neighbours in a bank."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.encoder = torch.nn.Linear(8, 6)
        self.register_buffer("bank", torch.randn(40, 6, generator=generator(13)))
        self.index = rote.Index(self.bank)
        self.name = name

    def forward(self, x):
        queries = self.encoder(x)
        if self.name == "rote.knn":
            return rote.knn(queries, self.bank, 4, "cosine", mask=self.bank[:, 0] > 0)
        if self.name == "Index.search":
            return self.index.search(queries, 4)
        return torch.ops.rote.knn_search_keys(queries, self.bank, 4, "ip")


@pytest.mark.parametrize("name", ["rote.knn", "Index.search", "knn_search_keys"])
@pytest.mark.parametrize("strict", [False, True])
def test_export_with_a_dynamic_batch(name, strict):
    module = Nearest(name).eval()
    x = torch.randn(7, 8, generator=generator(14))
    batch = {"x": {0: torch.export.Dim("batch", min=2, max=1000)}}
    program = torch.export.export(module, (x,), dynamic_shapes=batch, strict=strict)
    assert any("rote.knn_search" in str(node.target) for node in program.graph.nodes)
    for rows in (2, 7, 50):
        x = torch.randn(rows, 8, generator=generator(15))
        assert_same_bits(program.module()(x), module(x))


def test_errors_keep_their_words_while_compiling():
    x = torch.zeros(5, 3)
    with pytest.raises(Exception, match="k must lie between 1 and the number of references, 5; got 6"):
        torch.compile(lambda x: rote.knn(x, x, 6), fullgraph=True, backend="aot_eager")(x)


def test_results_are_not_differentiable_and_stop_no_gradient_elsewhere():
    x = torch.randn(20, 4, generator=generator(16), requires_grad=True)

    def loss(x):
        _, indices = rote.knn(x, x, 3, exclude="self")
        return (x[:, None] - x[indices]).square().sum()

    torch.compile(loss, fullgraph=True, backend="aot_eager")(x).backward()
    compiled, x.grad = x.grad, None
    loss(x).backward()
    torch.testing.assert_close(compiled, x.grad)
