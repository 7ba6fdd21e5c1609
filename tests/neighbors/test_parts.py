"""Keys of parts of the references, merged: the bits of one search, ties and missing neighbours included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rote
from rote.neighbors import distances_from_keys, knn_keys, merge

from . import oracle
from .test_knn import METRICS, assert_same, points

INF, NAN = float("inf"), float("nan")


def searched_in_parts(queries, references, cuts, k, metric, order, **restrictions):
    exclude, groups, mask = (restrictions.get(name) for name in ("exclude", "groups", "mask"))
    parts = []
    for start, stop in zip((0, *cuts), (*cuts, len(references)), strict=True):
        if start == stop:
            continue
        inside = None if exclude is None else (exclude >= start) & (exclude < stop)
        keys, indices = knn_keys(
            queries,
            references[start:stop],
            min(k, stop - start),
            metric,
            exclude=None if exclude is None else np.where(inside, exclude - start, -1),
            groups=None if groups is None else (groups[0], groups[1][start:stop]),
            mask=None if mask is None else mask[start:stop],
        )
        parts.append((keys, np.where(indices < 0, -1, indices + start)))
    return merge([parts[i] for i in order(len(parts))], k)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("order", [range, lambda count: range(count)[::-1]], ids=["forwards", "backwards"])
def test_parts_merged_are_one_search(metric: str, order):
    generator = np.random.default_rng(1)
    references = np.repeat(points(30, 5, 2), 2, axis=0)[generator.permutation(60)]  # every key twice
    queries = np.concatenate([points(11, 5, 3), np.zeros((1, 5)), np.full((1, 5), np.nan)])
    references[7, 2], references[41, 0] = np.inf, np.nan
    restrictions = {
        "exclude": generator.integers(-1, 60, 13),
        "groups": (generator.integers(0, 4, 13), generator.integers(0, 4, 60)),
        "mask": generator.random(60) < 0.6,
    }
    for given_restrictions in ({}, restrictions):
        keys, indices = searched_in_parts(queries, references, (1, 9, 33), 28, metric, order, **given_restrictions)
        whole = knn_keys(queries, references, 28, metric, **given_restrictions)
        np.testing.assert_array_equal(indices, whole[1])
        np.testing.assert_array_equal(keys.view(np.int64), whole[0].view(np.int64))
        expected = oracle.knn(queries, references, 28, metric, **given_restrictions)
        assert_same((distances_from_keys(keys, metric), indices), expected)
        if given_restrictions:
            assert (indices[:-1] == -1).any()


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_cut_of_small_integers_full_of_ties(data: st.DataObject):
    rows = data.draw(st.integers(1, 14))
    values = st.lists(st.integers(-1, 1), min_size=2 * rows, max_size=2 * rows)
    references = np.array(data.draw(values), dtype=np.float32).reshape(rows, 2)
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=4)))
    k, metric = data.draw(st.integers(1, rows)), data.draw(st.sampled_from(METRICS))
    shuffled = lambda count: data.draw(st.permutations(range(count)))
    found = searched_in_parts(references, references, cuts, k, metric, shuffled)
    assert_same((distances_from_keys(found[0], metric), found[1]), oracle.knn(references, references, k, metric))


def test_merge_by_hand():
    keys, indices = merge(
        [
            (np.array([[1.0, 2.0, INF]]), np.array([[8, 3, -1]])),
            (np.array([[1.0, INF]]), np.array([[5, 9]])),  # 9 is a neighbour, beyond float64
            (np.empty((1, 0)), np.empty((1, 0), np.int64)),
            (np.array([[-0.0]]), np.array([[7]])),
            (np.array([[0.0]]), np.array([[6]])),
        ],
        7,
    )
    assert indices.tolist() == [[6, 7, 5, 8, 3, 9, -1]]  # -0.0 equals 0.0
    assert keys.tolist() == [[0.0, 0.0, 1.0, 1.0, 2.0, INF, INF]]
    assert np.signbit(keys[0, :2]).tolist() == [False, True]  # and keeps its bits


def test_a_query_that_is_not_finite_has_no_neighbours_anywhere():
    keys, indices = merge([(np.array([[NAN]]), np.array([[-1]])), (np.array([[INF, 1.0]]), np.array([[-1, 4]]))], 2)
    assert np.isnan(keys).all()
    assert indices.tolist() == [[-1, -1]]


def test_more_neighbours_than_the_parts_hold():
    keys, indices = merge([(torch.tensor([[3.0]], dtype=torch.float64), torch.tensor([[2]]))], 3)
    assert isinstance(keys, torch.Tensor)
    assert (keys.tolist(), indices.tolist()) == ([[3.0, INF, INF]], [[2, -1, -1]])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy], ids=["numpy", "torch"])
def test_keys_grow_with_distance_and_give_it(metric: str, kind):
    queries, references = kind(points(20, 9, 4)), kind(points(60, 9, 5))
    keys, indices = knn_keys(queries, references, 25, metric)
    assert type(keys) is type(indices) is type(queries)
    assert str(keys.dtype).endswith("float64")
    assert (np.diff(np.asarray(keys)) >= 0).all()
    distances = distances_from_keys(keys, metric)
    assert type(distances) is type(queries)
    assert_same((distances, indices), rote.knn(queries, references, 25, metric))
    double = np.asarray(distances_from_keys(keys, metric, dtype=torch.float64))
    assert double.dtype == np.float64
    np.testing.assert_array_equal(double.astype(np.float32), distances)


def test_distances_of_keys_are_those_of_the_core_to_the_bit():
    """Keys over the whole range of float32's squares, so that a square root that is not correctly rounded shows."""
    rows = np.exp2(np.random.default_rng(6).uniform(-70, 60, (20_000, 1)))
    keys, indices = knn_keys(np.zeros((1, 1)), rows, 20_000, "l2")
    distances, expected = rote.knn(np.zeros((1, 1)), rows, 20_000, "l2")
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(distances_from_keys(keys, "l2"), distances)
    np.testing.assert_array_equal(np.sqrt(keys), np.sort(rows, 0).T)  # of exact squares


