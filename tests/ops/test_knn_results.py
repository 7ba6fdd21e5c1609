"""The results of rote::knn_search against numpy, scikit-learn and the definition, on every instruction set."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.ops import knn as ops

from .knn_executors import LEVELS, METRICS, PATHS, assert_exact, assert_same_bits, definition, generator, search


def numpy_distances(queries: torch.Tensor, references: torch.Tensor, metric: str) -> np.ndarray:
    """float64 [Q, N]; smaller is nearer."""
    q, r = queries.double().numpy()[:, None], references.double().numpy()[None]
    if metric in ("l2", "sqeuclidean"):
        return ((q - r) ** 2).sum(-1)
    product = (q * r).sum(-1)
    if metric == "ip":
        return -product
    return 1 - product / np.sqrt((q * q).sum(-1) * (r * r).sum(-1))


@pytest.mark.parametrize("metric", ["l2", "sqeuclidean", "ip"])
@pytest.mark.parametrize("dtype", ops.FLOAT_DTYPES)
@pytest.mark.parametrize("path", PATHS)
def test_integer_data_is_exact_with_ties_by_index(metric, dtype, level, path):
    queries = torch.randint(-3, 4, (37, 9), generator=generator(1)).to(dtype)
    references = torch.randint(-3, 4, (1500, 9), generator=generator(2)).to(dtype)
    keys = numpy_distances(queries, references, metric)
    wanted = np.argsort(keys, axis=1, kind="stable")[:, :40]
    distances, indices, _ = search(queries, references, 40, metric, level=level, path=path)
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
    distances, indices, _ = search(queries, references, 12, metric)
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


@pytest.mark.parametrize("metric", METRICS)
def test_keys_are_what_distances_are_rounded_from(metric):
    x = torch.randn(300, 17, generator=generator(7))
    x[4, 4] = torch.nan
    distances, indices = ops.knn_search(x[:30], x, 9, metric)
    keys, same = torch.ops.rote.knn_search_keys(x[:30], x, 9, metric)
    assert keys.dtype == torch.float64
    assert torch.equal(same, indices)
    assert keys[4].isnan().all()
    finite = torch.arange(30) != 4
    assert (keys[finite].diff() >= 0).all()
    rounded = {"l2": keys.sqrt(), "sqeuclidean": keys, "cosine": 1 + keys, "ip": -keys}[metric].float()
    assert torch.equal(rounded[finite], distances[finite])
    assert_same_bits((keys, same), definition(x[:30], x, 9, metric, values=torch.float64))


@pytest.mark.parametrize("k", [1, 255, 2000])
def test_many_neighbors(k):
    references = torch.randn(4000, 20, generator=generator(8))
    assert_exact(references[:13] + 0.1, references, k, metrics=("l2", "ip"))


def test_all_references():
    references = torch.randn(300, 12, generator=generator(9))
    assert_exact(references[:20], references, 300)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 1e160, 1e-160])
def test_extreme_float64(scale):
    queries = torch.randn(9, 7, generator=generator(10), dtype=torch.float64)
    references = torch.randn(1500, 7, generator=generator(11), dtype=torch.float64)
    assert_exact(queries * scale, references * scale, 6)
    assert_exact(queries, references * scale, 6)


def test_strided_inputs():
    wide = torch.randn(200, 40, generator=generator(12))
    wanted = ops.knn_search(wide[::3, 5:25].contiguous(), wide[:, 5:25].contiguous(), 6)
    assert_same_bits(ops.knn_search(wide[::3, 5:25], wide[:, 5:25], 6), wanted)
    columns = wide[:, 5:25].T.contiguous().T
    assert_same_bits(ops.knn_search(columns[::3], columns, 6), wanted)
    assert_same_bits(ops.knn_search(wide[::3, 5:25], columns[:1].expand(200, 20), 6),
                     ops.knn_search(wide[::3, 5:25].clone(), columns[:1].repeat(200, 1), 6))  # fmt: skip


def test_no_queries():
    for path in PATHS:
        distances, indices, _ = search(torch.empty(0, 4), torch.zeros(3, 4), 2, "l2", path=path)
        assert distances.shape == indices.shape == (0, 2)


def test_ordinary_data_needs_few_exact_keys():
    """The certificate is worth its name only if it also rejects: about k keys a query, in spite of a large mean."""
    x = torch.randn(6000, 128, generator=generator(13), dtype=torch.float64)
    for level in LEVELS[-1:]:
        for metric in METRICS:
            for shift in (0.0, 100.0):
                stats = search(x[:60] + shift, x + shift, 10, metric, level=level).stats
                assert stats["exact_keys"] <= 60 * 12, (metric, shift)
                assert stats["exact_compactions"] == stats["uncertified_rows"] == 0
