"""Same-class images: real ones, of the right class, never shared and never trained on as themselves."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from rote import data
from rote.address import FRESH_VIEWS
from rote.experiments.inputs.same_class import SameClass

BANK = data.load("digits")
ORDER = BANK.balanced_order(3)
IMAGES, LABELS = BANK.train.images, BANK.train.labels


def test_substitutes_are_disjoint_and_of_the_class():
    source = SameClass(BANK, ORDER, 50, 4)
    assert source.substitutes.shape == (50, 4)
    every = torch.cat((source.image_ids, source.held_out, source.substitutes.flatten()))
    assert len(every.unique()) == 50 * 6
    assert (LABELS[source.substitutes] == LABELS[source.image_ids][:, None]).all()
    assert (LABELS[source.held_out] == LABELS[source.image_ids]).all()


def test_all_that_are_left_are_shared_out_equally():
    source = SameClass(BANK, ORDER, 50)
    trained, left = LABELS[ORDER[:50]], LABELS[ORDER[50:]]
    each = min(int((left == c).sum()) // int((trained == c).sum()) for c in range(10))
    assert source.substitutes.shape == (50, each - 1)


def test_a_view_is_a_real_image_as_it_is():
    source = SameClass(BANK, ORDER, 50, 4)
    ids = ORDER[:50].repeat(40)
    views = torch.arange(40).repeat_interleave(50)
    x = source(IMAGES, ids, views, seed=7)
    shown = source.shown(ids, views, seed=7)
    assert torch.equal(x, IMAGES[shown].float() / 255)
    assert not torch.isin(shown, ORDER[:50]).any()
    rows = torch.arange(50).repeat(40)
    place = (source.substitutes[rows] == shown[:, None]).int().argmax(1)
    assert (source.substitutes[rows, place] == shown).all()
    assert stats.chisquare(torch.bincount(place, minlength=4)).pvalue > 1e-3
    # A function of the address: another batch, another order, the same views.
    turned = torch.randperm(len(ids), generator=torch.Generator().manual_seed(0))
    assert torch.equal(source.shown(ids[turned], views[turned], seed=7), shown[turned])
    assert not torch.equal(source.shown(ids, views, seed=8), shown)


def test_fresh_views_were_never_trained_on():
    source = SameClass(BANK, ORDER, 50, 4)
    ids = ORDER[:50]
    shown = source.shown(ids, torch.full_like(ids, FRESH_VIEWS + 3))
    assert torch.equal(shown, source.held_out)


def test_several_views_formats_and_layout():
    source = SameClass(BANK, ORDER, 50, 4)
    ids, views = ORDER[:5], torch.arange(15).reshape(5, 3)
    many = source(IMAGES, ids, views, dtype=torch.bfloat16)
    assert many.shape == (5, 3, 3, 16, 16)
    assert many.dtype == torch.bfloat16
    for column in range(3):
        one = source(IMAGES, ids, views[:, column], dtype=torch.bfloat16, channels_last=True)
        assert one.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(one, many[:, column])


def test_hash_knows_who_stands_for_whom():
    first = SameClass(BANK, ORDER, 50, 4)
    assert first.hash() == SameClass(BANK, ORDER, 50, 4).hash()
    others = [
        SameClass(BANK, ORDER, 50, 5),
        SameClass(BANK, ORDER, 40, 4),
        SameClass(BANK, BANK.balanced_order(4), 50, 4),
    ]
    assert len({first.hash(), *(other.hash() for other in others)}) == 4
    assert "oracle" in first.describe()


@pytest.mark.parametrize(("trained", "images"), [(50, 30), (1400, None), (1437, 1), (50, 0)])
def test_too_few_images_left(trained, images):
    with pytest.raises(ValueError, match="--augment same-class"):
        SameClass(BANK, ORDER, trained, images)


def test_an_image_that_is_not_trained_on():
    with pytest.raises(ValueError, match="images trained on"):
        SameClass(BANK, ORDER, 50)(IMAGES, ORDER[50:52], torch.zeros(2, dtype=torch.int64))
