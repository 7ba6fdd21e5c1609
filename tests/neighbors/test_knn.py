"""`rote.knn` against the oracle, scipy and its own rules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from torch._dynamo.testing import CompileCounterWithBackend
from torch._subclasses.fake_tensor import FakeTensorMode

import rote

from . import oracle

METRICS = ("l2", "sqeuclidean", "cosine", "ip")


def points(rows: int, columns: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns))


def assert_same(found, expected) -> None:
    np.testing.assert_array_equal(np.asarray(found[1]), expected[1])
    np.testing.assert_array_equal(np.asarray(found[0]), expected[0])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("rows", "columns", "k"), [(1, 1, 1), (40, 3, 40), (57, 13, 5), (64, 32, 20)])
def test_equals_the_oracle(metric: str, rows: int, columns: int, k: int):
    queries, references = points(23, columns, 1), points(rows, columns, 2)
    found = rote.knn(queries, references, k, metric)
    assert found[0].dtype == np.float32
    assert found[1].dtype == np.int64
    assert found[0].shape == found[1].shape == (23, k)
    assert_same(found, oracle.knn(queries, references, k, metric))


@pytest.mark.parametrize("metric", ["l2", "sqeuclidean", "cosine"])
def test_equals_scipy(metric: str):
    queries, references = points(30, 11, 1), points(80, 11, 2)
    distances, indices = rote.knn(queries, references, 10, metric)
    exact = cdist(queries, references, "euclidean" if metric == "l2" else metric)
    np.testing.assert_array_equal(indices, np.argsort(exact, axis=1, kind="stable")[:, :10])
    np.testing.assert_allclose(distances, np.sort(exact, axis=1)[:, :10], rtol=3e-7)


@pytest.mark.parametrize("metric", METRICS)
def test_ties_go_to_the_smaller_index(metric: str):
    references = np.repeat(np.array([[1.0, 0.0], [0.0, 1.0]]), 5, axis=0)[[5, 0, 6, 1, 7, 2, 8, 3, 9, 4]]
    _, indices = rote.knn(np.array([[1.0, 0.0]]), references, 10, metric)
    assert indices[0].tolist() == [1, 3, 5, 7, 9, 0, 2, 4, 6, 8]


def test_a_zero_vector_has_cosine_distance_one_to_everything():
    distances, indices = rote.knn(np.zeros((1, 2)), np.array([[1.0, 0.0], [0.0, 0.0]]), 2, "cosine")
    assert distances.tolist() == [[1.0, 1.0]]
    assert indices.tolist() == [[0, 1]]
    distances, indices = rote.knn(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0], [-1.0, 0.0], [1.0, 1e-9]]), 3, "cosine")
    assert indices.tolist() == [[2, 0, 1]]
    assert distances.tolist() == [[0.0, 1.0, 2.0]]


@pytest.mark.parametrize("metric", METRICS)
def test_a_row_that_is_not_finite_is_no_neighbour_and_gets_none(metric: str):
    queries, references = points(4), points(6, seed=1)
    queries[1, 0], references[2, 3], references[4, 0] = np.nan, np.inf, np.nan
    distances, indices = rote.knn(queries, references, 6, metric)
    assert_same((distances, indices), oracle.knn(queries, references, 6, metric))
    assert np.isnan(distances[1]).all()
    assert (indices[1] == -1).all()
    worst = -np.inf if metric == "ip" else np.inf
    assert (distances[0, 4:] == worst).all()
    assert indices[0, 4:].tolist() == [-1, -1]
    assert not np.isin(indices, [2, 4]).any()


@pytest.mark.parametrize("metric", METRICS)
def test_exclude_self_drops_the_row_itself_and_keeps_its_duplicates(metric: str):
    x = np.repeat(points(5), 2, axis=0)
    found = rote.knn(x, x, 9, metric, exclude="self")
    assert_same(found, oracle.knn(x, x, 9, metric, exclude=np.arange(10)))
    assert not (found[1] == np.arange(10)[:, None]).any()
    if metric != "ip":
        assert found[1][:, 0].tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]


@pytest.mark.parametrize("metric", METRICS)
def test_all_restrictions_at_once(metric: str):
    generator = np.random.default_rng(3)
    queries, references = points(17), points(50, seed=1)
    exclude = generator.integers(-1, 50, 17)
    groups = generator.integers(0, 3, 17), generator.integers(0, 3, 50)
    mask = generator.random(50) < 0.5
    found = rote.knn(queries, references, 25, metric, exclude=exclude, groups=groups, mask=mask)
    assert_same(found, oracle.knn(queries, references, 25, metric, exclude, groups, mask))
    assert (found[1] == -1).any()


def test_arguments_may_be_strided():
    generator = np.random.default_rng(4)
    queries, references = points(18, 14)[::2, ::-2], points(80, 21, 1)[::-2, 1::3]
    exclude = generator.integers(-1, 40, 27)[::3]
    groups, mask = (generator.integers(0, 3, 9)[::-1], generator.integers(0, 3, (40, 2))[:, 1]), np.arange(80)[::2] < 60
    expected = oracle.knn(queries, references, 12, "cosine", exclude, groups, mask)
    options = {"exclude": exclude, "groups": groups, "mask": mask}
    assert_same(rote.knn(queries, references, 12, "cosine", **options), expected)
    tensors = (
        torch.from_numpy(points(18, 14)).flip(1)[::2, ::2],
        torch.from_numpy(points(80, 21, 1)).flip(0)[::2].T[1::3].T,
    )
    options = {
        "exclude": torch.from_numpy(exclude),
        "groups": tuple(torch.from_numpy(g.copy()) for g in groups),
        "mask": torch.from_numpy(mask),
    }
    assert_same(rote.knn(*tensors, 12, "cosine", **options), expected)


@given(data=st.data(), metric=st.sampled_from(METRICS))
@settings(max_examples=60, deadline=None)
def test_small_integers_full_of_ties_and_holes(data: st.DataObject, metric: str):
    rows, references, columns = (data.draw(st.integers(low, 12)) for low in (0, 1, 1))
    value = st.sampled_from([0.0, 0.0, 1.0, -1.0, 2.0, 3.0, np.nan, -np.inf])
    q = data.draw(arrays(np.float32, (rows, columns), elements=value))
    r = data.draw(arrays(np.float32, (references, columns), elements=value))
    k = data.draw(st.integers(1, references))
    exclude = data.draw(st.none() | arrays(np.int64, rows, elements=st.integers(-1, references - 1)))
    group = st.integers(0, 2)
    groups = data.draw(st.none() | st.tuples(*(arrays(np.int64, n, elements=group) for n in (rows, references))))
    mask = data.draw(st.none() | arrays(np.bool_, references))
    found = rote.knn(q, r, k, metric, exclude=exclude, groups=groups, mask=mask)
    assert_same(found, oracle.knn(q, r, k, metric, exclude, groups, mask))


def test_minus_one_excludes_nothing():
    queries, references = points(5), points(9, seed=1)
    assert_same(
        rote.knn(queries, references, 9, exclude=np.full(5, -1)),
        rote.knn(queries, references, 9),
    )


def test_no_admissible_reference():
    distances, indices = rote.knn(points(2), points(3), 2, "ip", mask=np.zeros(3, dtype=bool))
    assert (indices == -1).all()
    assert (distances == -np.inf).all()


def test_no_queries():
    distances, indices = rote.knn(points(0), points(3), 2)
    assert distances.shape == indices.shape == (0, 2)
    assert distances.dtype == np.float32
    assert indices.dtype == np.int64
    found = rote.knn(
        torch.empty(0, 7), torch.ones(3, 7), 2, groups=(torch.empty(0, dtype=torch.int64), torch.arange(3))
    )
    assert found[0].shape == (0, 2)


def test_the_result_does_not_depend_on_which_queries_stand_together():
    queries, references = points(31, 19), points(200, 19, 1)
    together = rote.knn(queries, references, 7, "cosine")
    for row in range(31):
        alone = rote.knn(queries[row : row + 1], references, 7, "cosine")
        assert_same(alone, (together[0][row : row + 1], together[1][row : row + 1]))


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_out_is_filled_and_returned(kind: str):
    queries, references = points(6), points(9, seed=1)
    expected = oracle.knn(queries, references, 4)
    if kind == "numpy":
        out = np.empty((6, 8), dtype=np.float32)[:, ::2], np.empty((6, 4), dtype=np.int64)
    else:
        queries, references = torch.from_numpy(queries), torch.from_numpy(references)
        out = torch.empty(6, 4), torch.empty(4, 6, dtype=torch.int64).T
    found = rote.knn(queries, references, 4, out=out)
    assert found[0] is out[0]
    assert found[1] is out[1]
    assert_same(found, expected)


def test_the_result_is_not_differentiable():
    x = torch.randn(5, 3, requires_grad=True)
    distances, indices = rote.knn(x, x, 2)
    assert not distances.requires_grad
    assert not indices.requires_grad
    rote.knn(x, x, 2, out=(distances, indices))


X = np.zeros((4, 3), dtype=np.float32)
T = torch.zeros(4, 3)
IDS = np.arange(4)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X, X, 0), {}, ValueError, r"k must lie between 1 and the number of references, 4; got 0"),
        ((X, X, 5), {}, ValueError, r"k must lie between 1 and the number of references, 4; got 5"),
        ((X, X[:0], 1), {}, ValueError, r"the number of references, 0; got 1"),
        ((X, X, 1.0), {}, TypeError, r"k must be an integer; got 1\.0"),
        ((X, X, True), {}, TypeError, r"k must be an integer; got True"),
        ((X, X, 1, "manhattan"), {}, ValueError, r"metric must be one of 'l2', .*; got 'manhattan'"),
        ((X[:, :0], X[:, :0], 1), {}, ValueError, r"at least one column"),
        ((X, X[:, :2], 1), {}, ValueError, r"same number of columns d; got float32 \[4, 3\] and float32 \[4, 2\]"),
        ((X[0], X, 1), {}, ValueError, r"queries must be .* of shape \[Q, d\]; got float32 \[3\]"),
        ((X, X[None], 1), {}, ValueError, r"references must be .* of shape \[N, d\]; got float32 \[1, 4, 3\]"),
        ((X.astype(int), X, 1), {}, TypeError, r"queries must be float64, .*; got int64 \[4, 3\]"),
        ((X, T.long(), 1), {}, TypeError, r"references must be float64, .*; got int64 \[4, 3\]"),
        ((X.astype(">f4"), X, 1), {}, TypeError, r"queries must be .*native byte order; got dtype '>f4'"),
        ((X.astype(np.longdouble), X, 1), {}, TypeError, r"queries must be .*; got (float128|longdouble)"),
        ((X.astype(complex), X, 1), {}, TypeError, r"queries must be .*; got complex128"),
        ((np.ma.masked_array(X), X, 1), {}, TypeError, r"queries must be .*masked array"),
        ((X.tolist(), X, 1), {}, TypeError, r"queries must be .*__dlpack__; got list"),
        ((T.to_sparse(), T, 1), {}, TypeError, r"queries must be .*dense"),
        ((T, T.to("meta"), 1), {}, ValueError, r"same device; got queries on cpu and references on meta"),
        ((X, X, 1), {"exclude": "own"}, ValueError, r"exclude must be 'self' or int64 of shape \[Q\]; got 'own'"),
        ((X[:3], X, 1), {"exclude": "self"}, ValueError, r"same rows; got 3 queries and 4 references"),
        (
            (X, X, 1),
            {"exclude": IDS.astype(np.int32)},
            TypeError,
            r"exclude must be int64 of shape \[Q\]; got int32 \[4\]",
        ),
        (
            (X, X, 1),
            {"exclude": IDS[:3]},
            ValueError,
            r"exclude must be int64 of shape \[Q\] with Q = 4; got int64 \[3\]",
        ),
        ((X, X, 1), {"exclude": IDS + 1}, ValueError, r"exclude must hold .*\[0, 4\), or -1 .*; got 4 for query 3"),
        ((X, X, 1), {"exclude": IDS - 2}, ValueError, r"exclude must hold .*; got -2 for query 0"),
        ((X, X, 1), {"exclude": T[:, 0].long().to("meta")}, ValueError, r"exclude must be on cpu.*; got meta"),
        ((X, X, 1), {"groups": IDS}, TypeError, r"groups must be a pair .*; got int64 \[4\]"),
        ((X, X, 1), {"groups": (IDS, IDS[:2])}, ValueError, r"groups\[1\] must be int64 of shape \[N\] with N = 4"),
        ((X, X, 1), {"groups": (IDS * 1.0, IDS)}, TypeError, r"groups\[0\] must be int64 .*; got float64 \[4\]"),
        ((X, X, 1), {"mask": IDS}, TypeError, r"mask must be bool of shape \[N\]; got int64 \[4\]"),
        ((X, X, 1), {"mask": IDS[:3] > 0}, ValueError, r"mask must be bool of shape \[N\] with N = 4; got bool \[3\]"),
        ((X, X, 1), {"out": X}, TypeError, r"out must be a pair"),
        ((X, X, 1), {"out": (T[:, :1], T[:, :1].long())}, TypeError, r"out\[0\].* numpy arrays.*; got Tensor"),
        ((T, T, 1), {"out": (X[:, :1], IDS[:, None])}, TypeError, r"out\[0\].* torch tensors; got ndarray"),
        ((X, X, 1), {"out": (X[:, :1], X[:, :1])}, TypeError, r"out\[1\] must be int64 .*; got float32 \[4, 1\]"),
        (
            (X, X, 2),
            {"out": (X[:, :1], IDS[:, None])},
            ValueError,
            r"out\[0\] must be .*\[4, 2\]; got float32 \[4, 1\]",
        ),
        (
            (T, T, 1),
            {"out": (T[:, :1].to("meta"), T[:, :1].long())},
            ValueError,
            r"out\[0\] must be on cpu.*; got meta",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        rote.knn(*arguments, **options)


def test_a_read_only_out_is_refused():
    out = np.zeros((4, 1), dtype=np.float32), np.zeros((4, 1), dtype=np.int64)
    out[1].flags.writeable = False
    with pytest.raises(ValueError, match=r"out\[1\] must be writable"):
        rote.knn(X, X, 1, out=out)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_looks_at_excluded_ids_only_on_request(monkeypatch: pytest.MonkeyPatch):
    x, bad = torch.randn(4, 3, device="cuda"), torch.tensor([0, 1, 2, 9], device="cuda")
    assert rote.knn(x, x, 2, exclude=bad)[1].shape == (4, 2)
    monkeypatch.setenv("ROTE_CHECK", "1")
    with pytest.raises(ValueError, match="got 9 for query 3"):
        rote.knn(x, x, 2, exclude=bad)


def test_fake_tensors_give_shapes():
    with FakeTensorMode():
        x, ids, mask = torch.empty(6, 3), torch.empty(6, dtype=torch.int64), torch.empty(6, dtype=torch.bool)
        distances, indices = rote.knn(x, x.double(), 4, exclude=ids, groups=(ids, ids), mask=mask)
        assert (distances.shape, distances.dtype) == ((6, 4), torch.float32)
        assert (indices.shape, indices.dtype) == ((6, 4), torch.int64)
        assert rote.Index(x).search(x, 2, exclude="self")[0].shape == (6, 2)


def test_compiles_into_one_graph_with_dynamic_shapes():
    compiled = torch.compile(
        lambda q, r, g, m: rote.knn(q, r, 3, "cosine", exclude="self", groups=(g, g), mask=m),
        fullgraph=True,
        backend="aot_eager",
    )
    for rows in (20, 21, 33):
        x, groups, mask = torch.randn(rows, 5), torch.randint(0, 4, (rows,)), torch.rand(rows) > 0.2
        found = compiled(x, x.double(), groups, mask)
        expected = rote.knn(x, x.double(), 3, "cosine", exclude="self", groups=(groups, groups), mask=mask)
        assert_same(found, expected)


def test_k_may_be_symbolic_and_does_not_retrace():
    graphs = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(lambda x, k: rote.knn(x, x, k), fullgraph=True, backend=graphs, dynamic=True)
    for rows, k in ((30, 3), (31, 4), (40, 9)):
        x = torch.randn(rows, 4)
        assert_same(compiled(x, k), rote.knn(x, x, k))
    assert graphs.frame_count == 1
