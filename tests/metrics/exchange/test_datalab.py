"""Datalab's inputs against scikit-learn's graph, in the real cleanlab, round trips and bad files."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors

from rote.metrics.exchange import ExchangeError, datalab_inputs, issue_columns, read_datalab, write_datalab


@pytest.fixture(scope="module")
def planted():
    """(features, labels, probabilities, wrong): three classes, every tenth label wrong, out-of-sample probabilities."""
    rng = np.random.default_rng(5)
    true = rng.integers(0, 3, 120)
    x = np.eye(3, 6)[true] * 6 + rng.normal(size=(120, 6))
    x[7] = x[3]  # a duplicate
    wrong = np.arange(120) % 10 == 0
    labels = np.where(wrong, (true + 1) % 3, true)
    probabilities = cross_val_predict(LogisticRegression(), x, labels, cv=4, method="predict_proba")
    return x, labels, probabilities, wrong


@pytest.mark.parametrize(("metric", "theirs"), [(None, "cosine"), ("l2", "euclidean")])
def test_the_graph_is_scikit_learns(planted, metric, theirs):
    x, labels, probabilities, _ = planted
    graph = datalab_inputs(x, labels, probabilities, metric=metric).knn_graph
    expected = (
        NearestNeighbors(n_neighbors=10, metric=theirs, algorithm="brute").fit(x).kneighbors_graph(mode="distance")
    )
    assert graph.shape == (120, 120)
    assert graph.nnz == 1200
    np.testing.assert_array_equal(graph.indptr, np.arange(0, 1201, 10))
    np.testing.assert_allclose(graph.toarray(), expected.toarray(), atol=1e-7)
    assert (np.diff(graph.data.reshape(120, 10), axis=1) >= 0).all()
    assert graph.indices.reshape(120, 10)[3, 0] == 7  # an explicit zero
    assert graph.data.reshape(120, 10)[3, 0] == pytest.approx(0, abs=1e-7)


def test_few_features_are_compared_by_euclidean_distance(planted):
    x, labels, _, _ = planted
    graph = datalab_inputs(x[:, :3], labels, k=4).knn_graph
    expected = NearestNeighbors(n_neighbors=4).fit(x[:, :3]).kneighbors_graph(mode="distance")
    np.testing.assert_allclose(graph.data, expected.data, rtol=1e-9)


def test_the_real_datalab_takes_them(planted):
    cleanlab = pytest.importorskip("cleanlab")
    x, labels, probabilities, wrong = planted
    inputs = datalab_inputs(x, labels, probabilities)
    try:
        lab = cleanlab.Datalab({"label": inputs.labels}, label_name="label", verbosity=0)
    except ImportError as error:
        pytest.skip(f"Datalab needs more than cleanlab: {str(error)[:90]}")
    kinds = {"label": {}, "outlier": {}, "near_duplicate": {}}
    lab.find_issues(**inputs.arguments(), issue_types=kinds)
    issues = lab.get_issues()
    found = issue_columns(issues)
    assert set(found) == {f"cleanlab_{kind}_{what}" for kind in kinds for what in ("score", "issue")}
    flagged = found["cleanlab_label_issue"]
    assert (flagged & wrong).sum() / flagged.sum() > 0.8
    assert (flagged & wrong).sum() / wrong.sum() > 0.8
    assert found["cleanlab_near_duplicate_issue"][[3, 7]].all()
    # The graph is theirs: the same call with the features alone finds the same neighbours.
    own = cleanlab.Datalab({"label": inputs.labels}, label_name="label", verbosity=0)
    own.find_issues(pred_probs=probabilities, features=x, issue_types=kinds)
    np.testing.assert_allclose(own.get_issues()["outlier_score"], issues["outlier_score"], atol=1e-6)


def test_outliers_of_cleanlab_by_our_graph(planted):
    """What of cleanlab works without Datalab's further packages: its outlier score from our distances."""
    pytest.importorskip("cleanlab")
    from cleanlab.internal.outlier import transform_distances_to_scores

    x, labels, _, _ = planted
    graph = datalab_inputs(x, labels).knn_graph
    theirs = NearestNeighbors(n_neighbors=10, metric="cosine", algorithm="brute").fit(x).kneighbors()[0]
    scores = [transform_distances_to_scores(d.mean(1), 1, 1.0) for d in (graph.data.reshape(120, 10), theirs)]
    np.testing.assert_allclose(*scores, atol=1e-6)


