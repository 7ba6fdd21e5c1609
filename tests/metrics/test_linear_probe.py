"""The linear probe is scikit-learn's logistic regression on standardized features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from rote.metrics import linear_probe
from rote.metrics.linear_probe import fit_linear_probe


def digits():
    """Features with constant columns (the corners of scikit-learn's digits), 600 to fit and 300 to test."""
    x, y = load_digits(return_X_y=True)
    return torch.tensor(x[:600]), torch.tensor(y[:600]), torch.tensor(x[600:900]), torch.tensor(y[600:900])


@pytest.mark.parametrize("c", [1.0, 0.01])
def test_it_is_scikit_learns(c):
    x, y, test_x, test_y = digits()
    probe = fit_linear_probe(x, y, 10, c=c, tolerance=1e-7, max_iterations=3000)
    assert probe.converged
    scaler = StandardScaler().fit(x)
    peer = LogisticRegression(C=c, tol=1e-8, max_iter=5000).fit(scaler.transform(x), y)
    np.testing.assert_allclose(probe.weight, peer.coef_, atol=1e-3)
    # Softmax does not see a constant added to all intercepts.
    np.testing.assert_allclose(probe.bias - probe.bias.mean(), peer.intercept_ - peer.intercept_.mean(), atol=1e-3)
    np.testing.assert_allclose(
        torch.softmax(probe.scores(test_x), 1), peer.predict_proba(scaler.transform(test_x)), atol=1e-3
    )
    assert (probe.predict(test_x) == test_y).double().mean() == peer.score(scaler.transform(test_x), test_y)


def test_the_default_tolerance_predicts_the_same():
    x, y, test_x, _ = digits()
    rough, exact = fit_linear_probe(x, y, 10), fit_linear_probe(x, y, 10, tolerance=1e-6)
    assert rough.converged
    assert rough.iterations < exact.iterations
    assert (rough.predict(test_x) == exact.predict(test_x)).double().mean() > 0.98


def test_what_did_not_converge_says_so():
    x, y, *_ = digits()
    probe = fit_linear_probe(x, y, 10, max_iterations=3)
    assert not probe.converged
    assert probe.iterations == 3


def test_scale_and_offset_of_the_features_do_not_matter():
    x, y, test_x, _ = digits()
    moved = fit_linear_probe(x * 1000 - 7, y, 10, tolerance=1e-6).predict(test_x * 1000 - 7)
    assert moved.tolist() == fit_linear_probe(x, y, 10, tolerance=1e-6).predict(test_x).tolist()


def test_constant_features_give_the_majority():
    labels = torch.tensor([0, 1, 1, 2, 1])
    probe = fit_linear_probe(torch.full((5, 3), 0.1), labels, 3)
    assert probe.predict(torch.full((2, 3), 0.1)).tolist() == [1, 1]
    assert torch.equal(probe.weight, torch.zeros(3, 3, dtype=torch.float64))


def test_two_classes_by_hand():
    # One feature, two points at -1 and 1: the weights are w and -w, and w solves 2 C (1 - sigmoid(2 w)) = w.
    probe = fit_linear_probe(torch.tensor([[-1.0], [1.0]]), torch.tensor([1, 0]), 2, tolerance=1e-7)
    w = float(probe.weight[0, 0])
    assert float(probe.weight[1, 0]) == pytest.approx(-w)
    assert w == pytest.approx(2 * (1 - 1 / (1 + np.exp(-2 * w))), abs=1e-7)


def test_more_features_than_examples_fit_anything():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 100, generator=generator)
    labels = torch.randint(0, 4, (40,), generator=generator)
    assert fit_linear_probe(x, labels, 4).predict(x).tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": torch.zeros(5)}, "features must be float"),
        ({"features": torch.zeros(5, 2, dtype=torch.int64)}, "features must be float"),
        ({"features": torch.full((5, 2), float("nan"))}, "features must be finite"),
        ({"labels": torch.zeros(4, dtype=torch.int64)}, r"labels must be int64 \[5\]"),
        ({"labels": torch.full((5,), 3)}, r"labels must be in \[0, 3\)"),
        ({"num_classes": 1}, "num_classes at least 2"),
        ({"c": 0.0}, "c, tolerance"),
        ({"max_iterations": 0}, "max_iterations"),
    ],
)
def test_bad_arguments(change, message):
    given = {"features": torch.zeros(5, 2), "labels": torch.zeros(5, dtype=torch.int64), "num_classes": 3}
    with pytest.raises(ValueError, match=message):
        fit_linear_probe(**{**given, **change})


def test_curvature_only_changes_the_way(monkeypatch):
    x, y, test_x, _ = digits()
    expected = fit_linear_probe(x, y, 10, tolerance=1e-6)
    monkeypatch.setattr(linear_probe, "_MOST_COLUMNS", 10)
    plain = fit_linear_probe(x, y, 10, tolerance=1e-6, max_iterations=3000)
    assert plain.converged
    np.testing.assert_allclose(plain.weight, expected.weight, atol=2e-3)
    assert (plain.predict(test_x) == expected.predict(test_x)).double().mean() > 0.99
