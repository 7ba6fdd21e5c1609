"""Invariance and view retrieval: by the definition in float64, and where the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from rote.metrics.invariance import invariance
from rote.metrics.retrieval import view_retrieval


def draw(seed: int, rows: int = 50, columns: int = 7) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def oracle(first, second, other) -> float:
    """1 - E|a - b|^2 / E|a - c|^2, row by row."""
    unit = [
        [row / math.sqrt(sum(v * v for v in row)) for row in z.numpy().astype(np.float64)]
        for z in (first, second, other)
    ]
    near = np.mean([np.sum((a - b) ** 2) for a, b in zip(unit[0], unit[1], strict=True)])
    far = np.mean([np.sum((a - c) ** 2) for a, c in zip(unit[0], unit[2], strict=True)])
    return 1 - near / far


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(2, 30), st.floats(1e-3, 1e3))
def test_it_is_the_definition(seed, rows, columns, scale):
    first, second, other = (draw(seed + n, rows, columns) * scale for n in range(3))
    assert invariance(first, second, other) == pytest.approx(oracle(first, second, other), rel=1e-9, abs=1e-12)


def test_views_that_are_alike_give_one():
    first = draw(0)
    assert invariance(first, 3 * first, draw(1)) == pytest.approx(1)  # lengths do not matter
    assert view_retrieval(first, 3 * first) == 1


def test_unrelated_views_give_zero():
    first, second, other = draw(0, 40_000), draw(1, 40_000), draw(2, 40_000)
    # Each mean of |u - v|^2 = 2 - 2 u.v has a standard error of 2 / sqrt(7 * 40,000), a fifth of a hundredth of 2.
    assert invariance(first, second, other) == pytest.approx(0, abs=0.015)
    assert view_retrieval(first[:500], second[:500]) < 0.02


def test_transformations_that_outweigh_the_image_give_less():
    angle = torch.linspace(0, 1, 20)
    first = torch.stack([angle.cos(), angle.sin()], 1)
    assert invariance(first, -first, first.roll(1, 0)) < -1


def test_collapsed_features_have_no_invariance():
    alike = torch.full((30, 5), 0.3)
    assert math.isnan(invariance(alike, alike, alike))
    rounded = alike * (1 + 1e-7 * draw(0, 30, 5))
    assert math.isnan(invariance(rounded, alike, alike))
    assert math.isnan(invariance(torch.zeros(4, 3), torch.zeros(4, 3), torch.zeros(4, 3)))
    assert view_retrieval(alike, alike) == 1 / 30  # all equally near: the first one


def test_retrieval_is_scikit_learns():
    queries, references = draw(0), draw(0) + 0.7 * draw(1)
    search = NearestNeighbors(n_neighbors=1, metric="cosine", algorithm="brute").fit(references.double())
    found = search.kneighbors(queries.double(), return_distance=False)[:, 0]
    assert view_retrieval(queries, references) == np.mean(found == np.arange(50))
    assert 0.2 < view_retrieval(queries, references) < 1


def test_features_that_are_not_finite_retrieve_nothing():
    queries = draw(0)
    queries[:10] = float("nan")
    assert view_retrieval(queries, draw(0)) == 40 / 50


def test_bad_arguments():
    with pytest.raises(ValueError, match="of one shape"):
        invariance(draw(0), draw(1), draw(2, 49))
    with pytest.raises(ValueError, match="of one shape"):
        view_retrieval(draw(0), draw(1, 50, 6))
    with pytest.raises(ValueError, match="N > 0"):
        view_retrieval(draw(0, 0), draw(0, 0))
