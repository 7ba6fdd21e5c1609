"""The table of suspicion: places in rankings against scipy, evidence by hand, planted errors found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from rote.metrics import knn_disagreement
from rote.metrics.label_errors import label_errors, place


@pytest.fixture
def planted():
    """(embeddings, labels, wrong, probabilities, aum) of 200 examples with 20 wrong labels."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 4, 200)
    x = np.eye(4, 8)[true] * 4 + rng.normal(size=(200, 8))
    wrong = np.arange(200) % 10 == 3
    labels = np.where(wrong, (true + 1) % 4, true)
    logits = np.eye(4)[true] * 2 + rng.normal(size=(200, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return x, labels, wrong, probabilities, np.where(wrong, -1.0, 1.0) + rng.normal(size=200)


def test_places_are_ranks():
    rng = np.random.default_rng(1)
    score = rng.integers(0, 5, 40).astype(float)
    np.testing.assert_allclose(place(score), (rankdata(score) - 1) / 39)
    ties = rng.permutation(40).astype(float)
    np.testing.assert_allclose(place(score, ties), (rankdata(score * 100 + ties) - 1) / 39)
    score[4] = np.nan
    found = place(score)
    assert np.isnan(found[4])
    np.testing.assert_allclose(np.delete(found, 4), (rankdata(np.delete(score, 4)) - 1) / 38)
    assert place(np.array([3.0])).tolist() == [0.5]


def test_every_source_has_its_ranking(planted):
    x, labels, _, probabilities, aum = planted
    found = label_errors(x, labels, k=10, probabilities=probabilities, dynamics={"aum": aum, "variability": aum})
    columns = found.columns
    votes = knn_disagreement(x, labels, 10)
    np.testing.assert_array_equal(columns["knn_disagreement"], votes.score)
    np.testing.assert_array_equal(columns["suggested_label"], votes.suggested)
    rows = np.arange(200)
    np.testing.assert_allclose(columns["self_confidence"], probabilities[rows, labels])
    others = np.stack([np.delete(p, y) for p, y in zip(probabilities, labels, strict=True)]).max(1)
    np.testing.assert_allclose(columns["probability_margin"], probabilities[rows, labels] - others)
    weighted = knn_disagreement(x, labels, 10, weights="softmax").score.numpy()
    neighbours = (rankdata(1000 * rankdata(votes.score, "dense") + rankdata(weighted, "dense")) - 1) / 199
    expected = (neighbours + (rankdata(-probabilities[rows, labels]) - 1) / 199 + (rankdata(-aum) - 1) / 199) / 3
    np.testing.assert_allclose(columns["suspicion"], expected)
    np.testing.assert_array_equal(found.order[:5], np.argsort(-expected)[:5])
    suspected = (votes.share.numpy() > 0.5) & (votes.suggested.numpy() != labels)
    np.testing.assert_array_equal(columns["suspected"], suspected)


@pytest.mark.parametrize("classes", [1, 2])
def test_probabilities_of_few_classes(classes):
    p = np.array([[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]])[:, :classes] if classes == 2 else np.ones((3, 1))
    labels = np.array([0, 0, 1]) if classes == 2 else np.zeros(3, dtype=int)
    columns = label_errors(np.eye(3), labels, k=2, probabilities=p).columns
    wanted = {1: ([1, 1, 1], [1, 1, 1]), 2: ([0.9, 0.25, 0.5], [0.8, -0.5, 0.0])}[classes]
    np.testing.assert_allclose(columns["self_confidence"], wanted[0])
    np.testing.assert_allclose(columns["probability_margin"], wanted[1])


def test_planted_errors_come_first(planted):
    x, labels, wrong, probabilities, aum = planted
    every = {"probabilities": probabilities, "dynamics": {"aum": aum}}
    for ranked_by in ("suspicion", "knn_disagreement", "probability_margin", "self_confidence", "aum"):
        found = label_errors(torch.tensor(x), torch.tensor(labels), k=10, ranked_by=ranked_by, **every)
        assert wrong[found.order[:20]].mean() > 0.6, ranked_by
        assert found.ranked(20)["rank"].tolist() == list(range(1, 21))
        np.testing.assert_array_equal(found.ranked(20)["row"], found.order[:20])
    alone = label_errors(x, labels, k=10)
    assert wrong[alone.order[:20]].mean() > 0.9
    np.testing.assert_array_equal(alone.order, label_errors(x, labels, k=10, ranked_by="knn_disagreement").order)


def test_what_has_no_evidence_comes_last(planted):
    x, labels, _, _, aum = planted
    x = x.copy()
    x[5] = np.nan
    found = label_errors(x, labels, k=10)
    assert found.order[-1] == 5
    assert np.isnan(found.columns["suspicion"][5])
    assert not found.columns["suspected"][5]
    other = label_errors(x, labels, k=10, dynamics={"aum": aum})
    assert not np.isnan(other.columns["suspicion"]).any()


def test_bad_arguments_are_named(planted):
    x, labels, _, probabilities, aum = planted
    with pytest.raises(ValueError, match="ranked_by='aum' needs evidence that was not given"):
        label_errors(x, labels, ranked_by="aum")
    with pytest.raises(ValueError, match="ranked_by must be one of suspicion"):
        label_errors(x, labels, ranked_by="loss")
    with pytest.raises(ValueError, match=r"probabilities must be float \[200, C\], C above the largest label, 3"):
        label_errors(x, labels, probabilities=probabilities[:, :3])
    with pytest.raises(ValueError, match="every row must add up to 1"):
        label_errors(x, labels, probabilities=probabilities * 2)
    with pytest.raises(ValueError, match="dynamics must hold aum or confidence; has loss"):
        label_errors(x, labels, dynamics={"loss": aum})
    with pytest.raises(ValueError, match="columns of 200 examples"):
        label_errors(x, labels, dynamics={"aum": aum[1:]})
