"""What rote::knn_search refuses, and in which words; sizes that no machine can serve."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from rote import _native
from rote.ops import knn as ops
from rote.ops.knn_problem import check_problem

from .knn_executors import OPTIONS, PASSES, search

X = torch.zeros(6, 4)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"k": 0}, ValueError, "k: wanted at least 1, got 0"),
        ({"k": -5}, ValueError, "k: wanted at least 1, got -5"),
        ({"k": 7}, ValueError, "k: wanted at most the 6 references, got 7"),
        ({"k": 1, "references": X[:0]}, ValueError, "k: wanted at most the 0 references, got 1"),
        ({"metric": "l1"}, ValueError, "metric: wanted one of l2, .* got 'l1'"),
        ({"queries": X[0]}, ValueError, r"queries: wanted a matrix of rows, got shape \(4,\)"),
        ({"references": X[None]}, ValueError, r"references: wanted a matrix of rows, got shape \(1, 6, 4\)"),
        ({"queries": X[:, :3]}, ValueError, r"references: wanted 3 columns like queries, got shape \(6, 4\)"),
        ({"queries": X[:, :0], "references": X[:, :0]}, ValueError, "queries: wanted at least one column"),
        ({"queries": X.int()}, TypeError, "queries: wanted float64, .* got torch.int32"),
        ({"queries": X.half()}, TypeError, "references: wanted torch.float16 like queries, got torch.float32"),
        ({"references": X.to("meta")}, ValueError, "references: wanted device cpu like queries, got meta"),
        ({"exclude": torch.zeros(6, dtype=torch.int32)}, TypeError, "exclude: wanted torch.int64, got torch.int32"),
        ({"exclude": torch.zeros(5, dtype=torch.int64)}, ValueError, r"exclude: wanted shape \(6,\), got \(5,\)"),
        ({"exclude": torch.zeros(6, 1, dtype=torch.int64)}, ValueError, r"exclude: wanted shape \(6,\), got \(6, 1\)"),
        ({"mask": torch.zeros(6)}, TypeError, "mask: wanted torch.bool, got torch.float32"),
        ({"mask": torch.zeros(7, dtype=torch.bool)}, ValueError, r"mask: wanted shape \(6,\), got \(7,\)"),
        ({"query_groups": torch.arange(6)}, ValueError, "reference_groups: wanted together with query_groups"),
        ({"reference_groups": torch.arange(6)}, ValueError, "query_groups: wanted together with reference_groups"),
    ],
)
@pytest.mark.parametrize("operator", ["knn_search", "knn_search_keys"])
def test_errors_name_the_argument(change, error, message, operator):
    arguments = {"queries": X, "references": X, "k": 2, "metric": "l2", **change}
    with pytest.raises(error, match=message):
        check_problem(*(arguments.get(name) for name in ("queries", "references", "k", "metric", *OPTIONS)))
    if "meta" not in message:
        with pytest.raises(error, match=message):
            getattr(torch.ops.rote, operator)(**arguments)


def test_unknown_level_is_an_error():
    with pytest.raises(ValueError, match="wanted baseline, avx2 or avx512, got 'sse9'"):
        search(X, X, 1, "l2", level="sse9")


def test_unknown_path_is_an_error():
    with pytest.raises(ValueError, match=r"path: wanted .*int16.*float32.*float64.*, got 'int4'"):
        search(X, X, 1, "l2", path="int4")


@pytest.mark.skipif(_native.build_info()["cuda"], reason="this build has CUDA")
def test_a_build_without_cuda_says_so():
    with pytest.raises(RuntimeError, match="built without CUDA"):
        _native.knn_workspace_bytes(1, 1, 1, 1)


# Sizes that no machine can serve --------------------------------------------------------------------------------------


def test_an_output_without_end_is_an_error():
    one = torch.zeros(1, 4)
    with pytest.raises(RuntimeError, match=r"can.t allocate memory|not enough memory"):
        ops.knn_search(one.expand(1000, 4), one.expand(2**50, 4), 2**50)
    with pytest.raises(RuntimeError, match=r"overflow|can.t allocate memory|not enough memory|[Ss]torage size"):
        ops.knn_search(one.expand(2**40, 4), one.expand(2**40, 4), 2**40)


# Address space is cut to what is in use and a little more; the candidate buffers of k = 2 million do not fit.
STARVED = """
import resource, sys, torch
from rote.ops.knn import _allocate, knn_search, search_cpu

torch.set_num_threads(2)
x = torch.arange(20000.0).view(10000, 2)
wanted = knn_search(x[:600], x, 2)  # makes the threads, too
references, k = x[:1].expand(4_000_000, 2), 2_000_000
outputs = _allocate(x[:6], k)
for tensor in outputs:
    tensor.zero_()
in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
unlimited = resource.getrlimit(resource.RLIMIT_AS)
for rows in (2, 6):
    for threads in (1, 2):
        for path in sys.argv[1:]:
            torch.set_num_threads(threads)
            resource.setrlimit(resource.RLIMIT_AS, (in_use + (8 << 20), unlimited[1]))
            try:
                search_cpu(x[:1].expand(rows, 2), references, k, "l2", [t[:rows] for t in outputs], path=path)
                print("no error")
            except MemoryError:
                print("MemoryError")
            resource.setrlimit(resource.RLIMIT_AS, unlimited)
found = knn_search(x[:600], x, 2)
print(all(torch.equal(a, b) for a, b in zip(wanted, found)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc and limits its address space")
def test_memory_that_runs_out_inside_the_core_is_an_error():
    result = subprocess.run([sys.executable, "-c", STARVED, *PASSES], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["MemoryError"] * 4 * len(PASSES) + ["True"]
