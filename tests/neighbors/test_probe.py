"""`rote.KNNProbe`: a scikit-learn classifier that agrees with scikit-learn's own."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import check_estimator

import rote

from .test_accuracy import SKLEARN_METRIC, clusters
from .test_arrays import ArrayApi


@pytest.mark.parametrize(
    "probe",
    [
        rote.KNNProbe(),
        rote.KNNProbe(3, metric="l2", weights="distance"),
        rote.KNNProbe(5, weights="softmax"),
    ],
    ids=["default", "distance", "softmax"],
)
def test_passes_the_checks_of_scikit_learn(probe):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # checks that skip (no pandas), and fits on fewer than 20 rows
        results = check_estimator(probe, on_fail=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] not in ("passed", "skipped")}
    assert not failed
    assert len(results) > 40


@pytest.mark.parametrize("metric", SKLEARN_METRIC)
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("k", [1, 2, 20])
def test_agrees_with_scikit_learn(metric: str, weights: str, k: int):
    x, y = clusters(300, 0, classes=5)
    queries, expected = clusters(150, 9, classes=5)
    probe = rote.KNNProbe(k, metric=metric, weights=weights).fit(x, y)
    peer = KNeighborsClassifier(k, metric=SKLEARN_METRIC[metric], weights=weights, algorithm="brute").fit(x, y)
    np.testing.assert_array_equal(probe.predict(queries), peer.predict(queries))
    np.testing.assert_allclose(probe.predict_proba(queries), peer.predict_proba(queries), rtol=1e-5, atol=1e-12)
    assert probe.score(queries, expected) == peer.score(queries, expected)
    distances, indices = peer.kneighbors(queries)
    np.testing.assert_array_equal(probe.kneighbors(queries)[1], indices)
    np.testing.assert_allclose(probe.kneighbors(queries)[0], distances, rtol=1e-5)
    np.testing.assert_array_equal(probe.kneighbors(None, 2, False), peer.kneighbors(None, 2, False))


def test_agrees_on_real_digits_wherever_the_kth_distance_is_unique():
    x, y = load_digits(return_X_y=True)
    x, y, queries = x[:900], y[:900], x[900:1200]
    for k in (5, 20):
        probe = rote.KNNProbe(k, metric="sqeuclidean").fit(x, y)
        peer = KNeighborsClassifier(k, metric="sqeuclidean", algorithm="brute").fit(x, y)
        distances, _ = probe.kneighbors(queries, k + 1)  # integers, so equality is exact
        unique = distances[:, k - 1] < distances[:, k]
        assert unique.mean() > 0.9
        np.testing.assert_array_equal(probe.predict(queries)[unique], peer.predict(queries)[unique])
        np.testing.assert_array_equal(probe.predict_proba(queries)[unique], peer.predict_proba(queries)[unique])


def test_ties_of_votes_go_to_the_smaller_class():
    probe = rote.KNNProbe(2, metric="l2").fit([[0.0], [1.0]], ["b", "a"])
    assert probe.predict([[0.1]]).tolist() == ["a"]
    assert probe.predict_proba([[0.1]]).tolist() == [[0.5, 0.5]]


def test_softmax_is_the_formula():
    (x, y), (queries, _) = clusters(80, 0), clusters(20, 5)
    probe = rote.KNNProbe(80, weights="softmax", temperature=0.3).fit(x, y)
    unit = lambda a: a / np.linalg.norm(a, axis=1, keepdims=True)
    weight = np.exp(unit(queries) @ unit(x).T / 0.3)
    votes = weight @ np.eye(4)[y]
    np.testing.assert_allclose(probe.predict_proba(queries), votes / votes.sum(1, keepdims=True), rtol=1e-5)


def test_torch_comes_in_and_out():
    (x, y), (queries, expected) = clusters(100, 0), clusters(40, 5)
    reference = rote.KNNProbe(7).fit(x, y)
    tensors = [torch.from_numpy(a) for a in (x, y, queries, expected)]
    probe = rote.KNNProbe(7).fit(tensors[0].requires_grad_(), tensors[1])
    predicted, proba = probe.predict(tensors[2]), probe.predict_proba(tensors[2])
    assert isinstance(predicted, torch.Tensor)
    assert isinstance(proba, torch.Tensor)
    np.testing.assert_array_equal(predicted.numpy(), reference.predict(queries))
    np.testing.assert_array_equal(proba.numpy(), reference.predict_proba(queries))
    score = reference.score(queries, expected)
    assert probe.score(tensors[2], tensors[3]) == probe.score(queries, expected) == score
    assert rote.KNNProbe(7).fit(tensors[0], y.tolist()).score(tensors[2], expected) == score
    assert isinstance(probe.kneighbors(None, 3, False), torch.Tensor)
    named = rote.KNNProbe(7).fit(tensors[0], np.array(list("wxyz"))[y])
    assert named.predict(tensors[2]).tolist() == np.array(list("wxyz"))[predicted.numpy()].tolist()
    half = rote.KNNProbe(7).fit(tensors[0].detach().bfloat16(), tensors[1])
    assert half.score(tensors[2].bfloat16(), tensors[3]) == pytest.approx(score, abs=0.1)


def test_a_foreign_array_comes_in_and_out():
    (x, y), (queries, _) = clusters(60, 0), clusters(10, 5)
    probe = rote.KNNProbe(7).fit(ArrayApi(x), ArrayApi(y))
    predicted, proba = probe.predict(ArrayApi(queries)), probe.predict_proba(ArrayApi(queries))
    assert isinstance(predicted, ArrayApi)
    np.testing.assert_array_equal(predicted.array, rote.KNNProbe(7).fit(x, y).predict(queries))
    np.testing.assert_allclose(proba.array.sum(1), 1.0)


def test_num_classes_names_classes_that_do_not_occur():
    probe = rote.KNNProbe(1, num_classes=4).fit([[0.0, 1.0], [1.0, 0.0]], [2, 0])
    assert probe.classes_.tolist() == [0, 1, 2, 3]
    assert probe.predict_proba([[0.0, 3.0]]).tolist() == [[0.0, 0.0, 1.0, 0.0]]
    assert probe.predict([[0.0, 3.0]]).tolist() == [2]
    with pytest.raises(ValueError, match=r"labels must lie in \[0, num_classes=2\); got values from 0 to 2"):
        rote.KNNProbe(1, num_classes=2).fit([[0.0, 1.0], [1.0, 0.0]], [2, 0])
    with pytest.raises(ValueError, match="labels must be integers"):
        rote.KNNProbe(1, num_classes=2).fit([[0.0, 1.0], [1.0, 0.0]], ["a", "b"])


def test_fewer_embeddings_than_neighbours_warn_and_all_vote():
    with pytest.warns(UserWarning, match="n_neighbors=20 exceeds the 3 embeddings"):
        probe = rote.KNNProbe(metric="l2").fit([[0.0], [5.0], [6.0]], [0, 1, 1])
    assert probe.predict([[0.0]]).tolist() == [1]
    with pytest.raises(ValueError, match="Expected n_neighbors <= n_samples_fit, but n_neighbors = 20"):
        probe.kneighbors([[0.0]])
    with pytest.raises(ValueError, match="no embedding is its own neighbour"):
        probe.kneighbors(None, 3)


def test_embeddings_are_copied_from_numpy_and_watched_in_torch():
    x, y = clusters(50, 0)
    probe = rote.KNNProbe(3).fit(x, y)
    before, queries = probe.predict(x), x.copy()
    x[:] = 1
    np.testing.assert_array_equal(probe.predict(queries), before)
    tensor = torch.from_numpy(queries)
    probe.fit(tensor, y)
    tensor[0] = 0
    with pytest.raises(RuntimeError, match="changed in place"):
        probe.predict(queries)


def test_bad_input_is_named():
    x, y = clusters(30, 0)
    tensor = torch.from_numpy(x)
    probe = rote.KNNProbe(3).fit(tensor, y)
    bad = tensor.clone()
    bad[4, 1] = float("nan")
    for call in (lambda: probe.predict(bad), lambda: rote.KNNProbe(3).fit(bad, y)):
        with pytest.raises(ValueError, match="row 4 contains NaN or infinity"):
            call()
    with pytest.raises(ValueError, match="X has 2 features, but KNNProbe is expecting 8 features"):
        probe.predict(tensor[:, :2])
    with pytest.raises(ValueError, match="one label for each row of X; got 29 for 30"):
        rote.KNNProbe(3).fit(tensor, y[:29])
    with pytest.raises(TypeError, match=r"X must be float64, .*; got int64 \[30, 8\]"):
        rote.KNNProbe(3).fit(tensor.long(), y)
    with pytest.raises(NotFittedError):
        rote.KNNProbe().predict(x)
    for parameters, error in (
        ({"n_neighbors": 0}, ValueError),
        ({"n_neighbors": 2.5}, TypeError),
        ({"metric": "l1"}, ValueError),
        ({"weights": "exp"}, ValueError),
        ({"temperature": -1, "weights": "softmax"}, ValueError),
        ({"weights": "distance", "metric": "ip"}, ValueError),
    ):
        with pytest.raises(error, match=next(iter(parameters))):
            rote.KNNProbe(**parameters).fit(x, y)


def test_a_parameter_set_after_fit_does_not_reinterpret_the_distances():
    (x, y), (queries, _) = clusters(50, 0), clusters(20, 5)
    probe = rote.KNNProbe(9, metric="ip", weights="softmax", temperature=5.0).fit(x, y)
    before = probe.predict_proba(queries)
    np.testing.assert_array_equal(probe.set_params(metric="l2").predict_proba(queries), before)


def test_distances_beyond_float64_are_an_error_not_a_class():
    options = {"metric": "l2", "weights": "distance"}
    far = rote.KNNProbe(1, **options).fit([[1e60], [-2e60]], [0, 1])  # infinite in float32
    assert far.predict([[0.0]]).tolist() == [0]
    probe = rote.KNNProbe(1, **options).fit([[1e160], [-1e160]], [0, 1])
    for call in (probe.predict, probe.predict_proba):
        with pytest.raises(ValueError, match="no neighbour of query 0 has a vote that counts"):
            call([[0.0]])


def test_it_is_a_good_citizen_of_scikit_learn():
    x, y = clusters(90, 0)
    search = GridSearchCV(rote.KNNProbe(), {"n_neighbors": [1, 9], "metric": ["l2", "cosine"]}, cv=3).fit(x, y)
    assert 0.3 < search.best_score_ <= 1
    probe = rote.KNNProbe(4, weights="softmax", num_classes=9)
    assert clone(probe).get_params() == probe.get_params()
    probe.fit(x, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(probe)).predict_proba(x), probe.predict_proba(x))


def test_scikit_learn_is_loaded_by_the_probe_alone():
    code = (
        "import sys, rote, rote.neighbors; rote.knn; assert 'sklearn' not in sys.modules;"
        "rote.KNNProbe; assert 'sklearn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
