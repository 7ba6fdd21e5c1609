"""Disagreement of neighbours against scikit-learn in float64, and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from rote.metrics.label_disagreement import knn_disagreement


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 80)
    return rng.normal(size=(80, 5)) + np.eye(4, 5)[labels] * 2, labels


@pytest.mark.parametrize(("metric", "theirs"), [("cosine", "cosine"), ("l2", "euclidean")])
def test_scores_are_those_of_scikit_learns_neighbours(points, metric, theirs):
    x, y = points
    neighbours = NearestNeighbors(n_neighbors=7, metric=theirs, algorithm="brute").fit(x).kneighbors()[1]
    expected = (y[neighbours] != y[:, None]).mean(1)
    votes = np.stack([(y[neighbours] == c).sum(1) for c in range(4)], 1)
    found = knn_disagreement(x, y, 7, metric)
    np.testing.assert_allclose(found.score, expected)
    np.testing.assert_array_equal(found.suggested, votes.argmax(1))
    np.testing.assert_allclose(found.share, votes.max(1) / 7)
    assert 0 < expected.mean() < 1


def test_softmax_weights(points):
    x, y = points
    distances, neighbours = NearestNeighbors(n_neighbors=7, metric="cosine", algorithm="brute").fit(x).kneighbors()
    weights = np.exp(-distances / 0.1)
    expected = (weights * (y[neighbours] != y[:, None])).sum(1) / weights.sum(1)
    np.testing.assert_allclose(knn_disagreement(x, y, 7, weights="softmax", temperature=0.1).score, expected)


def test_by_hand():
    x = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0]])
    found = knn_disagreement(x, torch.tensor([0, 1, 0, 1, 1]), 2, "l2")
    assert found.score.tolist() == [0.5, 1.0, 0.5, 0.5, 0.5]
    assert found.suggested.tolist() == [0, 0, 0, 0, 0]  # equals: the smaller class
    assert found.share.tolist() == [0.5, 1.0, 0.5, 0.5, 0.5]


def test_an_example_is_left_out_by_identity_and_groups_by_theirs():
    x = torch.tensor([[0.0], [0.0], [5.0], [5.1]])
    y = torch.tensor([0, 1, 1, 1])
    assert knn_disagreement(x, y, 1, "l2").score.tolist() == [1.0, 1.0, 0.0, 0.0]  # the duplicate votes
    grouped = knn_disagreement(x, y, 1, "l2", groups=torch.tensor([0, 0, 1, 2])).score
    assert grouped.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_without_a_neighbour_there_is_no_score():
    x = torch.tensor([[float("nan")], [0.0], [1.0]])
    found = knn_disagreement(x, torch.tensor([0, 1, 1]), 1, "l2")
    assert found.score[0].isnan()
    assert found.share[0].isnan()
    assert found.suggested[0] == -1
    assert found.score[1:].tolist() == [0.0, 0.0]


def test_bad_arguments_are_named(points):
    x, y = points
    with pytest.raises(ValueError, match="k must lie between 1 and the number of other embeddings, 79; got 80"):
        knn_disagreement(x, y, 80)
    with pytest.raises(ValueError, match="labels must be at least 0; got -1"):
        knn_disagreement(x, y - 1, 3)
    with pytest.raises(ValueError, match="labels must be integers of shape"):
        knn_disagreement(x, y[1:], 3)


def test_labels_may_be_any_numbers():
    x = torch.tensor([[0.0], [1.0], [2.0], [10.0], [11.0]])
    labels = torch.tensor([7, 10**15, 7, 10**15, 10**15])  # a column of votes for each would not fit any memory
    found = knn_disagreement(x, labels, 2, "l2")
    assert found.score.tolist() == [0.5, 1.0, 0.5, 0.5, 0.5]
    assert found.suggested.tolist() == [7] * 5
