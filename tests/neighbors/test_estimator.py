"""`rote.NearestNeighbors` beside scikit-learn's own and `KNeighborsTransformer`, and in what takes their graphs."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import DBSCAN, SpectralClustering
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE, Isomap
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsTransformer
from sklearn.neighbors import NearestNeighbors as Peer
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import rote

from .test_arrays import ArrayApi

#: names that both know, and scikit-learn's metric for each
METRICS = {"l2": "euclidean", "euclidean": "euclidean", "sqeuclidean": "sqeuclidean", "cosine": "cosine"}


def points(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, 6))


def blobs(rows: int = 150) -> tuple[np.ndarray, np.ndarray]:
    return make_blobs(rows, 6, centers=3, cluster_std=1.0, random_state=0)


def assert_same_graph(found, expected, rtol: float = 1e-9) -> None:
    assert found.format == expected.format == "csr"
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.data, expected.data, rtol=rtol, atol=1e-7)


@pytest.mark.parametrize(
    "estimator",
    [
        rote.NearestNeighbors(),
        rote.NearestNeighbors(2, metric="cosine", mode="connectivity"),
        rote.NearestNeighbors(1, metric="ip", mode="connectivity"),
    ],
    ids=["distance", "connectivity", "inner product"],
)
def test_passes_the_checks_of_scikit_learn(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # checks that skip
        results = check_estimator(estimator, on_fail=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] not in ("passed", "skipped")}
    assert not failed
    assert len(results) > 40


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_and_graphs_are_those_of_scikit_learn(metric: str):
    x, queries = points(120), points(40, 1)
    ours = rote.NearestNeighbors(7, metric=metric).fit(x)
    peer = Peer(n_neighbors=7, metric=METRICS[metric], algorithm="brute").fit(x)
    for X in (queries, x, None):
        for k in (None, 1, 30):
            distances, indices = ours.kneighbors(X, k)
            expected = peer.kneighbors(X, k)
            assert distances.dtype == expected[0].dtype == np.float64
            np.testing.assert_array_equal(indices, expected[1])
            np.testing.assert_allclose(distances, expected[0], rtol=1e-9, atol=1e-7)
            np.testing.assert_array_equal(ours.kneighbors(X, k, return_distance=False), expected[1])
            for mode in ("connectivity", "distance"):
                assert_same_graph(ours.kneighbors_graph(X, k, mode), peer.kneighbors_graph(X, k, mode))
    assert ours.n_samples_fit_ == peer.n_samples_fit_
    assert ours.n_features_in_ == peer.n_features_in_


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("mode", ["distance", "connectivity"])
def test_transforms_as_scikit_learn_does(metric: str, mode: str):
    x, queries = points(90), points(25, 1)
    ours = rote.NearestNeighbors(6, metric=metric, mode=mode)
    peer = KNeighborsTransformer(n_neighbors=6, metric=METRICS[metric], mode=mode, algorithm="brute")
    assert_same_graph(ours.fit_transform(x), peer.fit_transform(x))
    assert_same_graph(ours.transform(queries), peer.transform(queries))
    graph = ours.fit_transform(x)
    assert (np.diff(graph.indptr) == 6 + (mode == "distance")).all()
    if mode == "distance":
        assert (graph.diagonal() == 0).all()
        assert graph.nnz == 90 * 7  # zeros are stored
    np.testing.assert_array_equal(ours.get_feature_names_out(), [f"nearestneighbors{i}" for i in range(90)])


def test_float32_stays_float32_and_connectivity_is_float64():
    x = points(50).astype(np.float32)
    neighbors = rote.NearestNeighbors(4).fit(x)
    assert neighbors.kneighbors()[0].dtype == np.float32
    assert neighbors.kneighbors(x.astype(np.float64))[0].dtype == np.float64
    assert neighbors.kneighbors_graph(mode="distance").dtype == np.float32
    assert neighbors.kneighbors_graph().dtype == np.float64
    np.testing.assert_array_equal(neighbors.kneighbors(x)[0], rote.knn(x, x, 4)[0])


def test_ties_go_to_the_smaller_index_and_a_point_is_left_out_by_its_identity():
    x = np.repeat([[0.0], [9.0]], 3, axis=0)
    neighbors = rote.NearestNeighbors(2).fit(x)
    assert neighbors.kneighbors(return_distance=False).tolist() == [[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]]
    assert neighbors.kneighbors(x, return_distance=False)[:3].tolist() == [[0, 1]] * 3


def test_inner_products_have_neighbours_but_no_distances():
    x, queries = points(40), points(5, 1)
    neighbors = rote.NearestNeighbors(4, metric="ip").fit(x)
    products, indices = neighbors.kneighbors(queries)
    np.testing.assert_array_equal(indices, np.argsort(-queries @ x.T, axis=1)[:, :4])
    np.testing.assert_allclose(products, -np.sort(-queries @ x.T, axis=1)[:, :4])
    assert neighbors.kneighbors_graph(queries).sum() == 20
    for use in (lambda: neighbors.kneighbors_graph(queries, mode="distance"), lambda: neighbors.transform(queries)):
        with pytest.raises(ValueError, match="mode='distance' needs a distance; metric='ip' is a similarity"):
            use()


def test_torch_comes_in_and_out_and_graphs_are_scipy():
    x, queries = points(60), points(9, 1)
    reference = rote.NearestNeighbors(5).fit(x)
    for fitted, asked in (
        (torch.from_numpy(x).requires_grad_(), torch.from_numpy(queries)),
        (ArrayApi(x), ArrayApi(queries)),
    ):
        neighbors = rote.NearestNeighbors(5).fit(fitted)
        found = neighbors.kneighbors(asked)
        assert type(found[0]) is type(asked)
        for a, b in zip(found, reference.kneighbors(queries), strict=True):
            np.testing.assert_array_equal(a if isinstance(a, torch.Tensor) else a.array, b)
        assert isinstance(neighbors.kneighbors(None, 3, False), torch.Tensor)
        assert isinstance(neighbors.kneighbors(queries, 3, False), np.ndarray)
        assert_same_graph(neighbors.transform(asked), reference.transform(queries), 0)
        assert_same_graph(neighbors.kneighbors_graph(), reference.kneighbors_graph(), 0)
    half = rote.NearestNeighbors(5).fit(torch.from_numpy(x).bfloat16())
    assert half.kneighbors()[0].dtype == torch.float32


def test_what_was_fitted_is_copied_from_numpy_and_watched_in_torch():
    x = points(30)
    neighbors = rote.NearestNeighbors(3).fit(x)
    before, queries = neighbors.kneighbors(x)[1], x.copy()
    x[:] = 1
    np.testing.assert_array_equal(neighbors.kneighbors(queries)[1], before)
    tensor = torch.from_numpy(queries)
    neighbors.fit(tensor)
    tensor[0] = 0
    with pytest.raises(RuntimeError, match="changed in place"):
        neighbors.kneighbors()


def test_parameters_clone_pickle_and_search():
    neighbors = rote.NearestNeighbors(7, metric="cosine", mode="connectivity")
    assert neighbors.get_params() == {"n_neighbors": 7, "metric": "cosine", "mode": "connectivity"}
    twin = clone(neighbors)
    assert twin.get_params() == neighbors.get_params()
    with pytest.raises(NotFittedError):
        twin.kneighbors()
    x = points(50)
    neighbors.fit(x)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(neighbors)).kneighbors()[1], neighbors.kneighbors()[1])
    neighbors.set_params(n_neighbors=2, metric="l2")
    assert neighbors.kneighbors()[1].shape == (50, 2)
    assert neighbors.effective_metric_ == "cosine"  # until fitted again
    x, y = blobs()
    pipeline = make_pipeline(rote.NearestNeighbors(20), KNeighborsClassifier(metric="precomputed"))
    search = GridSearchCV(pipeline, {"kneighborsclassifier__n_neighbors": [1, 15]}, cv=3).fit(x, y)
    assert search.best_score_ == 1.0


@pytest.mark.filterwarnings("ignore:Graph is not fully connected")
def test_a_pipeline_before_clusterings_finds_what_scikit_learns_finds():
    x, _ = blobs()
    for make in (
        lambda: DBSCAN(eps=3.0, min_samples=5, metric="precomputed"),
        lambda: SpectralClustering(3, affinity="precomputed_nearest_neighbors", n_neighbors=10, random_state=0),
        lambda: KNeighborsClassifier(9, metric="precomputed"),
    ):
        labels = blobs()[1]
        ours, peer = (
            make_pipeline(neighbors, make()).fit(x, labels)
            for neighbors in (rote.NearestNeighbors(30), KNeighborsTransformer(n_neighbors=30))
        )
        predicted = [getattr(p[-1], "labels_", None) for p in (ours, peer)]
        if predicted[0] is None:
            predicted = [p.predict(x + 0.01) for p in (ours, peer)]
        np.testing.assert_array_equal(*predicted)
        assert len(set(predicted[0].tolist())) >= 3


def test_isomap_and_tsne_take_its_graph():
    ours, peer = (
        make_pipeline(neighbors, Isomap(n_neighbors=12, metric="precomputed")).fit_transform(points(90))
        for neighbors in (rote.NearestNeighbors(12), KNeighborsTransformer(n_neighbors=12))
    )
    np.testing.assert_allclose(np.abs(ours), np.abs(peer), atol=1e-6)
    x, y = blobs(90)
    tsne = TSNE(metric="precomputed", perplexity=8, init="random", max_iter=250, random_state=0)
    embedded = make_pipeline(rote.NearestNeighbors(25), tsne).fit_transform(x)  # 3 * perplexity + 1
    assert embedded.shape == (90, 2)
    neighbours = Peer(n_neighbors=5).fit(embedded).kneighbors(return_distance=False)
    assert (y[neighbours] == y[:, None]).mean() > 0.95
    peer = make_pipeline(KNeighborsTransformer(n_neighbors=25), clone(tsne)).fit(x)
    assert tsne.kl_divergence_ == pytest.approx(peer[-1].kl_divergence_, rel=0.2)


def test_the_pair_for_umap():
    """What umap-learn asks of `precomputed_knn`: two numpy arrays [N, k], each point among its own neighbours."""
    x, _ = blobs()
    distances, indices = rote.NearestNeighbors(15).fit(x).kneighbors(x)
    assert distances.shape == indices.shape == (150, 15)
    assert isinstance(distances, np.ndarray)
    assert isinstance(indices, np.ndarray)
    np.testing.assert_array_equal(indices[:, 0], np.arange(150))
    assert (distances[:, 0] == 0).all()
    assert (np.diff(distances) >= 0).all()


@pytest.mark.filterwarnings("ignore")
def test_umap_uses_it():
    umap = pytest.importorskip("umap")  # which compiles for a minute or two
    x, y = blobs()
    distances, indices = rote.NearestNeighbors(15).fit(x).kneighbors(x)
    ours = umap.UMAP(n_neighbors=15, precomputed_knn=(indices, distances), random_state=0, n_epochs=50).fit(x)
    np.testing.assert_array_equal(ours.knn_indices, indices)
    peer = umap.UMAP(n_neighbors=15, random_state=0, n_epochs=50).fit(x)
    np.testing.assert_allclose(ours.graph_.toarray(), peer.graph_.toarray(), atol=1e-4)
    near = Peer(n_neighbors=5).fit(ours.embedding_).kneighbors(return_distance=False)
    assert (y[near] == y[:, None]).mean() > 0.95


def test_bad_arguments_are_named():
    x = points(30)
    for parameters, error, message in (
        ({"n_neighbors": 0}, ValueError, "n_neighbors must be at least 1; got 0"),
        ({"n_neighbors": 2.5}, TypeError, "n_neighbors must be an integer; got 2.5"),
        ({"metric": "l1"}, ValueError, "metric must be one of 'l2', .*'euclidean'; got 'l1'"),
        ({"metric": "minkowski"}, ValueError, "got 'minkowski'; 'minkowski' leaves p open, with p=2 it is 'l2'"),
        ({"metric": None}, ValueError, "metric must be one of .*; got None"),
        ({"mode": "weights"}, ValueError, "mode must be one of 'connectivity', 'distance'; got 'weights'"),
    ):
        with pytest.raises(error, match=message):
            rote.NearestNeighbors(**parameters).fit(x)
    neighbors = rote.NearestNeighbors(5).fit(x)
    with pytest.raises(ValueError, match=r"mode must be one of .*; got 'weights'"):
        neighbors.kneighbors_graph(mode="weights")
    with pytest.raises(ValueError, match="Expected n_neighbors <= n_samples_fit, but n_neighbors = 31"):
        neighbors.kneighbors(x, 31)
    with pytest.raises(ValueError, match="no point is its own neighbour"):
        neighbors.kneighbors(n_neighbors=30)
    with pytest.raises(ValueError, match="X has 2 features, but NearestNeighbors is expecting 6 features"):
        neighbors.kneighbors(torch.from_numpy(x[:, :2]))
    with pytest.raises(TypeError, match=r"X must be float64, .*; got int64 \[30, 6\]"):
        rote.NearestNeighbors().fit(torch.from_numpy(x).long())
    with pytest.raises(ValueError, match=r"X must hold at least one row and one column; got shape \[0, 6\]"):
        rote.NearestNeighbors().fit(torch.empty(0, 6))
    for use in ("kneighbors", "kneighbors_graph", "transform"):
        with pytest.raises(NotFittedError):
            getattr(rote.NearestNeighbors(), use)(x)


def test_scikit_learn_and_scipy_are_loaded_by_the_estimator_alone():
    code = (
        "import sys, rote, rote.neighbors; rote.knn_streamed, rote.distributed_knn, rote.neighbors.merge;"
        "assert not {'sklearn', 'scipy'} & set(sys.modules);"
        "rote.NearestNeighbors; assert 'sklearn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
