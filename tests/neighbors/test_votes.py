"""Weights and votes by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from rote.neighbors.votes import blocks, cast_votes, check_weighting, neighbour_weights, winners

INF = float("inf")


def weigh(distances: list[float], metric: str, weights: str, indices: list[int] | None = None, temperature=0.07):
    ids = torch.tensor([indices or list(range(len(distances)))])
    return neighbour_weights(torch.tensor([distances]), ids, metric, weights, temperature)[0].tolist()


def test_uniform_counts_neighbours_that_exist():
    assert weigh([0.0, 2.0, INF], "l2", "uniform", [5, 3, -1]) == [1.0, 1.0, 0.0]


def test_distance_is_inverse_and_zero_outvotes_the_rest():
    assert weigh([0.5, 2.0, INF], "l2", "distance", [0, 1, -1]) == [2.0, 0.5, 0.0]
    assert weigh([0.0, 0.0, 2.0], "l2", "distance") == [1.0, 1.0, 0.0]


def test_softmax_is_relative_to_the_nearest_and_does_not_overflow():
    cos = weigh([0.0, 0.07, 0.14], "cosine", "softmax")
    assert cos == pytest.approx([1.0, math.exp(-1), math.exp(-2)], rel=1e-6)
    assert weigh([1e30, 1e30 - 1e25], "ip", "softmax")[0] == 1.0
    assert weigh([3.0, 1.0, -INF], "ip", "softmax", [7, 2, -1], 2.0) == pytest.approx([1.0, math.exp(-1), 0.0])
    assert weigh([1000.0, 1000.5], "l2", "softmax", temperature=0.5) == pytest.approx([1.0, math.exp(-1)])


@pytest.mark.parametrize("weights", ["uniform", "distance", "softmax"])
def test_a_query_without_neighbours_has_no_weight(weights: str):
    assert weigh([float("nan")] * 2, "cosine", weights, [-1, -1]) == [0.0, 0.0]
    assert weigh([INF, INF], "cosine", weights, [-1, -1]) == [0.0, 0.0]


def test_votes_are_summed_in_neighbour_order_in_float64():
    generator = np.random.default_rng(0)
    weights, classes = generator.random((50, 30)), generator.integers(0, 4, (50, 30))
    expected = np.zeros((50, 4))
    for row in range(50):
        for rank in range(30):
            expected[row, classes[row, rank]] += weights[row, rank]
    votes = next(cast_votes(torch.from_numpy(weights), torch.from_numpy(classes), 4, [30]))
    assert votes.dtype == torch.float64
    np.testing.assert_array_equal(votes.numpy(), expected)


def test_votes_of_several_k_are_prefixes():
    classes = torch.tensor([[2, 0, 0, 1]])
    seen = [votes.tolist() for votes in cast_votes(torch.ones(1, 4, dtype=torch.float64), classes, 3, [1, 3, 4])]
    assert seen == [[[0, 0, 1]], [[2, 0, 1]], [[2, 1, 1]]]


def test_ties_go_to_the_smaller_class_and_no_vote_wins_nothing():
    votes = torch.tensor([[0.0, 2, 2], [1, 1, 1], [0, 0, 0], [float("nan"), 0, 1]], dtype=torch.float64)
    assert winners(votes).tolist() == [1, 0, -1, -1]


def test_blocks_cover_every_query_once():
    for queries, classes in ((0, 5), (7, 1 << 30), (10_000_000, 3)):
        covered = list(blocks(queries, classes))
        assert sum(rows.stop - rows.start for rows in covered) == queries
        assert all(a.stop == b.start for a, b in pairwise(covered))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("exp", "cosine", 0.07), "weights must be one of .*; got 'exp'"),
        (("distance", "ip", 0.07), "'distance' needs a distance; metric='ip'"),
        (("softmax", "cosine", 0.0), "temperature must be positive and finite; got 0.0"),
        (("softmax", "cosine", INF), "temperature must be positive and finite; got inf"),
    ],
)
def test_bad_weightings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_weighting(*arguments)
