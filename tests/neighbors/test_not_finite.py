"""The policy for NaN, inf and overflow (docs/searching.md), statement by statement, for everything that searches."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rote
from rote.neighbors import distances_from_keys, knn_keys

from . import oracle

METRICS = ("l2", "sqeuclidean", "cosine", "ip")
BAD = (np.nan, np.inf, -np.inf)
ROWS, DIM = 40, 5


def by_keys(queries, references, k, metric):
    keys, indices = knn_keys(queries, references, k, metric)
    return distances_from_keys(keys, metric), indices


def into_buffers(queries, references, k, metric):
    out = np.zeros((len(queries), k), np.float32), np.zeros((len(queries), k), np.int64)
    return rote.knn(queries, references, k, metric, out=out)


SEARCHES = {
    "knn": rote.knn,
    "out": into_buffers,
    "Index": lambda queries, references, k, metric: rote.Index(references, metric).search(queries, k),
    "keys": by_keys,
    "streamed": lambda *given: rote.knn_streamed(*given, chunk_rows=9),
}


def data(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """A third of the references and some queries are spoiled, each kind of bad number in each."""
    generator = torch.Generator().manual_seed(0)
    references = torch.randn(ROWS, DIM, generator=generator).to(dtype)
    queries = torch.randn(12, DIM, generator=generator).to(dtype)
    for row in range(0, ROWS, 3):
        references[row, row % DIM] = BAD[row // 3 % 3]
    for row in (1, 4, 8):
        queries[row, row % DIM] = BAD[row % 3]
    return queries, references


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("search", SEARCHES)
def test_rows_that_are_not_finite(search: str, metric: str):
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        queries, references = data(dtype)
        if search == "out" and dtype == torch.bfloat16:
            continue  # numpy has none
        given = (queries.numpy(), references.numpy()) if search == "out" else (queries, references)
        distances, indices = (np.asarray(part) for part in SEARCHES[search](*given, ROWS, metric))
        finite_queries = queries.isfinite().all(1).numpy()
        finite_references = np.flatnonzero(references.isfinite().all(1).numpy())
        assert 0 < len(finite_references) < ROWS
        # A query that is not finite has no neighbours, and says so by NaN.
        assert np.isnan(distances[~finite_queries]).all()
        assert (indices[~finite_queries] == -1).all()
        # Any other finds every finite reference, no other one, and then the worst value of the metric.
        found = len(finite_references)
        for row in np.flatnonzero(finite_queries):
            assert sorted(indices[row, :found]) == finite_references.tolist()
            assert np.isfinite(distances[row, :found]).all()
            assert (indices[row, found:] == -1).all()
            assert (distances[row, found:] == (-np.inf if metric == "ip" else np.inf)).all()
        expected = oracle.knn(queries.double().numpy(), references.double().numpy(), ROWS, metric)
        np.testing.assert_array_equal(indices, expected[1])
        np.testing.assert_array_equal(distances, expected[0])


@pytest.mark.parametrize("search", SEARCHES)
def test_one_query_alone_is_treated_alike(search: str):
    queries, references = (part.numpy() for part in data(torch.float32))
    for row in range(len(queries)):
        alone = SEARCHES[search](queries[row : row + 1], references, 7, "l2")
        expected = oracle.knn(queries[row : row + 1], references, 7)
        np.testing.assert_array_equal(alone[1], expected[1])
        np.testing.assert_array_equal(alone[0], expected[0])


@pytest.mark.parametrize("search", SEARCHES)
def test_finite_neighbours_may_be_infinitely_far_and_stay_neighbours(search: str):
    # Beyond float32 distances are inf, but the order is still that of the keys.
    references = np.array([[3e60], [1e60], [2e60], [np.nan]])
    distances, indices = SEARCHES[search](np.zeros((1, 1)), references, 4, "l2")
    assert indices.tolist() == [[1, 2, 0, -1]]
    assert distances.tolist() == [[np.inf] * 4]
    # Beyond float64 keys are inf too, and the smaller index comes first; -1 comes last.
    distances, indices = SEARCHES[search](np.zeros((1, 1)), references * 1e200, 4, "sqeuclidean")
    assert indices.tolist() == [[0, 1, 2, -1]]
    products, indices = SEARCHES[search](np.full((1, 1), 1e200), references * 1e200, 4, "ip")
    assert indices.tolist() == [[0, 1, 2, -1]]
    assert products.tolist() == [[np.inf, np.inf, np.inf, -np.inf]]


@pytest.mark.parametrize("search", SEARCHES)
def test_zero_vectors_and_signed_zeros_are_ordinary(search: str):
    references = np.array([[0.0, 0.0], [-0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], np.float32)
    distances, indices = SEARCHES[search](references[:2], references, 4, "cosine")
    assert distances.tolist() == [[1.0] * 4] * 2
    assert indices.tolist() == [[0, 1, 2, 3]] * 2
    distances, indices = SEARCHES[search](references[1:2], references, 4, "ip")
    assert indices.tolist() == [[0, 1, 2, 3]]
    assert not np.signbit(distances).any()


def test_a_reference_that_is_not_finite_counts_towards_n_only():
    references = np.array([[np.nan], [1.0]])
    assert rote.knn(np.zeros((1, 1)), references, 2)[1].tolist() == [[1, -1]]
    with pytest.raises(ValueError, match="the number of references, 2; got 3"):
        rote.knn(np.zeros((1, 1)), references, 3)


def test_estimators_refuse_what_is_not_finite():
    good = np.random.default_rng(0).standard_normal((20, 3))
    labels = np.arange(20) % 2
    for bad_number in BAD:
        bad = good.copy()
        bad[4, 1] = bad_number
        for wrap in (np.asarray, torch.from_numpy):
            for estimator in (rote.NearestNeighbors(3), rote.KNNProbe(3)):
                with pytest.raises(ValueError, match=r"NaN|infinity"):
                    type(estimator)(3).fit(wrap(bad), labels)
                estimator.fit(wrap(good), labels)
                with pytest.raises(ValueError, match=r"NaN|infinity"):
                    estimator.kneighbors(wrap(bad))


def test_accuracies_count_a_query_that_is_not_finite_as_wrong():
    x, y = np.array([[0.0], [0.1], [1.0], [1.1]]), np.array([0, 0, 1, 1])
    bad = x.copy()
    bad[0] = np.nan
    assert rote.knn_accuracy(x, y, bad, y, k=1, metric="l2") == 0.75
    assert rote.leave_one_out_accuracy(bad, y, k=1, metric="l2") == 0.5  # and row 1 has lost its neighbour
