"""Split-half reliability against numpy, against what it predicts, and with scores that are missing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from rote.metrics import Recorder, reliabilities, reliability
from rote.metrics.split_half import stepped_up

from .recorded_runs import make_run


def noisy_scores(runs, noise, n=20_000, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=n) + noise * generator.normal(size=(runs, n))


def test_a_given_split_against_numpy():
    scores = noisy_scores(5, 1.0, n=40)
    half = np.array([True, False, True, False, False])
    r = np.corrcoef(scores[half].mean(0), scores[~half].mean(0))[0, 1]
    found = reliability(scores, half)
    assert found.correlation == pytest.approx(r, rel=1e-12)
    assert found.reliability == pytest.approx(2 * r / (1 + r), rel=1e-12)
    assert found.examples == 40
    ranked = stats.spearmanr(scores[half].mean(0), scores[~half].mean(0)).statistic
    assert reliability(scores, half, ranks=True).correlation == pytest.approx(ranked, rel=1e-12)


@pytest.mark.parametrize("runs", [2, 3, 4, 5, 6])
def test_all_halvings_are_averaged(runs):
    scores = noisy_scores(runs, 1.0, n=50)
    found = []
    for part in itertools.combinations(range(runs), runs // 2):
        rest = [r for r in range(runs) if r not in part]
        found.append(np.corrcoef(scores[list(part)].mean(0), scores[rest].mean(0))[0, 1])
    assert reliability(scores).correlation == pytest.approx(np.mean(found), rel=1e-12)


@pytest.mark.parametrize("runs", [9, 10])
def test_of_many_runs_the_even_stand_against_the_odd(runs):
    scores = noisy_scores(runs, 1.0, n=50)
    r = np.corrcoef(scores[::2].mean(0), scores[1::2].mean(0))[0, 1]
    assert reliability(scores).correlation == pytest.approx(r, rel=1e-12)


@pytest.mark.parametrize(("runs", "noise"), [(2, 1.0), (4, 1.0), (10, 2.0)])
def test_it_predicts_the_correlation_with_as_many_new_runs(runs, noise):
    """Reliability of a mean is its correlation with that of other runs, signal / (signal + noise / runs)."""
    assert reliability(noisy_scores(runs, noise)).reliability == pytest.approx(1 / (1 + noise**2 / runs), abs=0.02)


def test_missing_scores_are_left_out_and_counted():
    scores = noisy_scores(4, 1.0, n=100)
    scores[2, :10], scores[0, 50] = np.nan, np.inf
    known = np.isfinite(scores).all(0)
    found = reliability(scores)
    assert found == reliability(scores[:, known])
    assert found.examples == 89


def test_every_score_of_several_runs():
    """Runs that share what is easy, and differ in order and noise."""
    runs = [make_run(epochs=12, seed=0) for _ in range(4)]
    for number, run in enumerate(runs):
        generator = torch.Generator().manual_seed(number)
        for epoch in run.batches:
            for _, logits, _ in epoch:
                logits += 0.5 * torch.randn(logits.shape, generator=generator)
    scores = [run.play(Recorder(run.n)).scores() for run in runs]
    found = reliabilities(scores)
    assert {"aum", "confidence", "forgetting_events", "learned_epoch", "first_learned"} <= found.keys()
    assert "example_id" not in found
    for name, one in found.items():
        assert one == reliability([run[name] for run in scores]) or np.isnan(one.reliability), name
    assert found["aum"].reliability > 0.9
    assert found["aum"].examples == 60
    assert found["first_learned"].examples < 60
    with pytest.raises(ValueError, match="at least two"):
        reliabilities(scores[:1])
    with pytest.raises(ValueError, match="same examples"):
        reliabilities([scores[0], Recorder(3).scores()])


def test_opposite_halves_have_no_bound():
    found = reliability([[1.0, 2.0, 4.0], [-1.0, -2.0, -4.0]])
    assert (found.correlation, found.reliability) == (-1.0, -np.inf)
    assert stepped_up(-1.0) == -np.inf


def test_constant_scores_have_none():
    scores = np.zeros((4, 9))
    assert np.isnan(reliability(scores).reliability)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reliability(np.zeros((1, 5))), "at least two runs"),
        (lambda: reliability(np.zeros(5)), "at least two runs"),
        (lambda: reliability(np.full((2, 5), np.nan)), "at least two examples"),
        (lambda: reliability(np.zeros((2, 5)), np.array([True, True])), "half"),
        (lambda: reliability(np.zeros((2, 5)), np.array([True])), "half"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
