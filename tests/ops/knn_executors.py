"""What a k-NN search can be forced to (instruction set, path, threads), and searches under it."""

from __future__ import annotations

from typing import NamedTuple

import torch

from rote import _native
from rote.ops import knn as ops
from rote.ops.knn_problem import contiguous_rows, native_problem
from rote.ops.library import DTYPE_CODES

METRICS = tuple(ops.METRIC_CODES)
OPTIONS = ("exclude", "query_groups", "reference_groups", "mask")

_COMPILED = _native.compiled_simd_levels()
#: Every instruction set from the baseline up to what this CPU supports.
LEVELS = tuple(_COMPILED[: _COMPILED.index(_native.detected_simd_level()) + 1])

#: The first passes that `search_cpu` can be told to take; "auto" chooses.
PASSES = ("auto", "int16", "float32", "float64")
#: The same, and the 16-bit pass over references that were packed ahead.
PATHS = (*PASSES, "index")


class Found(NamedTuple):
    """A search's results: float32 distances or float64 keys [Q, k], indices int64 [Q, k], and what it counted."""

    values: torch.Tensor
    indices: torch.Tensor
    stats: dict


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def search(
    queries: torch.Tensor,
    references: torch.Tensor,
    k: int,
    metric: str,
    *,
    level: str = "auto",
    path: str = "auto",
    threads: int = 1,
    fallback: bool = True,
    values: torch.dtype = torch.float32,
    **restrictions: torch.Tensor,
) -> Found:
    """One search by the executor asked for; that it was used is checked here, for every test."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    outputs = ops._allocate(queries, k, values)
    if path == "index":
        references = contiguous_rows(references)
        layout = references.data_ptr(), references.shape[0], references.stride(0), references.shape[1]
        index = _native.KnnIndex(*layout, DTYPE_CODES[references.dtype], ops.METRIC_CODES[metric], threads, level)
        given = [restrictions.get(name) for name in OPTIONS]
        problem, keep = native_problem(queries, references, k, metric, *given, *outputs)
        stats = _native.knn_search(problem, threads, level, "int16", fallback, index)
        del keep
    else:
        stats = ops.search_cpu(
            queries, references, k, metric, outputs, level=level, path=path, fallback=fallback, **restrictions
        )
    wanted = _native.simd_level() if level == "auto" else level
    assert stats["executor"].split("-")[0] == wanted  # "avx512-vnni" is the same level
    settled = stats["rows_int16"] + stats["rows_float32"] + stats["rows_float64"] + stats["uncertified_rows"]
    assert settled <= len(queries)
    return Found(*outputs, stats)


def definition(
    queries: torch.Tensor,
    references: torch.Tensor,
    k: int,
    metric: str,
    *,
    values: torch.dtype = torch.float32,
    **restrictions: torch.Tensor,
) -> Found:
    """Every key in plain C++, sorted: `knn_search_reference`, which the other executors must equal to the bit."""
    outputs = ops._allocate(queries, k, values)
    arguments = [restrictions.get(name) for name in OPTIONS]
    problem, keep = native_problem(queries, references, k, metric, *arguments, *outputs)
    _native.knn_search_reference(problem)
    del keep
    return Found(*outputs, {})


def same_bits(found: tuple, wanted: tuple) -> bool:
    """Whether two results agree in indices and in every bit of their values."""
    bits = torch.int32 if wanted[0].dtype == torch.float32 else torch.int64
    return torch.equal(found[1], wanted[1]) and torch.equal(found[0].view(bits), wanted[0].view(bits))


def assert_same_bits(found: tuple, wanted: tuple) -> None:
    assert torch.equal(found[1], wanted[1])
    assert same_bits(found, wanted)


def assert_exact(
    queries: torch.Tensor, references: torch.Tensor, k: int, metrics: tuple[str, ...] = METRICS, **restrictions
) -> None:
    """Every level and path gives the bits of the definition."""
    for metric in metrics:
        wanted = definition(queries, references, k, metric, **restrictions)
        for level in LEVELS:
            for path in PATHS:
                found = search(queries, references, k, metric, level=level, path=path, **restrictions)
                assert same_bits(found, wanted), (metric, level, path)
