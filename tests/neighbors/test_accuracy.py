"""`knn_accuracy` and `leave_one_out_accuracy` against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

import rote

SKLEARN_METRIC = {"cosine": "cosine", "l2": "euclidean", "sqeuclidean": "sqeuclidean"}


def clusters(rows: int, seed: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clusters, so that accuracies are neither 0 nor 1."""
    labels = np.random.default_rng(seed).integers(0, classes, rows)
    centres = np.random.default_rng(99).standard_normal((classes, 8))
    return centres[labels] + 1.2 * np.random.default_rng(seed + 1).standard_normal((rows, 8)), labels


@pytest.mark.parametrize("metric", SKLEARN_METRIC)
@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_equals_scikit_learn(metric: str, weights: str):
    x, y = clusters(250, 0)
    tx, ty = clusters(120, 5)
    found = rote.knn_accuracy(x, y, tx, ty, k=(20, 1, 5, 200), metric=metric, weights=weights)
    assert list(found) == [20, 1, 5, 200]
    for k, accuracy in found.items():
        peer = KNeighborsClassifier(k, metric=SKLEARN_METRIC[metric], weights=weights, algorithm="brute")
        assert accuracy == peer.fit(x, y).score(tx, ty)
    assert len(set(found.values())) > 1


@pytest.mark.parametrize("metric", SKLEARN_METRIC)
def test_leave_one_out_equals_scikit_learn(metric: str):
    x, y = clusters(45, 2)
    peer = KNeighborsClassifier(5, metric=SKLEARN_METRIC[metric], algorithm="brute")
    expected = cross_val_score(peer, x, y, cv=LeaveOneOut()).mean()
    assert rote.leave_one_out_accuracy(x, y, k=5, metric=metric) == pytest.approx(expected, abs=1e-12)


def test_softmax_equals_the_probe():
    (x, y), (tx, ty) = clusters(200, 0), clusters(90, 5)
    probe = rote.KNNProbe(n_neighbors=30, weights="softmax", temperature=0.2).fit(x, y)
    assert rote.knn_accuracy(x, y, tx, ty, 30, weights="softmax", temperature=0.2) == probe.score(tx, ty)


def test_kinds_agree_and_labels_may_have_gaps_and_any_integer_dtype():
    (x, y), (tx, ty) = clusters(100, 0), clusters(50, 5)
    expected = rote.knn_accuracy(x, y, tx, ty, k=(1, 7))
    tensors = [torch.from_numpy(a) for a in (x, y, tx, ty)]
    assert rote.knn_accuracy(*tensors, k=[1, 7]) == expected
    assert rote.knn_accuracy(x, (y * 50).astype(np.uint8), tx, tensors[3] * 50, k=(1, 7)) == expected
    assert rote.knn_accuracy(x, y - 2, tx, ty - 2, k=(1, 7)) == expected
    assert rote.knn_accuracy(*tensors, k=7) == expected[7]
    assert isinstance(rote.knn_accuracy(*tensors, k=7), float)


def test_a_label_never_seen_is_never_right():
    x, y = clusters(40, 0)
    assert rote.knn_accuracy(x, y, x, np.full(40, 17), k=1) == 0.0


def test_ties_go_to_the_smaller_class():
    x, y = np.array([[0.0], [1.0]]), np.array([7, 3])
    assert rote.knn_accuracy(x, y, np.array([[0.1]]), np.array([3]), k=(1, 2), metric="l2") == {1: 0.0, 2: 1.0}


def test_leave_one_out_goes_by_identity():
    x = np.repeat(np.array([[0.0], [9.0]]), 2, axis=0)  # each with its duplicate
    assert rote.leave_one_out_accuracy(x, np.array([0, 0, 1, 1]), k=1, metric="l2") == 1.0
    assert rote.leave_one_out_accuracy(x, np.array([0, 1, 0, 1]), k=(1, 3), metric="l2") == {1: 0.0, 3: 0.0}


