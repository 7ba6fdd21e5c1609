"""rote::knn_search against its C++ oracle, float64 numpy and scikit-learn, on ordinary and on hostile data."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from rote import _native
from rote.ops import knn as ops

METRICS = tuple(ops.METRIC_CODES)
OPTIONS = ("exclude", "query_groups", "reference_groups", "mask")
COMPILED = _native.compiled_simd_levels()
LEVELS = COMPILED[: COMPILED.index(_native.detected_simd_level()) + 1]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def oracle(queries, references, k, metric, **options):
    """Every key in plain C++, sorted."""
    outputs = ops._allocate(queries, k)
    arguments = [options.get(name) for name in OPTIONS]
    problem, keep = ops._problem(queries, references, k, metric, *arguments, *outputs)
    _native.knn_search_reference(problem)
    del keep
    return outputs


def search(queries, references, k, metric, level="auto", **options):
    outputs = ops._allocate(queries, k)
    stats = ops.search_cpu(queries, references, k, metric, outputs, level=level, **options)
    return outputs, stats


def assert_same_bits(got, wanted):
    assert torch.equal(got[1], wanted[1])
    assert torch.equal(got[0].view(torch.int32), wanted[0].view(torch.int32))


def assert_exact(queries, references, k, metrics=METRICS, **options):
    for metric, level in itertools.product(metrics, LEVELS):
        got, _ = search(queries, references, k, metric, level, **options)
        assert_same_bits(got, oracle(queries, references, k, metric, **options))


def numpy_distances(queries, references, metric):
    """float64 [Q, N]; smaller is nearer."""
    q, r = queries.double().numpy()[:, None], references.double().numpy()[None]
    if metric in ("l2", "sqeuclidean"):
        return ((q - r) ** 2).sum(-1)
    product = (q * r).sum(-1)
    if metric == "ip":
        return -product
    return 1 - product / np.sqrt((q * q).sum(-1) * (r * r).sum(-1))


# Against numpy and scikit-learn ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["l2", "sqeuclidean", "ip"])
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
def test_integer_data_is_exact_with_ties_by_index(metric, dtype, level):
    queries = torch.randint(-3, 4, (37, 9), generator=generator(1)).to(dtype)
    references = torch.randint(-3, 4, (1500, 9), generator=generator(2)).to(dtype)
    keys = numpy_distances(queries, references, metric)
    wanted = np.argsort(keys, axis=1, kind="stable")[:, :40]
    (distances, indices), _ = search(queries, references, 40, metric, level)
    np.testing.assert_array_equal(indices.numpy(), wanted)
    values = np.take_along_axis(keys, wanted, 1)
    values = -values if metric == "ip" else np.sqrt(values) if metric == "l2" else values
    np.testing.assert_array_equal(distances.numpy(), values.astype(np.float32))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
def test_distances_are_within_an_ulp_of_float64_numpy(metric, dtype):
    queries = (torch.randn(20, 33, generator=generator(3), dtype=torch.float64) + 1).to(dtype)
    references = (torch.randn(700, 33, generator=generator(4), dtype=torch.float64) + 1).to(dtype)
    keys = numpy_distances(queries, references, metric)
    (distances, indices), _ = search(queries, references, 12, metric)
    wanted = np.sort(keys, axis=1)[:, :12]
    if metric == "l2":
        wanted = np.sqrt(wanted)
    if metric == "ip":
        wanted = -wanted
    np.testing.assert_allclose(distances.numpy(), wanted, rtol=2**-23, atol=1e-15)
    np.testing.assert_allclose(np.take_along_axis(keys, indices.numpy(), 1), np.sort(keys, axis=1)[:, :12], rtol=1e-12)


@pytest.mark.parametrize(("metric", "theirs"), [("l2", "euclidean"), ("cosine", "cosine")])
def test_agrees_with_scikit_learn(metric, theirs):
    neighbors = pytest.importorskip("sklearn.neighbors")
    queries = torch.randn(50, 24, generator=generator(5), dtype=torch.float64)
    references = torch.randn(900, 24, generator=generator(6), dtype=torch.float64)
    model = neighbors.NearestNeighbors(n_neighbors=15, metric=theirs, algorithm="brute").fit(references.numpy())
    wanted_distances, wanted = model.kneighbors(queries.numpy())
    distances, indices = ops.knn_search(queries, references, 15, metric)
    np.testing.assert_array_equal(indices.numpy(), wanted)
    np.testing.assert_allclose(distances.numpy(), wanted_distances, rtol=1e-6)


# Against the oracle: shapes and options -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(24))
def test_random_problems(seed):
    rng = np.random.default_rng(seed)
    rows, count = int(rng.integers(1, 40)), int(rng.integers(1, 900))
    dim, k = int(rng.choice([1, 2, 7, 8, 16, 31, 100, 513])), int(rng.integers(1, count + 1))
    if seed % 3:
        k = min(k, 30)
    dtype = ops.FLOAT_DTYPES[seed % 4]
    shift = float(rng.choice([0.0, 5.0]))
    random = generator(seed)
    queries = (torch.randn(rows, dim, generator=random, dtype=torch.float64) + shift).to(dtype)
    references = (torch.randn(count, dim, generator=random, dtype=torch.float64) + shift).to(dtype)
    options = {
        "exclude": torch.randint(-1, count, (rows,), generator=random),
        "query_groups": torch.randint(0, 3, (rows,), generator=random),
        "reference_groups": torch.randint(0, 3, (count,), generator=random),
        "mask": torch.rand(count, generator=random) > 0.2,
    }
    assert_exact(queries, references, k)
    assert_exact(queries[:2], references, k)
    assert_exact(queries, references, k, **options)
    few = {name: value[:2] if name in ("exclude", "query_groups") else value for name, value in options.items()}
    assert_exact(queries[:2], references, k, **few)
    assert_exact(queries, references, k, exclude=options["exclude"])


@pytest.mark.parametrize("k", [1, 255, 2000])
def test_many_neighbors(k):
    references = torch.randn(4000, 20, generator=generator(7))
    assert_exact(references[:13] + 0.1, references, k, metrics=("l2", "ip"))


def test_all_references():
    references = torch.randn(300, 12, generator=generator(8))
    assert_exact(references[:20], references, 300)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("rows", [1, 2, 150, 900])
def test_threads_and_batches_do_not_change_bits(threads, rows):
    references = torch.randn(5000, 40, generator=generator(9)).bfloat16()
    queries = references[:rows]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        got = ops.knn_search(queries, references, 10, "cosine")
        half = [ops.knn_search(part, references, 10, "cosine") for part in queries.split(max(1, rows // 2))]
        torch.set_num_threads(1)
        wanted = ops.knn_search(queries, references, 10, "cosine")
    finally:
        torch.set_num_threads(before)
    assert_same_bits(got, wanted)
    assert_same_bits([torch.cat(parts) for parts in zip(*half, strict=True)], wanted)


def test_excluded_index_and_groups_never_appear():
    x = torch.randn(400, 16, generator=generator(10))
    groups = torch.arange(400) // 8
    self_excluded = ops.knn_search(x, x, 5, exclude=torch.arange(400))[1]
    assert not (self_excluded == torch.arange(400)[:, None]).any()
    _, other = ops.knn_search(x, x, 5, query_groups=groups, reference_groups=groups)
    assert not (groups[other] == groups[:, None]).any()
    masked = ops.knn_search(x, x, 5, mask=groups % 2 == 0)[1]
    assert (groups[masked] % 2 == 0).all()


def test_exclude_minus_one_and_out_of_range_exclude_nothing():
    x = torch.randn(60, 4, generator=generator(11))
    plain = ops.knn_search(x, x, 3)
    assert_same_bits(ops.knn_search(x, x, 3, exclude=torch.full((60,), -1)), plain)
    assert_same_bits(ops.knn_search(x, x, 3, exclude=torch.full((60,), 10**12)), plain)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rows", [1, 6])
def test_tail_when_too_few_are_admissible(metric, rows):
    references = torch.randn(50, 6, generator=generator(12))
    mask = torch.zeros(50, dtype=torch.bool)
    mask[[4, 17, 31]] = True
    distances, indices = ops.knn_search(references[:rows], references, 5, metric, mask=mask)
    assert set(indices[0, :3].tolist()) == {4, 17, 31}
    assert (indices[:, 3:] == -1).all()
    assert (distances[:, 3:] == (-torch.inf if metric == "ip" else torch.inf)).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_rows_with_nan_or_inf(metric, dtype, bad):
    references = torch.randn(200, 11, generator=generator(13)).to(dtype)
    queries = references[:9].clone() + 1
    queries[4, 10] = bad
    references[::3, 2] = bad
    assert_exact(queries, references, 7, metrics=(metric,))
    for rows in (queries, queries[4:5]):
        distances, indices = ops.knn_search(rows, references, 7, metric)
        assert not (indices % 3 == 0).any()
        assert (indices == -1).all(1).sum() == 1
        assert distances.isnan().all(1).sum() == 1


def test_all_references_inadmissible():
    references = torch.full((30, 3), float("nan"))
    distances, indices = ops.knn_search(torch.zeros(4, 3), references, 2)
    assert (indices == -1).all()
    assert (distances == torch.inf).all()


# Hostile data ---------------------------------------------------------------------------------------------------------


def hostile_data(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    random = generator(14)

    def normal(*shape):
        return torch.randn(*shape, generator=random)

    if name == "duplicates":
        base = normal(3, 16)
        return torch.cat([base, normal(5, 16)]), base.repeat(1000, 1)
    if name == "all equal":
        return torch.ones(5, 8), torch.ones(2500, 8)
    if name == "common mean":
        return normal(20, 32) + 1000, normal(2500, 32) + 1000
    if name == "lognormal norms":
        return normal(20, 32), normal(2500, 32) * torch.exp(3 * normal(2500, 1))
    if name == "one long row":
        references = normal(2500, 32)
        references[[7, 1250]] *= 1000
        return normal(20, 32), references
    if name == "one huge row":
        references = normal(2500, 32)
        references[1250] *= 1e25
        return normal(20, 32), references
    if name == "collapsed classes":
        centres = normal(5, 24)
        labels = torch.randint(0, 5, (3000,), generator=random)
        return centres.repeat(4, 1) + 0.003 * normal(20, 24), centres[labels] + 0.003 * normal(3000, 24)
    if name == "one-hot":
        return torch.eye(40)[:15], torch.eye(40).repeat(60, 1)
    if name == "denormals":
        return normal(12, 16) * 1e-41, normal(2500, 16) * 1e-41
    if name == "tiny beside ordinary":
        references = normal(2500, 16)
        references[::2] *= 1e-35
        return normal(12, 16) * 1e-30, references
    if name == "near overflow":
        return normal(12, 16) * 1e38, normal(2500, 16) * 1e37
    if name == "zero vectors":
        references = normal(2500, 16)
        references[::2] = 0
        queries = normal(12, 16)
        queries[3] = 0
        return queries, references
    if name == "far queries":
        return normal(12, 16) * 1e6, normal(2500, 16)
    if name == "cancellation":
        row = normal(1, 64)
        return row + 1e-6 * normal(9, 64), row + 1e-6 * normal(2500, 64)
    raise AssertionError(name)


HOSTILE = (
    "duplicates", "all equal", "common mean", "lognormal norms", "one long row", "one huge row", "collapsed classes",
    "one-hot", "denormals", "tiny beside ordinary", "near overflow", "zero vectors", "far queries", "cancellation",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_hostile_data(name, dtype):
    queries, references = hostile_data(name)
    if not queries.to(dtype).isfinite().all() or not references.to(dtype).isfinite().all():
        queries, references = queries.clamp(-3e38, 3e38), references.clamp(-3e38, 3e38)
    assert_exact(queries.to(dtype), references.to(dtype), 10)
    for query in (0, 3):  # few queries take another way
        assert_exact(queries[query : query + 2].to(dtype), references.to(dtype), 10)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e160, 1e-160])
def test_extreme_float64(scale):
    queries = torch.randn(9, 7, generator=generator(15), dtype=torch.float64)
    references = torch.randn(1500, 7, generator=generator(16), dtype=torch.float64)
    assert_exact(queries * scale, references * scale, 6)
    assert_exact(queries, references * scale, 6)


def test_ordinary_data_needs_few_exact_keys():
    """The certificate is worth its name only if it also rejects: about k keys a query, in spite of a large mean."""
    x = torch.randn(6000, 128, generator=generator(17), dtype=torch.float64)
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # splits of the references each rerank their own k
    try:
        for metric, shift in itertools.product(METRICS, (0.0, 100.0)):
            _, stats = search(x[:60] + shift, x + shift, 10, metric)
            assert stats["exact_keys"] <= 60 * 12, (metric, shift)
            assert stats["exact_compactions"] == stats["uncertified_rows"] == 0
    finally:
        torch.set_num_threads(before)


def test_flushing_denormals_changes_nothing():
    queries, references = hostile_data("denormals")
    wanted = ops.knn_search(queries, references, 10)
    try:
        torch.set_flush_denormal(True)
        got = ops.knn_search(queries, references, 10)
    finally:
        torch.set_flush_denormal(False)
    assert_same_bits(got, wanted)


# Operator -------------------------------------------------------------------------------------------------------------


def options_for(rows: int, count: int) -> dict[str, torch.Tensor]:
    return {
        "exclude": torch.arange(rows),
        "query_groups": torch.arange(rows) % 3,
        "reference_groups": torch.arange(count) % 3,
        "mask": torch.arange(count) % 7 != 0,
    }


@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
def test_opcheck(dtype):
    x = torch.randn(30, 8, generator=generator(18)).to(dtype)
    torch.library.opcheck(torch.ops.rote.knn_search, (x[:9], x, 4, "l2"))
    torch.library.opcheck(torch.ops.rote.knn_search, (x[:9], x, 4, "cosine"), options_for(9, 30))
    strided = torch.randn(8, 30, generator=generator(19)).to(dtype).T
    torch.library.opcheck(torch.ops.rote.knn_search, (strided[::2], strided, 4, "ip"))


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile_fullgraph(dynamic):
    def nearest(queries, references):
        distances, indices = ops.knn_search(queries * 2, references, 3, "sqeuclidean")
        return distances + 1, indices

    compiled = torch.compile(nearest, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for rows, count in ((5, 40), (9, 77)) if dynamic else ((5, 40),):
        queries = torch.randn(rows, 6, generator=generator(20))
        references = torch.randn(count, 6, generator=generator(21))
        for got, wanted in zip(compiled(queries, references), nearest(queries, references), strict=True):
            assert torch.equal(got, wanted)


def test_strided_inputs():
    wide = torch.randn(200, 40, generator=generator(22))
    wanted = ops.knn_search(wide[::3, 5:25].contiguous(), wide[:, 5:25].contiguous(), 6)
    assert_same_bits(ops.knn_search(wide[::3, 5:25], wide[:, 5:25], 6), wanted)
    columns = wide[:, 5:25].T.contiguous().T
    assert_same_bits(ops.knn_search(columns[::3], columns, 6), wanted)
    assert_same_bits(ops.knn_search(wide[::3, 5:25], columns[:1].expand(200, 20), 6),
                     ops.knn_search(wide[::3, 5:25].clone(), columns[:1].repeat(200, 1), 6))  # fmt: skip


def test_no_queries():
    distances, indices = ops.knn_search(torch.empty(0, 4), torch.zeros(3, 4), 2)
    assert distances.shape == indices.shape == (0, 2)


X = torch.zeros(6, 4)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"k": 0}, ValueError, "k: wanted at least 1, got 0"),
        ({"k": 7}, ValueError, "k: wanted at most the 6 references, got 7"),
        ({"metric": "l1"}, ValueError, "metric: wanted one of l2, .* got 'l1'"),
        ({"queries": X[0]}, ValueError, r"queries: wanted a matrix of rows, got shape \(4,\)"),
        ({"queries": X[:, :3]}, ValueError, r"references: wanted 3 columns like queries, got shape \(6, 4\)"),
        ({"queries": X[:, :0], "references": X[:, :0]}, ValueError, "queries: wanted at least one column"),
        ({"queries": X.int()}, TypeError, "queries: wanted float64, .* got torch.int32"),
        ({"queries": X.half()}, TypeError, "references: wanted torch.float16 like queries, got torch.float32"),
        ({"references": X.to("meta")}, ValueError, "references: wanted device cpu like queries, got meta"),
        ({"exclude": torch.zeros(6, dtype=torch.int32)}, TypeError, "exclude: wanted torch.int64, got torch.int32"),
        ({"exclude": torch.zeros(5, dtype=torch.int64)}, ValueError, r"exclude: wanted shape \(6,\), got \(5,\)"),
        ({"mask": torch.zeros(6)}, TypeError, "mask: wanted torch.bool, got torch.float32"),
        ({"query_groups": torch.arange(6)}, ValueError, "reference_groups: wanted together with query_groups"),
        ({"reference_groups": torch.arange(6)}, ValueError, "query_groups: wanted together with reference_groups"),
    ],
)
def test_errors_name_the_argument(change, error, message):
    arguments = {"queries": X, "references": X, "k": 2, "metric": "l2", **change}
    with pytest.raises(error, match=message):
        ops._check(*(arguments.get(name) for name in ("queries", "references", "k", "metric", *OPTIONS)))
    if "meta" not in message:
        with pytest.raises(error, match=message):
            ops.knn_search(**arguments)


def test_unknown_level_is_an_error():
    with pytest.raises(ValueError, match="wanted baseline, avx2 or avx512, got 'sse9'"):
        search(X, X, 1, "l2", level="sse9")


def test_rote_simd_selects_the_level(level):
    program = (
        "import torch; from rote import _native; from rote.ops.knn import knn_search;"
        "x = torch.randn(500, 33, generator=torch.Generator().manual_seed(0));"
        "d, i = knn_search(x[:40], x, 9, 'cosine');"
        "print(_native.simd_level(), i.sum().item(), d.double().sum().item().hex())"
    )
    environment = {**os.environ, "ROTE_SIMD": level}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    x = torch.randn(500, 33, generator=generator(0))
    distances, indices = ops.knn_search(x[:40], x, 9, "cosine")
    assert result.stdout.split() == [level, str(indices.sum().item()), distances.double().sum().item().hex()]


@pytest.mark.skipif(_native.build_info()["cuda"], reason="this build has CUDA")
def test_a_build_without_cuda_says_so():
    with pytest.raises(RuntimeError, match="built without CUDA"):
        _native.knn_workspace_bytes(1, 1, 1, 1)


# CUDA: the same bits --------------------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
class TestCuda:
    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
    @pytest.mark.parametrize(("rows", "count", "dim", "k"), [(70, 3000, 33, 10), (3, 700, 5, 700), (9, 5000, 8, 2000)])
    def test_same_bits_as_the_cpu(self, metric, dtype, rows, count, dim, k):
        queries = torch.randn(rows, dim, generator=generator(23)).to(dtype)
        references = torch.randn(count, dim, generator=generator(24)).to(dtype)
        references[5] = float("nan")
        queries[1, 2] = float("inf")
        for options in ({}, options_for(rows, count)):
            on_device = {name: tensor.cuda() for name, tensor in options.items()}
            got = ops.knn_search(queries.cuda(), references.cuda(), k, metric, **on_device)
            assert_same_bits([t.cpu() for t in got], ops.knn_search(queries, references, k, metric, **options))

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_data(self, name):
        queries, references = hostile_data(name)
        for metric in METRICS:
            got = ops.knn_search(queries.cuda(), references.cuda(), 10, metric)
            assert_same_bits([t.cpu() for t in got], ops.knn_search(queries, references, 10, metric))

    def test_unknown_path_is_an_error(self, monkeypatch):
        monkeypatch.setenv("ROTE_KNN_PATH", "warp9")
        with pytest.raises(ValueError, match="ROTE_KNN_PATH: wanted auto, simple, sm80 or sm90, got 'warp9'"):
            ops.knn_search(X.cuda(), X.cuda(), 1)

    def test_captures_into_a_cuda_graph(self):
        x = torch.randn(500, 16, generator=generator(25)).cuda()
        wanted = ops.knn_search(x, x, 5)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            got = ops.knn_search(x, x, 5)
        graph.replay()
        torch.cuda.synchronize()
        assert_same_bits([t.cpu() for t in got], [t.cpu() for t in wanted])
