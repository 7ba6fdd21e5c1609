"""Labels of the conditions: independent of the truth, the same wherever they should be."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from rote.experiments.inputs.labels import GivenLabels

TRUE = torch.arange(20_000) % 10
IDS = torch.arange(20_000)


def given(kind: str, seed: int = 0, ids=IDS) -> GivenLabels:
    return GivenLabels(kind, ids, TRUE[ids], 10, seed)


@pytest.mark.parametrize("kind", ["random", "fresh"])
def test_drawn_labels_are_uniform_and_independent_of_the_truth(kind):
    used = given(kind).used(3)
    table = torch.bincount(TRUE * 10 + used, minlength=100).reshape(10, 10)
    assert stats.chi2_contingency(table).pvalue > 1e-3
    assert stats.chisquare(table.sum(0)).pvalue > 1e-3
    # About one in ten is right by chance: labels are drawn anew, not made wrong.
    assert 0.09 < float((used == TRUE).float().mean()) < 0.11


def test_a_subset_keeps_its_labels():
    some = IDS[123:5000:7]
    assert torch.equal(given("random", ids=some).used(0), given("random").used(0)[some])


def test_seeds_give_other_labels():
    agree = (given("random", 0).used(0) == given("random", 1).used(0)).float().mean()
    assert 0.09 < float(agree) < 0.11


def test_fixed_labels_do_not_change_and_fresh_ones_do():
    assert torch.equal(given("random").used(1), given("random").used(9))
    assert torch.equal(given("true").used(1), TRUE)
    agree = (given("fresh").used(1) == given("fresh").used(2)).float().mean()
    assert 0.09 < float(agree) < 0.11


def test_fresh_labels_asked_for_are_those_of_the_last_visit():
    labels = given("fresh")
    last = labels.source.labels(IDS, torch.full_like(IDS, 4), torch.full_like(IDS, 4))
    assert torch.equal(labels.used(5), last)
    assert torch.equal(labels.used(0), labels.used(1))
