"""Scores of trajectories by hand and by loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote import metrics

from .recorded_runs import toneva

nan = float("nan")


def hits(epochs=12, n=80, seed=0, missing=0.2):
    generator = np.random.default_rng(seed)
    correct = (generator.random((epochs, n)) < np.linspace(0, 1, n)).astype(float)
    correct[generator.random(correct.shape) < missing] = nan
    return correct


def test_forgetting_against_loops():
    correct = hits()
    found = metrics.forgetting(correct)
    for example in range(correct.shape[1]):
        acc = correct[:, example]
        wanted = toneva(acc[~np.isnan(acc)].astype(int).tolist())
        assert found.events[example] == wanted["forgetting_events"]
        assert found.never_learned[example] == wanted["never_learned"]
        for name in ("first_learned", "last_learned", "last_incorrect"):
            np.testing.assert_equal(getattr(found, name)[example], wanted[name])


def test_never_learned_stands_where_one_says():
    found = metrics.forgetting(np.array([[0, 1, 1.0], [0, 0, 1], [0, 1, 1]]))
    assert found.events.tolist() == [0, 1, 0]
    assert found.unforgettable.tolist() == [False, False, True]
    ranked = metrics.with_never_learned_as(found.events, found.never_learned, 3)
    assert ranked.tolist() == [3.0, 1.0, 0.0]
    assert metrics.with_never_learned_as(found.events, found.never_learned, np.inf)[0] == np.inf


def test_what_was_never_shown_was_not_missed():
    found = metrics.forgetting(np.array([[nan, 0.0], [nan, nan]]))
    assert found.never_learned.tolist() == [False, True]
    assert not found.unforgettable.any()


def test_data_map_by_hand():
    p = np.array([[0.2, 0.5, nan, nan], [0.6, 0.5, 0.9, nan]])
    found = metrics.cartography(p, np.array([[0, 1.0, nan, nan], [1, 1, 1, nan]]))
    np.testing.assert_allclose(found.confidence, [0.4, 0.5, 0.9, nan])
    np.testing.assert_allclose(found.variability, [0.2, 0.0, 0.0, nan], atol=1e-16)
    np.testing.assert_allclose(found.correctness, [0.5, 1, 1, nan])
    np.testing.assert_allclose(found.threshold_closeness, [0.24, 0.25, 0.09, nan])
    corrected = metrics.cartography(p, bias_corrected=True)
    np.testing.assert_allclose(corrected.variability, [np.sqrt(0.04 + 0.04**2 / 1), 0, nan, nan], atol=1e-16)
    assert np.isnan(corrected.correctness).all()
    np.testing.assert_allclose(metrics.bias_corrected_variability(np.array([0.2]), 2), [np.sqrt(0.0416)])


def test_regions():
    confidence = np.array([0.9, 0.8, 0.5, 0.5, 0.1, 0.2, nan])
    variability = np.array([0.0, 0.1, 0.3, 0.4, 0.05, 0.1, nan])
    found = metrics.regions(confidence, variability)
    assert np.flatnonzero(found.easy).tolist() == [0, 1]
    assert np.flatnonzero(found.ambiguous).tolist() == [2, 3]
    assert np.flatnonzero(found.hard).tolist() == [4, 5]
    half = metrics.regions(confidence, variability, share=0.5)
    assert np.flatnonzero(half.hard).tolist() == [2, 4, 5], "of equal values the smaller id comes first"
    assert np.flatnonzero(half.ambiguous).tolist() == [1, 2, 3]


def test_learning_order_by_hand():
    correct = np.array([[1, 0, 0, nan, 1, nan], [1, 1, 0, 1, 0, nan], [nan, 0, 0, 1, 1, nan], [1, 1, 0, nan, 0, nan]])
    found = metrics.learning_order(correct)
    np.testing.assert_array_equal(found.first_learned, [1, 2, nan, 2, 1, nan])
    np.testing.assert_array_equal(found.learned, [1, 4, nan, 2, nan, nan])
    np.testing.assert_array_equal(found.rank, [1, 3, 5, 2, 5, 5])
    later = metrics.learning_order(correct, epochs=np.array([0, 10, 20, 30]))
    np.testing.assert_array_equal(later.learned, [0, 30, nan, 10, nan, nan])


def test_el2n_against_torch():
    logits = torch.randn(30, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 5
    labels = torch.arange(30) % 7
    wanted = (logits.softmax(1) - torch.nn.functional.one_hot(labels, 7)).norm(dim=1)
    np.testing.assert_allclose(metrics.el2n(logits.numpy(), labels.numpy()), wanted.numpy(), rtol=1e-12)
    # exp(1000) is no float64.
    far = metrics.el2n(np.array([[1000.0, 0.0], [0.0, 1000.0]]), np.array([1, 1]))
    np.testing.assert_allclose(far, [np.sqrt(2), 0.0], atol=1e-12)


def test_area_under_margin():
    margins = np.array([[1.0, nan, 3], [2.0, nan, nan]])
    np.testing.assert_array_equal(metrics.area_under_margin(margins), [1.5, nan, 3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.forgetting(np.zeros(3)), "correct: wanted"),
        (lambda: metrics.forgetting(np.full((2, 3), 0.5)), "wanted 0, 1 or NaN"),
        (lambda: metrics.area_under_margin(np.zeros(3)), "margin: wanted"),
        (lambda: metrics.cartography(np.zeros((2, 3)), np.zeros((2, 4))), "like p_true"),
        (lambda: metrics.regions(np.zeros(3), np.zeros(4)), "wanted"),
        (lambda: metrics.regions(np.zeros(3), np.zeros(3), share=0), "share"),
        (lambda: metrics.learning_order(np.zeros((2, 3)), epochs=np.arange(3)), "epochs: wanted"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_no_examples():
    assert metrics.forgetting(np.zeros((4, 0))).events.shape == (0,)
