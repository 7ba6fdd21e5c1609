"""`rote.knn_vote` against a plain sum over the oracle's neighbours, scikit-learn and the formula of DINO."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch._dynamo.testing import CompileCounterWithBackend

import rote
from rote.neighbors.votes import check_weighting

from . import oracle
from .test_accuracy import SKLEARN_METRIC, clusters
from .test_arrays import ArrayApi, Foreign

METRICS = ("l2", "sqeuclidean", "cosine", "ip")
WEIGHTS = ("uniform", "distance", "softmax")
PAIRS = [(m, w) for m in METRICS for w in WEIGHTS if (m, w) != ("ip", "distance")]


def weight(distance: float, nearest: float, weights: str, temperature: float) -> float:
    """The vote of a neighbour at a float64 distance (for "ip", minus the product)."""
    if weights == "uniform":
        return 1.0
    if weights == "distance":
        return (1.0 if distance == 0 else 0.0) if nearest == 0 else 1.0 / distance
    return math.exp((nearest - distance) / temperature)


def votes(queries, references, labels, k, metric, weights, num_classes, temperature=0.07, **restrictions):
    """Scores [Q, C], summed in neighbour order, from the oracle's neighbours."""
    _, indices = oracle.knn(queries, references, k, metric, **restrictions)
    key = oracle.keys(queries, references, metric)
    distance = {"l2": np.sqrt, "sqeuclidean": lambda x: x, "cosine": lambda x: 1.0 - x, "ip": lambda x: -x}[metric](key)
    scores = np.zeros((len(queries), num_classes))
    for row, neighbours in enumerate(indices):
        for index in neighbours[neighbours >= 0]:
            vote = weight(distance[row, index], distance[row, neighbours[0]], weights, temperature)
            scores[row, labels[index]] += vote
    return scores


def assert_scores(found, expected, weights: str) -> None:
    """Bits where only + / and sqrt are at work; the exponential has a last place of its own."""
    if weights == "softmax":
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0)
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("metric", "weights"), PAIRS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_equals_a_sum_in_neighbour_order(metric: str, weights: str, dtype: str):
    (x, y), (queries, _) = clusters(150, 0, classes=6), clusters(40, 5)
    x, queries = x.astype(dtype), queries.astype(dtype)
    x[3], queries[7] = np.nan, np.inf
    queries[:5] = x[10:15]  # at distance 0
    generator = np.random.default_rng(1)
    restrictions = {
        "exclude": generator.integers(-1, 150, 40),
        "groups": (generator.integers(0, 4, 40), generator.integers(0, 4, 150)),
        "mask": generator.random(150) < 0.8,
    }
    for options in ({}, restrictions):
        found = rote.knn_vote(queries, x, y, (150, 1, 7), metric, weights, num_classes=8, temperature=0.3, **options)
        assert list(found) == [150, 1, 7]
        for k, scores in found.items():
            assert scores.dtype == np.float64
            assert not scores[7].any()
            assert scores[:7].any(1).all()
            assert_scores(scores, votes(queries, x, y, k, metric, weights, 8, 0.3, **options), weights)


@pytest.mark.parametrize("metric", SKLEARN_METRIC)
@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_equals_scikit_learn(metric: str, weights: str):
    (x, y), (queries, _) = clusters(300, 0, classes=5), clusters(100, 9)
    for k, scores in rote.knn_vote(queries, x, y, (3, 20), metric, weights, num_classes=5).items():
        peer = KNeighborsClassifier(k, metric=SKLEARN_METRIC[metric], weights=weights, algorithm="brute").fit(x, y)
        np.testing.assert_allclose(
            scores / scores.sum(1, keepdims=True), peer.predict_proba(queries), rtol=1e-10, atol=1e-15
        )
        np.testing.assert_array_equal(scores.argmax(1), peer.predict(queries))


def test_softmax_is_the_formula_of_dino():
    (x, y), (queries, _) = clusters(200, 0), clusters(50, 5)
    units = [torch.nn.functional.normalize(torch.from_numpy(a), dim=1) for a in (queries, x)]
    similarity, indices = (units[0] @ units[1].T).topk(20)  # as eval_knn.py of facebookresearch/dino
    expected = torch.zeros(50, 4, dtype=torch.float64).scatter_add_(
        1, torch.from_numpy(y)[indices], (similarity / 0.07).exp()
    )
    found = rote.knn_vote(queries, x, y, 20, weights="softmax", num_classes=4)
    shares = expected / expected.sum(1, keepdim=True)
    np.testing.assert_allclose(found / found.sum(1, keepdims=True), shares.numpy(), rtol=1e-11)
    np.testing.assert_array_equal(found.argmax(1), expected.argmax(1).numpy())


