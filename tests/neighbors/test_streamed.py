"""`rote.knn_streamed`: chunk by chunk the bits of the whole, in bounded memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

import rote
from rote.neighbors import chunks

from . import oracle
from .test_arrays import Foreign
from .test_knn import METRICS, assert_same, points


def restricted(queries: int, references: int) -> dict:
    generator = np.random.default_rng(8)
    return {
        "exclude": generator.integers(-1, references, queries),
        "groups": (generator.integers(0, 3, queries), generator.integers(0, 3, references)),
        "mask": generator.random(references) < 0.7,
    }


def awkward(rows: int, seed: int) -> np.ndarray:
    """Every row twice, some of them not finite."""
    x = np.repeat(points(rows // 2, 6, seed), 2, axis=0)[np.random.default_rng(seed).permutation(rows)]
    x[rows // 3, 1], x[rows // 2, 0] = np.nan, -np.inf
    return x.astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("chunk_rows", [1, 7, 64, 1000, None])
def test_chunks_give_the_bits_of_the_whole(metric: str, chunk_rows: int | None):
    queries, references = awkward(20, 1), awkward(130, 2)
    for options in ({}, restricted(20, 130)):
        found = rote.knn_streamed(queries, references, 33, metric, chunk_rows=chunk_rows, **options)
        assert found[0].dtype == np.float32
        assert_same(found, oracle.knn(queries, references, 33, metric, **options))


def test_a_memory_map_is_read_chunk_by_chunk(tmp_path):
    references = awkward(600, 3)
    stored = np.memmap(tmp_path / "references", np.float32, "w+", shape=references.shape)
    stored[:] = references
    stored.flush()
    read_only = np.memmap(tmp_path / "references", np.float32, "r", shape=references.shape)
    seen = []
    found = rote.knn_streamed(
        references[:9], read_only, 5, chunk_rows=128, progress=lambda done, total: seen.append((done, total))
    )
    assert_same(found, rote.knn(references[:9], references, 5))
    assert seen == [(128, 600), (256, 600), (384, 600), (512, 600), (600, 600)]
    assert_same(rote.knn_streamed(read_only, read_only, 5, chunk_rows=128, exclude="self"),
                rote.knn(references, references, 5, exclude="self"))  # fmt: skip


def test_memory_does_not_grow_with_the_references():
    """Fifty chunks of 16 MB, made as they are read: a process that kept them would need 800 MB."""
    code = """
import resource, torch, rote
torch.set_num_threads(1)
def chunks():
    for number in range(50):
        yield torch.full((62_500, 64), float(number))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rote.knn_streamed(torch.zeros(2, 64), [torch.zeros(62_500, 64)], 3)
before = peak()
distances, indices = rote.knn_streamed(torch.tensor([[7.0], [49.0]]).expand(2, 64), chunks(), 3)
assert indices.tolist() == [[7 * 62_500 + i for i in range(3)], [49 * 62_500 + i for i in range(3)]], indices
assert (distances == 0).all()
print(peak() - before)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 100_000  # kilobytes


