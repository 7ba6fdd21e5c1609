"""Data made to defeat the certificate: the answer is exact all the same, and without fallback flagged, never wrong."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from .knn_executors import (
    LEVELS,
    METRICS,
    PATHS,
    Found,
    assert_exact,
    definition,
    same_bits,
    search,
)
from .knn_hostile import CASES, aligned_residuals

K = (10, 1, 40)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def data(name: str, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Queries, references and the k of a case."""
    number = zlib.crc32(name.encode())
    queries, references = CASES[name](np.random.default_rng(number))
    k = min(K[number % 3], len(references))
    return torch.from_numpy(queries).to(dtype), torch.from_numpy(references).to(dtype), k


@pytest.mark.parametrize("name", CASES)
def test_hostile_data(name):
    queries, references, k = data(name, torch.float32)
    assert queries.isfinite().all()
    assert references.isfinite().all()
    assert_exact(queries, references, k)
    for query in (0, len(queries) // 2):  # few queries take another way
        assert_exact(queries[query : query + 2], references, k)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_hostile_data_in_other_dtypes(name, dtype):
    queries, references, k = data(name, dtype)
    for metric in METRICS:
        wanted = definition(queries, references, k, metric)
        for path in PATHS:
            found = search(queries, references, k, metric, level=LEVELS[-1], path=path)
            assert same_bits(found, wanted), (metric, path)


@pytest.mark.parametrize("name", CASES)
def test_a_search_of_itself(name):
    _, references, k = data(name, torch.float32)
    references = references[: max(20, min(400, 60_000 // references.shape[1]))]
    k, ids = min(k, len(references)), torch.arange(len(references))
    for metric in METRICS:
        wanted = definition(references, references, k, metric, exclude=ids)
        for path in PATHS:
            found = search(references, references, k, metric, level=LEVELS[-1], path=path, exclude=ids)
            assert same_bits(found, wanted), (metric, path)


def wrong_rows(found: Found, wanted: Found) -> torch.Tensor:
    """Rows that are neither right to the bit nor flagged by -1 and NaN throughout."""
    flagged = (found.indices == -1).all(1) & found.values.isnan().all(1)
    bits = found.values.view(torch.int32) == wanted.values.view(torch.int32)
    right = ((found.indices == wanted.indices) & bits).all(1)
    return (~(right | flagged)).nonzero()


class TestWithoutFallback:
    """The first pass alone: right or flagged."""

    @pytest.mark.parametrize("name", CASES)
    def test_never_wrong(self, name):
        queries, references, k = data(name, torch.float32)
        for metric in METRICS:
            wanted = definition(queries, references, k, metric)
            for level in LEVELS:
                for path in PATHS:
                    found = search(queries, references, k, metric, level=level, path=path, fallback=False)
                    assert not wrong_rows(found, wanted).numel(), (metric, level, path)
                    flagged = int(found.values.isnan().all(1).sum())
                    assert found.stats["uncertified_rows"] == flagged, (metric, level, path)

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("metric", METRICS)
    def test_ordinary_data_is_certified(self, path, metric):
        """Flagging everything would be no certificate."""
        rng = np.random.default_rng(1)
        x = torch.from_numpy(rng.standard_normal((3000, 128)).astype(np.float32))
        found = search(x[:200], x, 10, metric, path=path, fallback=False)
        wanted = definition(x[:200], x, 10, metric)
        assert not wrong_rows(found, wanted).numel()
        assert int((found.indices[:, 0] >= 0).sum()) >= 198


@pytest.mark.parametrize("bits", [6, 10, 14])
def test_the_tight_case_is_one(bits):
    """On its own grid it ranks all of the wrong rows first: a search that trusted its scores would fail on it."""
    queries, references = aligned_residuals(np.random.default_rng(bits), bits, mirrored=False)
    true = np.argsort(-(queries[0] @ references.T), kind="stable")[:5]
    rounded = np.round(references * 2.0**bits)
    scores = queries[0] @ rounded.T
    assert scores[true].max() < np.sort(np.delete(scores, true))[0]
    assert np.sort(np.delete(scores, true))[0] - scores[true].max() > 50
