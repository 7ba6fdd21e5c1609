"""The same bits from threads, batches, DataLoader workers, other processes and under a caller's floating-point mode."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

import rote
from rote.ops import knn as ops

from .knn_executors import LEVELS, METRICS, PATHS, assert_same_bits, definition, generator, same_bits, search

TESTS = os.path.dirname(os.path.dirname(__file__))


@pytest.fixture(autouse=True)
def threads_restored() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("rows", [1, 2, 150, 900])
def test_threads_and_batches_do_not_change_bits(threads, rows):
    references = torch.randn(5000, 40, generator=generator(1)).bfloat16()
    queries = references[:rows]
    for path in PATHS:
        wanted = search(queries, references, 10, "cosine", path=path, threads=1)
        assert same_bits(search(queries, references, 10, "cosine", path=path, threads=threads), wanted)
        parts = [search(part, references, 10, "cosine", path=path, threads=threads)
                 for part in queries.split(max(1, rows // 2))]  # fmt: skip
        together = torch.cat([p.values for p in parts]), torch.cat([p.indices for p in parts])
        assert same_bits(together, wanted)


@pytest.mark.parametrize("rows", [2, 700])
def test_more_threads_than_work(rows):
    x = torch.randn(rows, 5, generator=generator(2))
    assert_same_bits(search(x, x, 2, "l2", threads=64), definition(x, x, 2, "l2"))


def test_eight_calling_threads():
    torch.set_num_threads(2)
    references = torch.randn(3000, 33, generator=generator(3))
    index = rote.Index(references, metric="cosine")

    def searches(worker: int) -> list[tuple]:
        queries = torch.randn(300, 33, generator=generator(worker))
        metric = METRICS[worker % 4]
        return [rote.knn(queries[:rows], references, 7, metric) for rows in (1, 3, 300)] + [index.search(queries, 20)]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(searches, range(8)))
    for worker, found in enumerate(together):
        for one, wanted in zip(found, searches(worker), strict=True):
            assert_same_bits(one, wanted)


def test_eight_threads_may_write_different_rows_of_one_output():
    references = torch.randn(500, 9, generator=generator(4))
    queries = torch.randn(80, 9, generator=generator(5))
    out = torch.empty(80, 5), torch.empty(80, 5, dtype=torch.int64)

    def part(worker: int) -> None:
        rows = slice(10 * worker, 10 * worker + 10)
        rote.knn(queries[rows], references, 5, out=(out[0][rows], out[1][rows]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(part, range(8)))
    assert_same_bits(out, rote.knn(queries, references, 5))


class Neighbors(Dataset):
    """The neighbours of one batch of queries an item: a data set that searches in its workers."""

    def __init__(self) -> None:
        self.references = torch.randn(2500, 17, generator=generator(6))
        self.index = rote.Index(self.references, metric="cosine")

    def __len__(self) -> int:
        return 6

    def __getitem__(self, i: int) -> tuple[torch.Tensor, ...]:
        queries = self.references[50 * i : 50 * i + 50]
        return *rote.knn(queries, self.references, 6), *self.index.search(queries[:2], 6)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_dataloader_workers(start, monkeypatch):
    monkeypatch.syspath_prepend(TESTS)  # a spawned worker inherits the path and imports this module by it
    torch.set_num_threads(2)
    data = Neighbors()
    wanted = [data[i] for i in range(len(data))]  # also: the OpenMP pool is in use before the fork
    workers = 2 if start == "fork" else 1
    for found, item in zip(
        DataLoader(data, batch_size=None, num_workers=workers, multiprocessing_context=start), wanted, strict=True
    ):
        assert_same_bits(found[:2], item[:2])
        assert_same_bits(found[2:], item[2:])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_flushing_denormals_changes_nothing(metric, path, dtype):
    tiny = 1e-311 if dtype == torch.float64 else 1e-40
    x = (torch.randn(1500, 16, generator=generator(7), dtype=torch.float64) * tiny).to(dtype)
    x[::3] = torch.randn(500, 16, generator=generator(8)).to(dtype)
    for rows in (2, 60):
        wanted = definition(x[:rows], x, 10, metric)
        for threads in (1, 2):
            try:
                assert torch.set_flush_denormal(True)
                found = search(x[:rows], x, 10, metric, path=path, threads=threads)
                flushed = torch.tensor([1e-310], dtype=torch.float64) * 1.0
            finally:
                torch.set_flush_denormal(False)
            assert flushed.item() == 0  # the caller's mode was on, and is on again
            assert same_bits(found, wanted)


def digest() -> str:
    """Hash of results under every metric and dtype, for few and for many queries."""
    hasher = hashlib.sha256()
    x = torch.randn(500, 33, generator=generator(0), dtype=torch.float64)
    for metric in METRICS:
        for dtype in ops.FLOAT_DTYPES:
            for rows in (2, 40):
                for tensor in ops.knn_search(x[:rows].to(dtype), x.to(dtype), 9, metric):
                    hasher.update(tensor.numpy().tobytes())
    return hasher.hexdigest()


def test_rote_simd_selects_the_level_and_changes_speed_only(level):
    code = "import rote; from ops.test_knn_processes import digest; print(rote._native.simd_level(), digest())"
    path = os.pathsep.join([TESTS, *filter(None, sys.path)])
    environment = os.environ | {"ROTE_SIMD": level, "PYTHONPATH": path}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.split() == [level, digest()]


def test_the_levels_are_those_of_this_machine():
    assert LEVELS[0] == "baseline"
    assert rote._native.detected_simd_level() == LEVELS[-1]