def test_softmax_neither_overflows_nor_vanishes():
    x, y = np.array([[1e200], [1e199], [-1e200]]), np.array([2, 1, 0])
    found = rote.knn_vote(np.array([[1.0]]), x, y, 3, "ip", "softmax", num_classes=3)
    assert found.tolist() == [[0.0, 0.0, 1.0]]
    found = rote.knn_vote(np.array([[1e200]]), x, y, 3, "ip", "softmax", num_classes=3)  # products of inf
    assert found.tolist() == [[0.0, 1.0, 1.0]]


def test_neighbours_at_distance_zero_outvote_the_rest_and_equal_votes_tie():
    x, y = np.array([[0.0], [0.0], [1.0], [2.0]]), np.array([3, 1, 0, 0])
    scores = rote.knn_vote(np.array([[0.0], [1.0]]), x, y, (1, 4), "l2", "distance", num_classes=4)
    assert scores[1].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert scores[4].tolist() == [[0, 1, 0, 1], [1, 0, 0, 0]]
    assert scores[4].argmax(1).tolist() == [1, 0]


def test_who_is_left_votes():
    x, y = np.array([[0.0], [1.0], [np.nan], [3.0]]), np.array([0, 1, 1, 0])
    queries = np.array([[0.1], [np.nan], [2.9]])
    found = rote.knn_vote(queries, x, y, (1, 4), "l2", num_classes=2)
    assert found[1].tolist() == [[1, 0], [0, 0], [1, 0]]
    assert found[4].tolist() == [[2, 1], [0, 0], [2, 1]]
    nobody = rote.knn_vote(queries, x, y, 4, "l2", num_classes=2, mask=np.zeros(4, dtype=bool))
    assert not nobody.any()
    assert rote.knn_vote(queries[:0], x, y, 4, num_classes=2).shape == (0, 2)


def test_the_vote_of_the_others_in_one_call():
    x, y = clusters(80, 0)
    scores = rote.knn_vote(x, x, y, (1, 9), weights="softmax", num_classes=4, exclude="self")
    expected = rote.leave_one_out_accuracy(x, y, (1, 9), weights="softmax")
    assert {k: (s.argmax(1) == y).mean() for k, s in scores.items()} == expected


@pytest.mark.parametrize("rows", [2, 300])  # few queries split the references, many the queries
def test_threads_batches_and_strides_change_no_bit(rows: int):
    (x, y), (queries, _) = clusters(5000, 0), clusters(rows, 5)
    arguments = {"k": (1, 200), "weights": "softmax", "num_classes": 4}
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = rote.knn_vote(queries, x, y, **arguments)
        torch.set_num_threads(2)
        found = rote.knn_vote(queries, x, y, **arguments)
    finally:
        torch.set_num_threads(threads)
    strided = rote.knn_vote(np.repeat(queries, 2, 1)[:, ::2], x, np.repeat(y, 2)[::2], **arguments)
    for k in (1, 200):
        np.testing.assert_array_equal(found[k], expected[k])
        np.testing.assert_array_equal(strided[k], expected[k])
        alone = [rote.knn_vote(queries[i : i + 1], x, y, **arguments)[k] for i in range(min(rows, 10))]
        np.testing.assert_array_equal(np.concatenate(alone), expected[k][:10])


def test_every_kind_of_array():
    (x, y), (queries, _) = clusters(60, 0), clusters(9, 5)
    expected = rote.knn_vote(queries, x, y, 5, num_classes=4)
    assert isinstance(expected, np.ndarray)
    tensor = rote.knn_vote(torch.from_numpy(queries).requires_grad_(), x, y.astype(np.uint8), 5, num_classes=4)
    assert isinstance(tensor, torch.Tensor)
    assert not tensor.requires_grad
    np.testing.assert_array_equal(tensor, expected)
    foreign = rote.knn_vote(ArrayApi(queries), Foreign(x), torch.from_numpy(y), [5], num_classes=4)[5]
    assert isinstance(foreign, ArrayApi)
    np.testing.assert_array_equal(foreign.array, expected)
    small = x.astype(np.float16)
    np.testing.assert_array_equal(
        rote.knn_vote(queries, small, y, 5, weights="distance", num_classes=4),
        rote.knn_vote(queries, small.astype(np.float64), y, 5, weights="distance", num_classes=4),
    )


