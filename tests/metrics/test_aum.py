"""Threshold samples: how many, which, independent of what; and the flags they give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.metrics import combined_aum, flagged_by_threshold, threshold_labels


@pytest.mark.parametrize(("n", "classes", "wanted"), [(1100, 10, 100), (1000, 10, 91), (300, 2, 100), (11, 10, 1)])
def test_about_n_over_c_plus_1(n, classes, wanted):
    labels = torch.arange(n) % classes
    sets = [threshold_labels(labels, classes, seed=3, which=which) for which in (0, 1)]
    for found in sets:
        assert int(found.is_threshold.sum()) == wanted
        assert torch.equal(found.labels[~found.is_threshold], labels[~found.is_threshold])
        assert (found.labels[found.is_threshold] == classes).all()
    assert not (sets[0].is_threshold & sets[1].is_threshold).any(), "every example keeps its label in one of the two"


def test_the_draw_follows_the_address_alone():
    labels = torch.zeros(500, dtype=torch.int64)
    first = threshold_labels(labels, 4, seed=0).is_threshold
    assert torch.equal(first, threshold_labels(labels + 3, 4, seed=0).is_threshold)
    assert not torch.equal(first, threshold_labels(labels, 4, seed=1).is_threshold)
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))
    shuffled = threshold_labels(labels, 4, seed=0, image_ids=order).is_threshold
    assert torch.equal(shuffled, first[order]), "it goes with the image, not with its place"
    classes = torch.arange(5000) % 4
    drawn = torch.bincount(classes[threshold_labels(classes, 4, seed=0).is_threshold], minlength=4)
    assert drawn.tolist() == pytest.approx([250] * 4, abs=60)


def test_flags_by_hand():
    aum = np.array([0.0, 1.0, 2.0, 3.0, -5.0, 2.9, np.nan])
    mask = np.array([True, True, True, True, False, False, False])
    assert flagged_by_threshold(aum, mask, 50).tolist() == [False] * 4 + [True, False, False]
    assert flagged_by_threshold(aum, mask, 99).tolist() == [False] * 4 + [True, True, False]
    assert not flagged_by_threshold(aum, np.zeros(7, dtype=bool)).any()


def test_flags_are_at_most_one_percent_of_the_threshold_samples_above():
    """The rule in its other form: more than 1 % of the threshold samples have a larger AUM."""
    generator = np.random.default_rng(0)
    aum, mask = generator.normal(size=3000), np.arange(3000) < 1000
    larger = (aum[:1000, None] > aum[None]).mean(0)
    found = flagged_by_threshold(aum, mask)
    assert (larger[found & ~mask] >= 0.01).all()
    assert (larger[~found & ~mask] <= 0.01).all()


def test_two_trainings_together():
    aums = [[1.0, 2.0, 9.0, -3.0], [3.0, 8.0, 4.0, -3.0]]
    masks = [[False, False, True, False], [False, True, False, False]]
    found = combined_aum(aums, masks)
    assert found.aum.tolist() == [2.0, 2.0, 4.0, -3.0]
    # Thresholds are 9 and 8: all others lie below in both.
    assert found.flagged.tolist() == [True, True, True, True]
    found = combined_aum([[10.0, 2.0, 9.0, -3.0], [3.0, 8.0, 4.0, -3.0]], masks)
    assert found.flagged.tolist() == [False, True, True, True], "flagged in all trainings that judged it"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: threshold_labels(torch.zeros(30), 3, seed=0), "labels: wanted"),
        (lambda: threshold_labels(torch.zeros(30).long(), 3, seed=0, which=2), "which"),
        (lambda: threshold_labels(torch.zeros(30).long(), 1, seed=0), "num_classes"),
        (lambda: threshold_labels(torch.zeros(30).long(), 3, seed=0, image_ids=torch.arange(3)), "image_ids"),
        (lambda: threshold_labels(torch.zeros(4).long(), 10, seed=0), "labels: wanted about"),
        (lambda: flagged_by_threshold(np.zeros(3), np.zeros(4, dtype=bool)), "one shape"),
        (lambda: flagged_by_threshold(np.zeros(3), np.zeros(3, dtype=bool), 101), "percentile"),
        (lambda: combined_aum([[1.0]], [[True]]), "every training"),
        (lambda: combined_aum([[1.0]], [[True, False]]), "wanted"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
