"""rote::knn_search on a CUDA device: the CPU's bits, and no synchronization that a graph capture would refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.ops import knn as ops

from .knn_executors import METRICS, assert_same_bits, generator
from .knn_hostile import CASES

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
@pytest.mark.parametrize(("rows", "count", "dim", "k"), [(70, 3000, 33, 10), (3, 700, 5, 700), (9, 5000, 8, 2000)])
def test_same_bits_as_the_cpu(metric, dtype, rows, count, dim, k):
    queries = torch.randn(rows, dim, generator=generator(1)).to(dtype)
    references = torch.randn(count, dim, generator=generator(2)).to(dtype)
    references[5] = float("nan")
    queries[1, 2] = float("inf")
    restrictions = {
        "exclude": torch.arange(rows),
        "query_groups": torch.arange(rows) % 3,
        "reference_groups": torch.arange(count) % 3,
        "mask": torch.arange(count) % 7 != 0,
    }
    for given in ({}, restrictions):
        on_device = {name: tensor.cuda() for name, tensor in given.items()}
        for operator in (torch.ops.rote.knn_search, torch.ops.rote.knn_search_keys):
            found = operator(queries.cuda(), references.cuda(), k, metric, **on_device)
            assert_same_bits([t.cpu() for t in found], operator(queries, references, k, metric, **given))


@pytest.mark.parametrize("name", CASES)
def test_hostile_data(name):
    queries, references = (torch.from_numpy(a).float() for a in CASES[name](np.random.default_rng(3)))
    k = min(10, len(references))
    for metric in METRICS:
        found = ops.knn_search(queries.cuda(), references.cuda(), k, metric)
        assert_same_bits([t.cpu() for t in found], ops.knn_search(queries, references, k, metric))


def test_unknown_path_is_an_error(monkeypatch):
    monkeypatch.setenv("ROTE_KNN_PATH", "warp9")
    with pytest.raises(ValueError, match="ROTE_KNN_PATH: wanted auto, simple, sm80 or sm90, got 'warp9'"):
        ops.knn_search(torch.zeros(6, 4).cuda(), torch.zeros(6, 4).cuda(), 1)


def test_captures_into_a_cuda_graph():
    x = torch.randn(500, 16, generator=generator(4)).cuda()
    wanted = ops.knn_search(x, x, 5)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = ops.knn_search(x, x, 5)
    graph.replay()
    torch.cuda.synchronize()
    assert_same_bits([t.cpu() for t in found], [t.cpu() for t in wanted])