def test_compiles_into_one_graph_with_dynamic_shapes():
    graphs, vote = CompileCounterWithBackend("aot_eager"), rote.knn_vote
    first = None

    def scores(queries, references, labels, k, num_classes):
        groups = labels[: len(queries)], labels
        several = vote(queries, references, labels, (2, 5), weights="softmax", num_classes=4, groups=groups)
        return several[5], vote(queries, references, labels, k, "l2", num_classes=num_classes, exclude=labels[:9])

    compiled = torch.compile(scores, fullgraph=True, dynamic=True, backend=graphs)
    for rows in (20, 31, 44):
        x, y = (torch.from_numpy(a) for a in clusters(rows, rows))
        arguments = (x[:9], x, y, rows // 4, rows // 3)
        for found, expected in zip(compiled(*arguments), scores(*arguments), strict=True):
            assert torch.equal(found, expected)
        first = graphs.frame_count if first is None else first
    assert graphs.frame_count == first


def test_autocast_changes_nothing():
    (x, y), (queries, _) = clusters(60, 0), clusters(9, 5)
    arguments = [torch.from_numpy(a).float() for a in (queries, x)]
    expected = rote.knn_vote(*arguments, y, 5, weights="softmax", num_classes=4)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(rote.knn_vote(*arguments, y, 5, weights="softmax", num_classes=4), expected)


def test_accuracies_hold_neither_neighbours_nor_votes():
    """6,000 queries x 1,000 neighbours would be 72 MB of float32 and int64, x 1,500 classes 72 MB of votes."""
    program = """
import resource, torch, rote
x = torch.randn(6_000, 2, generator=torch.Generator().manual_seed(0))
labels = torch.arange(6_000) % 1500
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
rote.knn_accuracy(x[:1500], labels[:1500], x[:300], labels[:300], k=(5, 1000))
before = peak()
rote.knn_accuracy(x[:1500], labels[:1500], x, labels, k=(5, 1000), weights="softmax")
print(peak() - before)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 36


X, Y = np.ones((4, 2)), np.arange(4)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((X, X, Y), {}, ValueError, r"k must lie between 1 and the number of references, 4; got 5"),
        ((X, X, Y, 0), {}, ValueError, r"k must lie between 1 and .*; got 0"),
        ((X, X, Y, (1, 2.5)), {}, TypeError, r"k must be an integer or a sequence of integers"),
        ((X, X, Y, True), {}, TypeError, r"k must be an integer or a sequence of integers; got True"),
        ((X, X, Y, 1), {"num_classes": 3}, ValueError, r"labels: wanted classes in \[0, 3\), got 3 for reference 3"),
        ((X, X, Y - 1, 1), {}, ValueError, r"labels: wanted classes in \[0, 4\), got -1 for reference 0"),
        ((X, X, Y, 1), {"num_classes": 0}, ValueError, r"num_classes must be at least 1; got 0"),
        ((X, X, Y, 1), {"num_classes": 2.0}, TypeError, r"num_classes must be an integer; got 2.0"),
        ((X, X, Y[:3], 1), {}, ValueError, r"labels must be integers of shape \[4\].*; got int64 \[3\]"),
        ((X, X, Y * 1.0, 1), {}, TypeError, r"labels must be integers of .*; got float64 \[4\]"),
        ((X, X[:, :1], Y, 1), {}, ValueError, r"queries and references must .*float64 \[4, 2\] and float64 \[4, 1\]"),
        ((X, torch.ones(4, 2).to("meta"), Y, 1), {}, ValueError, r"on the same device; got cpu and meta"),
        ((X, X, Y, 1, "l1"), {}, ValueError, r"metric must be one of"),
        ((X, X, Y, 1), {"exclude": Y[:2]}, ValueError, r"exclude must be int64 of shape \[Q\] with Q = 4"),
    ],
)
def test_bad_arguments_are_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        rote.knn_vote(*arguments, **{"num_classes": 4, **options})


def test_num_classes_is_never_inferred():
    with pytest.raises(TypeError, match="num_classes"):
        rote.knn_vote(X, X, Y, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("exp", "cosine", 0.07), "weights must be one of .*; got 'exp'"),
        (("distance", "ip", 0.07), "'distance' needs a distance; metric='ip'"),
        (("softmax", "cosine", 0.0), "temperature must be positive and finite; got 0.0"),
        (("softmax", "cosine", math.inf), "temperature must be positive and finite; got inf"),
    ],
)
def test_bad_weightings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_weighting(*arguments)
    weights, metric, temperature = arguments
    with pytest.raises(ValueError, match=message):
        rote.knn_vote(X, X, Y, 1, metric, weights, num_classes=4, temperature=temperature)