def test_an_index_gives_keys_too():
    queries, references = points(5), points(30, seed=1)
    options = {"exclude": np.arange(5), "groups": (np.arange(5), np.arange(30) % 7), "mask": np.arange(30) > 2}
    found = rote.Index(references, metric="cosine").search_keys(queries, 4, **options)
    for a, b in zip(found, knn_keys(queries, references, 4, "cosine", **options), strict=True):
        np.testing.assert_array_equal(a, b)
    tensor = torch.from_numpy(references)
    index = rote.Index(tensor)
    tensor.zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        index.search_keys(queries, 4)


def test_merge_traces_into_one_graph():
    def merged(a, b, i, j):
        keys, indices = merge([(a, i), (b, j)], 3)
        return distances_from_keys(keys, "l2"), indices

    a, b = torch.rand(4, 3, dtype=torch.float64).sort().values, torch.rand(4, 5, dtype=torch.float64).sort().values
    i, j = torch.arange(3).expand(4, 3), torch.arange(3, 8).expand(4, 5)
    compiled = torch.compile(merged, fullgraph=True, backend="aot_eager")
    for found, expected in zip(compiled(a, b, i, j), merged(a, b, i, j), strict=True):
        assert torch.equal(found, expected)


K1, I1 = np.zeros((2, 3)), np.zeros((2, 3), np.int64)


@pytest.mark.parametrize(
    ("parts", "k", "error", "message"),
    [
        ([], 1, ValueError, r"parts must hold at least one pair \(keys, indices\); got none"),
        ([K1], 1, TypeError, r"parts\[0\] must be a pair \(keys, indices\); got float64 \[2, 3\]"),
        ([(K1, I1), (K1.astype("f4"), I1)], 1, TypeError, r"parts\[1\]\[0\] \(keys\) must be float64 .*; got float32"),
        ([(K1, K1)], 1, TypeError, r"parts\[0\]\[1\] \(indices\) must be int64 of shape \[Q, m\]; got float64"),
        ([(K1[0], I1)], 1, ValueError, r"parts\[0\]\[0\] \(keys\) must be .* \[Q, m\]; got float64 \[3\]"),
        (
            [(K1, I1[:, :2])],
            1,
            ValueError,
            r"parts\[0\] must hold .* one shape.*; got float64 \[2, 3\] and int64 \[2, 2\]",
        ),
        ([(K1, I1), (K1[:1], I1[:1])], 1, ValueError, r"parts\[1\] must hold .* Q = 2 rows; got float64 \[1, 3\]"),
        (
            [(K1, I1), (torch.zeros(2, 3, dtype=torch.float64, device="meta"), I1)],
            1,
            ValueError,
            r"parts\[1\] must be on cpu, where parts\[0\] is; got meta and cpu",
        ),
        ([(K1, I1)], 0, ValueError, r"k must be at least 1; got 0"),
        ([(K1, I1)], 1.5, TypeError, r"k must be an integer; got 1.5"),
    ],
)
def test_bad_parts_are_named(parts, k, error, message):
    with pytest.raises(error, match=message):
        merge(parts, k)


def test_bad_keys_are_named():
    with pytest.raises(TypeError, match=r"keys must be float64; got float32 \[2, 3\]"):
        distances_from_keys(K1.astype(np.float32), "l2")
    with pytest.raises(ValueError, match="metric must be one of"):
        distances_from_keys(K1, "l1")
    with pytest.raises(ValueError, match=r"dtype must be torch.float32 or torch.float64; got torch.float16"):
        distances_from_keys(K1, "l2", dtype=torch.float16)
