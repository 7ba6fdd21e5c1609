"""Laws of the labels: independent where they must be, fixed where they must be, and never always-wrong."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from rote import train

N, C = 20_000, 10


@pytest.fixture(scope="module")
def true_labels():
    return torch.randint(0, C, (N,), generator=torch.Generator().manual_seed(7))


def chi2_independent(a: torch.Tensor, b: torch.Tensor, classes: int = C) -> float:
    """p-value of Pearson's test that a in [0, classes) and b in [0, C) are independent."""
    table = torch.bincount(a * C + b, minlength=classes * C).view(classes, C)
    return stats.chi2_contingency(table.numpy()).pvalue


def test_fully_redrawn_labels_are_uniform_and_independent_of_the_true_ones(true_labels):
    used, redrawn = train.redraw_labels(true_labels, torch.arange(N), C, seed=11, p=1.0)
    assert redrawn.all()
    assert stats.chisquare(torch.bincount(used, minlength=C).numpy()).pvalue > 1e-3
    assert chi2_independent(used, true_labels) > 1e-3
    # A right label by chance, one in C: labels that are never right would carry information.
    assert (used == true_labels).float().mean().item() == pytest.approx(1 / C, abs=4 * (0.09 / N) ** 0.5)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.4, 0.9, 1.0])
def test_p_is_the_exact_share_of_redrawn_labels(true_labels, p):
    used, redrawn = train.redraw_labels(true_labels, torch.arange(N), C, seed=11, p=p)
    assert int((~redrawn).sum()) == round(N * (1 - p))
    assert torch.equal(used[~redrawn], true_labels[~redrawn])
    wrong = (used != true_labels).float().mean().item()
    assert wrong == pytest.approx(p * (1 - 1 / C), abs=0.01)
    # Which images are redrawn does not depend on their class.
    if 0 < p < 1:
        assert chi2_independent(redrawn.long(), true_labels, classes=2) > 1e-3


def test_redrawn_sets_are_nested_and_subsets_agree(true_labels):
    ids = torch.arange(N)
    _, less = train.redraw_labels(true_labels, ids, C, 11, 0.3)
    used, more = train.redraw_labels(true_labels, ids, C, 11, 0.6)
    assert bool((more | ~less).all())
    assert torch.equal(used[more], train.random_labels(ids, C, 11)[more])
    assert torch.equal(train.random_labels(ids[500:900], C, 11), train.random_labels(ids, C, 11)[500:900])
    assert chi2_independent(train.random_labels(ids, C, 11), train.random_labels(ids, C, 12)) > 1e-3


def test_fixed_labels_ignore_view_and_visit():
    ids = torch.tensor([5, 2, 9])
    source = train.LabelSource.fixed(torch.tensor([1, 0, 2]), num_classes=3, image_ids=ids)
    asked = torch.tensor([9, 5, 2, 9])
    for view in (0, 3, 10**9):
        views = torch.full_like(asked, view)
        assert source.labels(asked, views, views).tolist() == [2, 1, 0, 2]
    whole = train.LabelSource.fixed(torch.tensor([2, 1, 0]), num_classes=3)
    assert whole.labels(torch.tensor([2, 0]), torch.zeros(2).long(), torch.zeros(2).long()).tolist() == [0, 2]


def test_fresh_labels_differ_at_every_visit_and_ignore_the_view():
    source = train.LabelSource.fresh(seed=3, num_classes=C)
    ids, zero = torch.arange(N), torch.zeros(N, dtype=torch.int64)
    first, second = source.labels(ids, zero, zero), source.labels(ids, zero, zero + 1)
    assert torch.equal(first, source.labels(ids, zero + 17, zero))
    assert chi2_independent(first, second) > 1e-3
    assert chi2_independent(first, train.random_labels(ids, C, 3)) > 1e-3


def test_per_view_labels_are_fixed_per_address_and_independent_between_views():
    source = train.LabelSource.per_view(seed=3, num_classes=C)
    ids, zero = torch.arange(N), torch.zeros(N, dtype=torch.int64)
    first = source.labels(ids, zero, zero)
    assert torch.equal(first, source.labels(ids, zero, zero + 99)), "a label must not depend on the visit"
    assert chi2_independent(first, source.labels(ids, zero + 1, zero)) > 1e-3
    assert chi2_independent(first, source.labels(ids, zero + 2**40, zero)) > 1e-3