class Stored:
    """An array of a file format: a shape and row slicing, nothing else."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype, self.longest = array, array.shape, array.dtype, 0

    def __getitem__(self, rows: slice) -> np.ndarray:
        self.longest = max(self.longest, rows.stop - rows.start)
        return self.array[rows]


@pytest.mark.parametrize(
    "kind",
    [
        Stored,
        torch.from_numpy,
        lambda x: x[::-1][::-1],
        lambda x: np.asfortranarray(x),
        lambda x: (x[start : start + 11] for start in range(0, len(x), 11)),
        lambda x: [x[:3], x[3:3], torch.from_numpy(x[3:90]), Foreign(x[90:])],
        lambda x: [x[:50].astype(np.float64), torch.from_numpy(x[50:])],
    ],
    ids=["sliceable", "torch", "negative strides", "columns first", "generator", "mixed kinds", "mixed dtypes"],
)
def test_references_of_any_kind(kind):
    queries, references = awkward(12, 4), awkward(130, 5)
    for options in ({}, restricted(12, 130)):
        found = rote.knn_streamed(queries, kind(references), 20, "cosine", chunk_rows=40, **options)
        assert_same(found, oracle.knn(queries, references, 20, "cosine", **options))


def test_a_stored_array_is_sliced_no_longer_than_asked_for(monkeypatch: pytest.MonkeyPatch):
    stored = Stored(points(100, 4).astype(np.float32))
    rote.knn_streamed(points(3, 4), stored, 2, chunk_rows=30)
    assert stored.longest == 30
    monkeypatch.setattr(chunks, "DEFAULT_CHUNK_BYTES", 4 * 4 * 50)  # fifty rows of float32
    rote.knn_streamed(points(3, 4), stored, 2)
    assert stored.longest == 50


def test_16_bit_chunks_and_queries_of_another_dtype():
    queries, references = torch.randn(9, 5), torch.randn(64, 5)
    found = rote.knn_streamed(queries.double(), references.bfloat16(), 7, chunk_rows=10)
    assert_same(found, rote.knn(queries.double(), references.bfloat16(), 7))
    found = rote.knn_streamed(queries.half(), [references[:30].bfloat16(), references[30:].half()], 7)
    assert_same(
        found, rote.knn(queries.half(), torch.cat([references[:30].bfloat16().float(), references[30:].half()]), 7)
    )


def test_results_come_in_the_kind_of_the_queries():
    x = points(20).astype(np.float32)
    assert isinstance(rote.knn_streamed(torch.from_numpy(x), x, 2)[0], torch.Tensor)
    assert isinstance(rote.knn_streamed(x, torch.from_numpy(x), 2)[1], np.ndarray)


def test_self_is_excluded_across_chunks():
    x = awkward(60, 6)
    expected = oracle.knn(x, x, 9, exclude=np.arange(60))
    assert_same(rote.knn_streamed(x, x, 9, chunk_rows=7, exclude="self"), expected)
    assert_same(rote.knn_streamed(x, iter(np.array_split(x, 5)), 9, exclude="self"), expected)


def test_no_queries():
    distances, indices = rote.knn_streamed(points(0), points(10), 3, chunk_rows=4)
    assert distances.shape == indices.shape == (0, 3)


X = points(8, 3).astype(np.float32)
IDS = np.arange(8)


def parts(x=X):
    return iter(np.array_split(x, 3))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X, X, 9), {}, ValueError, r"k must lie between 1 and the number of references, 8; got 9"),
        ((X, parts(), 9), {}, ValueError, r"k must lie between 1 and the number of references, 8; got 9"),
        ((X, iter(()), 1), {}, ValueError, r"k must lie between 1 and the number of references, 0; got 1"),
        ((X, parts(), 0), {}, ValueError, r"k must be at least 1; got 0"),
        ((X, X, 1), {"chunk_rows": 0}, ValueError, r"chunk_rows must be at least 1; got 0"),
        ((X, X, 1), {"chunk_rows": 2.0}, TypeError, r"chunk_rows must be an integer; got 2.0"),
        ((X, X, 1), {"progress": 3}, TypeError, r"progress must be callable as progress\(done, total\); got int"),
        ((X, X, 1, "l1"), {}, ValueError, r"metric must be one of"),
        ((X, X[:, :2], 1), {}, ValueError, r"references must have shape \[N, 3\], as queries; got float32 \[8, 2\]"),
        ((X, X[0], 1), {}, ValueError, r"references must have shape \[N, 3\], as queries; got float32 \[3\]"),
        ((X, 3, 1), {}, TypeError, r"references must be a matrix \[N, 3\] .* or an iterable of chunks .*; got int"),
        ((X, X.astype(int), 1), {}, TypeError, r"references\[0:8\] must be float64, .*; got int64 \[8, 3\]"),
        ((X, [X, X[:, :2]], 1), {}, ValueError, r"references \(chunk 1\) must have 3 columns.*; got float32 \[8, 2\]"),
        ((X, [X, X.tolist()], 1), {}, TypeError, r"references \(chunk 1\) must be .*; got list"),
        ((X, [torch.zeros(2, 3, device="meta")], 1), {}, ValueError, r"\(chunk 0\) must be in host memory.*; got meta"),
        ((X, X, 1), {"mask": IDS[:4] > 0}, ValueError, r"mask must be bool of shape \[N\] with N = 8; got bool \[4\]"),
        ((X, parts(), 1), {"mask": IDS[:4] > 0}, ValueError, r"mask must hold one .* at least 6; got bool \[4\]"),
        ((X, parts(), 1), {"mask": np.ones(9, bool)}, ValueError, r"mask must hold one .* are 8; got bool \[9\]"),
        ((X, parts(), 1), {"mask": IDS}, TypeError, r"mask must be bool of shape \[N\]; got int64 \[8\]"),
        ((X, parts(), 1), {"groups": (IDS, IDS[:1])}, ValueError, r"groups\[1\] must hold .*; got int64 \[1\]"),
        ((X, parts(), 1), {"groups": (IDS[:2], IDS)}, ValueError, r"groups\[0\] must be .* Q = 8; got int64 \[2\]"),
        ((X, X, 1), {"groups": IDS}, TypeError, r"groups must be a pair"),
        ((X, X, 1), {"exclude": IDS + 1}, ValueError, r"exclude must hold .*\[0, 8\), or -1 .*; got 8 for query 7"),
        ((X, parts(), 1), {"exclude": IDS + 1}, ValueError, r"exclude must hold .*\[0, 8\), .*; got 8 for query 7"),
        ((X, parts(), 1), {"exclude": IDS - 2}, ValueError, r"exclude must hold .*; got -2 for query 0"),
        ((X[:5], parts(), 1), {"exclude": "self"}, ValueError, r"same rows; got 5 queries and 8 references"),
        ((X[:5], X, 1), {"exclude": "self"}, ValueError, r"same rows; got 5 queries and 8 references"),
        ((X, X, 1), {"exclude": "own"}, ValueError, r"exclude must be 'self' or int64"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        rote.knn_streamed(*arguments, **options)


def through_one_buffer(references: torch.Tensor, rows: int):
    """Chunks that all pass through the same pinned memory."""
    buffer = torch.empty(rows, references.shape[1], pin_memory=True)
    for part in references.split(rows):
        yield buffer[: len(part)].copy_(part)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["memory", "pinned", "generator", "reused pinned buffer", "on the device"])
@pytest.mark.parametrize("chunk_rows", [1000, 4096])
def test_cuda_streams_from_the_host(kind: str, chunk_rows: int):
    references, queries = torch.randn(20_000, 40), torch.randn(300, 40)
    options = restricted(300, 20_000)
    expected = rote.knn(queries, references, 12, exclude=options["exclude"], groups=options["groups"],
                        mask=options["mask"])  # fmt: skip
    exclude, query_groups = (torch.from_numpy(ids).cuda() for ids in (options["exclude"], options["groups"][0]))
    given = {
        "memory": references.numpy,
        "pinned": references.pin_memory,
        "generator": lambda: (part.clone() for part in references.split(1500)),
        "reused pinned buffer": lambda: through_one_buffer(references, 1500),
        "on the device": references.cuda,
    }[kind]
    for stream in (torch.cuda.current_stream(), torch.cuda.Stream()):
        with torch.cuda.stream(stream):
            found = rote.knn_streamed(
                queries.cuda(),
                given(),
                12,
                chunk_rows=chunk_rows,
                exclude=exclude,
                groups=(query_groups, options["groups"][1]),
                mask=options["mask"],
            )
            assert found[0].is_cuda
            assert_same([part.cpu() for part in found], expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_holds_two_chunks_and_lets_the_host_reuse_its_memory():
    buffer, queries = torch.empty(50_000, 64), torch.randn(10, 64, device="cuda")

    def chunks():
        for number in range(20):
            yield buffer.fill_(number)  # the same memory again and again, as a reader might

    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    queries[:] = torch.tensor([[7.0]], device="cuda")
    indices = rote.knn_streamed(queries, chunks(), 3)[1]
    assert (indices.cpu() == 7 * 50_000 + torch.arange(3)).all()
    assert torch.cuda.max_memory_allocated() - before < 6 * buffer.nbytes