def test_round_trip(tmp_path, planted):
    x, labels, probabilities, _ = planted
    inputs = datalab_inputs(x.astype(np.float32), labels, probabilities, k=5)
    write_datalab(tmp_path, inputs)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "features.npy",
        "knn_graph.npz",
        "labels.npy",
        "pred_probs.npy",
    ]
    found = read_datalab(tmp_path)
    for name in ("labels", "features", "pred_probs"):
        np.testing.assert_array_equal(getattr(found, name), getattr(inputs, name))
    assert (found.knn_graph != inputs.knn_graph).nnz == 0
    np.testing.assert_array_equal(found.knn_graph.indices, inputs.knn_graph.indices)
    write_datalab(tmp_path / "bare", datalab_inputs(x, labels))
    assert read_datalab(tmp_path / "bare").pred_probs is None
    assert set(read_datalab(tmp_path / "bare").arguments()) == {"features", "knn_graph"}


def test_bad_arguments_are_named(planted):
    x, labels, probabilities, _ = planted
    with pytest.raises(ValueError, match="k must lie between 1 and the number of other examples, 119; got 120"):
        datalab_inputs(x, labels, k=120)
    with pytest.raises(ValueError, match=r"labels must lie in \[0, 2\), the classes of pred_probs; got 2"):
        datalab_inputs(x, labels, np.full((120, 2), 0.5))
    with pytest.raises(ValueError, match="rows that add up to 1"):
        datalab_inputs(x, labels, probabilities * 2)
    with pytest.raises(ValueError, match="features must be finite float"):
        datalab_inputs(np.full_like(x, np.nan), labels)
    with pytest.raises(ValueError, match=r"labels must be int \[120\]"):
        datalab_inputs(x, labels[1:])
    with pytest.raises(ValueError, match="issues must hold the scores of one of label, outlier, near_duplicate"):
        issue_columns({"is_null_issue": np.zeros(3, dtype=bool), "null_score": np.ones(3)})


def test_bad_files_are_named(tmp_path, planted):
    x, labels, probabilities, _ = planted
    with pytest.raises(FileNotFoundError):
        read_datalab(tmp_path)
    inputs = datalab_inputs(x, labels, probabilities, k=3)
    write_datalab(tmp_path, inputs)
    graph = inputs.knn_graph

    def refused(matrix, message):
        sparse.save_npz(tmp_path / "knn_graph.npz", matrix)
        with pytest.raises(ExchangeError, match=message):
            read_datalab(tmp_path)

    refused(graph.tocoo(), r"wanted a CSR matrix \[120, 120\]; got coo")
    refused(graph[:50], r"wanted a CSR matrix \[120, 120\]; got csr \[50, 120\]")
    uneven = graph.copy()
    uneven.indptr = uneven.indptr.copy()
    uneven.indptr[1] = 2
    refused(uneven, "the same number of neighbours in every row; got 2 to 4")
    own = graph.copy()
    own.indices = own.indices.copy()
    own.indices[3 * 4] = 4
    refused(own, "example 4 is its own neighbour")
    backwards = graph.copy()
    backwards.data = backwards.data[::-1].copy()
    refused(backwards, "in increasing order")
    (tmp_path / "knn_graph.npz").write_bytes(b"no zip")
    with pytest.raises(ExchangeError, match="not a sparse matrix of scipy"):
        read_datalab(tmp_path)
    write_datalab(tmp_path, inputs)
    np.save(tmp_path / "labels.npy", labels[1:])
    with pytest.raises(ExchangeError, match=r"labels must be int \[120\]"):
        read_datalab(tmp_path)
    np.save(tmp_path / "labels.npy", np.array([{}], dtype=object))
    with pytest.raises(ExchangeError, match="not a plain numpy array"):
        read_datalab(tmp_path)