def test_bad_labels_are_refused():
    labels = torch.tensor([0, 1, 2])
    with pytest.raises(ValueError, match=r"labels must be in \[0, 2\); got values from 0 to 2"):
        train.LabelSource.fixed(labels, num_classes=2)
    with pytest.raises(ValueError, match=r"labels must be int64 \[N\]"):
        train.LabelSource.fixed(labels.float(), num_classes=3)
    with pytest.raises(ValueError, match="image_ids must be as long as labels, 3"):
        train.LabelSource.fixed(labels, num_classes=3, image_ids=torch.arange(2))
    gap = train.LabelSource.fixed(labels, num_classes=3, image_ids=torch.tensor([0, 2, 4]))
    with pytest.raises(ValueError, match="labels must cover every image trained on"):
        gap.check(torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="labels must cover every image trained on"):
        gap.check(torch.tensor([0, 7]))
    with pytest.raises(ValueError, match=r"p must be in \[0, 1\]; got 1.5"):
        train.redraw_labels(labels, torch.arange(3), 3, 0, 1.5)
    with pytest.raises(ValueError, match="num_classes must be at least 2; got 1"):
        train.random_labels(torch.arange(3), 1, 0)


@pytest.mark.parametrize("kind", ["redraw", "coin"])
def test_labels_all_drawn_again_are_independent_of_the_true_ones(true_labels, kind):
    used, redrawn = train.corrupt_labels(true_labels, torch.arange(N), C, 3, p=1.0, kind=kind)
    assert redrawn.all()
    assert kind not in train.CARRIES_INFORMATION
    assert chi2_independent(used, true_labels) > 1e-3


def test_always_wrong_labels_are_wrong_uniformly_and_marked_as_informative(true_labels):
    used, redrawn = train.corrupt_labels(true_labels, torch.arange(N), C, 3, p=1.0, kind="wrong")
    assert redrawn.all()
    assert not (used == true_labels).any()
    assert chi2_independent(used, true_labels) < 1e-6
    assert "wrong" in train.CARRIES_INFORMATION
    # Each of the C - 1 other classes as often, the last one included.
    offsets = torch.bincount((used - true_labels) % C, minlength=C)[1:]
    assert stats.chisquare(offsets.numpy()).pvalue > 1e-3


@pytest.mark.parametrize("p", [0.0, 0.1, 0.35, 1.0])
def test_counts_of_the_three_kinds(true_labels, p):
    ids = torch.arange(N)
    wrong, replaced = train.corrupt_labels(true_labels, ids, C, 11, p=p, kind="wrong")
    assert int((wrong != true_labels).sum()) == int(replaced.sum()) == round(N * p)
    redrawn = train.corrupt_labels(true_labels, ids, C, 11, p=p)
    assert all(map(torch.equal, redrawn, train.redraw_labels(true_labels, ids, C, 11, p)))
    coin, flipped = train.corrupt_labels(true_labels, ids, C, 11, p=p, kind="coin")
    assert stats.binomtest(int(flipped.sum()), N, p).pvalue > 1e-3 if 0 < p < 1 else int(flipped.sum()) == round(N * p)
    both = flipped & redrawn[1]
    assert torch.equal(coin[both], redrawn[0][both])
    assert torch.equal(coin[~flipped], true_labels[~flipped])


def test_coin_flips_are_nested_and_the_same_in_any_subset(true_labels):
    ids = torch.arange(N)
    used, more = train.corrupt_labels(true_labels, ids, C, 11, p=0.6, kind="coin")
    _, less = train.corrupt_labels(true_labels, ids, C, 11, p=0.3, kind="coin")
    assert bool((more | ~less).all())
    rows = torch.tensor([70, 3, 19_999])
    some, which = train.corrupt_labels(true_labels[rows], ids[rows], C, 11, p=0.6, kind="coin")
    assert torch.equal(some, used[rows])
    assert torch.equal(which, more[rows])


@pytest.mark.parametrize(
    ("changed", "names"),
    [({"kind": "flip"}, "kind"), ({"p": 1.1}, "p must"), ({"labels": torch.tensor([0, 3])}, "labels")],
)
def test_bad_label_corruption_is_refused(changed, names):
    given = {"labels": torch.tensor([0, 1]), "ids": torch.arange(2), "num_classes": 3, "seed": 0, "p": 0.5} | changed
    with pytest.raises(ValueError, match=names):
        train.corrupt_labels(**given)