def test_groups_leave_out_the_views_of_an_image():
    x, y = clusters(60, 0)
    views, labels = np.concatenate([x, x + 1e-3]), np.concatenate([y, y])
    image = np.concatenate([np.arange(60), np.arange(60)])
    assert rote.leave_one_out_accuracy(views, labels, k=1) == 1.0  # finds the other view
    # Without it the nearest is a view of what the nearest image alone would be.
    honest = rote.leave_one_out_accuracy(views, labels, k=1, groups=torch.from_numpy(image))
    assert honest == pytest.approx(rote.leave_one_out_accuracy(x, y, k=1), abs=0.05)
    assert rote.knn_accuracy(x, y, x + 1e-3, y, k=1) == 1.0
    grouped = rote.knn_accuracy(x, y, x + 1e-3, y, k=1, groups=(np.arange(60), np.arange(60)))
    assert grouped == pytest.approx(honest, abs=0.05)


def test_missing_neighbours_do_not_vote():
    x = np.array([[0.0], [1.0], [np.nan], [3.0]])
    y = np.array([0, 1, 1, 1])
    tests, expected = np.array([[0.1], [np.nan]]), np.array([1, 1])
    # The second query is not finite and counts as wrong; the NaN reference is no third neighbour of class 1.
    assert rote.knn_accuracy(x, y, tests, expected, k=(1, 4), metric="l2") == {1: 0.0, 4: 0.5}
    nobody = (np.zeros(2, dtype=np.int64), np.zeros(4, dtype=np.int64))
    assert rote.knn_accuracy(x, y, tests, expected, k=1, metric="l2", groups=nobody) == 0.0
    # Two admissible neighbours of four wanted: 1 vote each, the tie goes to class 0.
    groups = (np.array([5, 5]), np.array([0, 1, 2, 5]))
    assert rote.knn_accuracy(x, y, tests, expected, k=4, metric="l2", groups=groups) == 0.0


def test_num_classes_bounds_the_labels():
    x, y = clusters(30, 0)
    assert rote.knn_accuracy(x, y, x, y, k=1, num_classes=4) == 1.0
    with pytest.raises(ValueError, match=r"labels must lie in \[0, num_classes=3\); got values from 0 to 3"):
        rote.knn_accuracy(x, y, x, y, k=1, num_classes=3)


X, Y = np.ones((4, 2)), np.arange(4)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X, Y, X, Y), {}, ValueError, r"k must lie between 1 and the number of embeddings, 4; got 5"),
        ((X, Y, X, Y), {"k": ()}, ValueError, r"k must hold at least one"),
        ((X, Y, X, Y), {"k": "20"}, TypeError, r"k must be an integer or a sequence of integers; got '20'"),
        ((X, Y, X, Y), {"k": (1, 2.5)}, TypeError, r"k must be an integer or a sequence"),
        ((X, Y[:3], X, Y), {"k": 1}, ValueError, r"labels must be integers of shape \[4\].*; got int64 \[3\]"),
        ((X, Y, X, Y[:, None]), {"k": 1}, ValueError, r"test_labels must be integers .*; got int64 \[4, 1\]"),
        ((X, Y * 1.0, X, Y), {"k": 1}, TypeError, r"labels must be integers .*; got float64 \[4\]"),
        ((X, Y, X[:, :1], Y), {"k": 1}, ValueError, r"embeddings and test_embeddings .*float64 \[4, 1\]"),
        ((X, Y, X[:0], Y[:0]), {"k": 1}, ValueError, r"test_embeddings must hold at least one row"),
        ((X, Y, Y, Y), {"k": 1}, TypeError, r"test_embeddings must be float64, .*; got int64 \[4\]"),
        ((X, Y, X, Y), {"k": 1, "metric": "l1"}, ValueError, r"metric must be one of"),
        ((X, Y, X, Y), {"k": 1, "weights": "exp"}, ValueError, r"weights must be one of"),
        ((X, Y, torch.ones(4, 2).to("meta"), Y), {"k": 1}, ValueError, r"on the same device; got cpu and meta"),
    ],
)
def test_bad_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        rote.knn_accuracy(*arguments, **options)


def test_bad_arguments_of_leave_one_out_are_named():
    with pytest.raises(ValueError, match=r"k must lie between 1 and the number of other embeddings, 3; got 20"):
        rote.leave_one_out_accuracy(X, Y)
    with pytest.raises(ValueError, match=r"groups must be int64 of shape \[N\] with N = 4; got int64 \[3\]"):
        rote.leave_one_out_accuracy(X, Y, k=1, groups=Y[:3])
    with pytest.raises(TypeError, match=r"groups must be int64"):
        rote.leave_one_out_accuracy(X, Y, k=1, groups=Y * 1.0)
