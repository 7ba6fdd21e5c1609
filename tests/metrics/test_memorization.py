"""Memorization scores against loops, a case by hand, and networks whose memory is known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from rote.metrics.memorization import memorization_scores, split_half_reliability


def halves(pairs: int, examples: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    included = np.zeros((2 * pairs, examples), dtype=bool)
    for pair in range(pairs):
        order = generator.permutation(examples)
        included[2 * pair, order[: examples // 2]] = True
        included[2 * pair + 1, order[examples // 2 :]] = True
    return included


def test_by_hand():
    included = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=bool)
    correct = np.array([[1, 1], [1, 0], [0, 0], [1, 0]], dtype=bool)
    found = memorization_scores(correct, included)
    # Example 0: in {1, 1}, out {0, 1}; example 1: in {1, 0}, out {0, 0}.
    assert found.score.tolist() == [0.5, 0.5]
    assert found.standard_error == pytest.approx([np.sqrt(0.5 / 2), np.sqrt(0.5 / 2)])


def test_against_loops():
    generator = np.random.default_rng(1)
    included, correct = halves(11, 30), generator.random((22, 30)) < 0.4
    found = memorization_scores(correct, included)
    for i in range(30):
        inside, outside = correct[included[:, i], i].astype(float), correct[~included[:, i], i].astype(float)
        assert found.score[i] == pytest.approx(inside.mean() - outside.mean())
        expected = np.sqrt(inside.var(ddof=1) / len(inside) + outside.var(ddof=1) / len(outside))
        assert found.standard_error[i] == pytest.approx(expected)


def test_standard_error_is_the_spread_over_repetitions():
    scores, errors = [], []
    for seed in range(300):
        generator = np.random.default_rng(seed)
        included = halves(20, 6, seed)
        correct = generator.random(included.shape) < np.where(included, 0.9, 0.3)
        found = memorization_scores(correct, included)
        scores.append(found.score)
        errors.append(found.standard_error)
    assert np.mean(scores) == pytest.approx(0.6, abs=0.02)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(scores, axis=0).mean(), rel=0.1)


def test_known_by_heart_and_known_from_others():
    included = halves(8, 10)
    by_heart = np.arange(10) < 4
    found = memorization_scores(included | ~by_heart, included)
    assert found.score.tolist() == [1.0] * 4 + [0.0] * 6
    assert (found.standard_error == 0).all()


def test_reliability_of_signal_and_of_noise():
    generator = np.random.default_rng(2)
    included = halves(40, 400)
    half = np.arange(80) // 2 % 2 == 0
    strength = generator.random(400)
    signal = generator.random(included.shape) < np.where(included, strength, 0.0)
    noise = generator.random(included.shape) < 0.5
    assert split_half_reliability(signal, included, half) > 0.9
    assert abs(split_half_reliability(noise, included, half)) < 0.25
    first, second = (memorization_scores(signal[part], included[part]).score for part in (half, ~half))
    r = scipy.stats.pearsonr(first, second).statistic
    assert split_half_reliability(signal, included, half) == pytest.approx(2 * r / (1 + r))
    assert np.isnan(split_half_reliability(included | True, included, half))


def test_bad_shapes_are_refused():
    included = halves(3, 4)
    with pytest.raises(ValueError, match=r"bool \[R, N\]"):
        memorization_scores(included[:, :3], included)
    with pytest.raises(ValueError, match="at least two"):
        memorization_scores(included[:2], included[:2])
