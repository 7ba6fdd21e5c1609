"""The stream: a pure function of the step, every image once an epoch, views by address."""

from __future__ import annotations

import pytest
import torch

from rote import address, train
from rote.address import Stream
from rote.augment import recipes

IDS = torch.tensor([30, 4, 7, 11, 39, 0, 2, 21, 22, 23])


def stream(images, recipe, *, batch_size=3, views=None, labels=None, seeds=None, ids=IDS):
    labels = labels or train.LabelSource.per_view(1, 5)
    return train.TrainingStream(images, ids, labels, recipe, batch_size, seeds or train.Seeds.from_seed(9), views)


@pytest.mark.parametrize("views", [None, 4])
def test_a_batch_depends_on_the_step_alone(images, shifts, views):
    forward, backward = stream(images, shifts, views=views), stream(images, shifts, views=views)
    expected = [forward.batch(step) for step in range(12)]
    for step in (11, 0, 5, 3, 7, 7, 2):
        x, y = backward.batch(step)
        assert torch.equal(x, expected[step][0])
        assert torch.equal(y, expected[step][1])


def test_an_epoch_visits_images_once_and_drops_the_rest(images, shifts):
    s = stream(images, shifts)
    assert (s.batch_size, s.steps_per_epoch, len(s)) == (3, 3, 10)
    seen = []
    for epoch in range(6):
        ids = torch.cat([s.addresses(3 * epoch + i)[0] for i in range(3)])
        assert len(ids.unique()) == 9
        assert set(ids.tolist()) <= set(IDS.tolist())
        assert torch.equal(ids, IDS[address.permutation(9, 10, epoch)][:9])
        seen.append(tuple(ids.tolist()))
    assert len(set(seen)) == 6, "the order must change between epochs"
    assert s.epoch_of(8) == 2


def test_an_endless_stream_shows_a_new_view_at_every_visit(images, shifts):
    s = stream(images, shifts)
    for step in range(12):
        ids, views, labels = s.addresses(step)
        assert (views == step // 3).all()
        assert torch.equal(labels, s.labels.labels(ids, views, views))


def test_a_pool_shows_exactly_its_views(images, shifts):
    s = stream(images, shifts, views=4)
    shown: dict[int, list[int]] = {}
    for step in range(3 * 60):
        ids, views, labels = s.addresses(step)
        epoch = torch.full_like(ids, step // 3)
        assert torch.equal(views, address.integers(9, ids, epoch, Stream.POOL_VIEWS, 4))
        assert torch.equal(labels, train.LabelSource.per_view(1, 5).labels(ids, views, epoch))
        for image, view in zip(ids.tolist(), views.tolist(), strict=True):
            shown.setdefault(image, []).append(view)
    assert all(set(views) == {0, 1, 2, 3} for views in shown.values())


def test_pixels_are_the_recipes_at_these_addresses(images, shifts):
    s = stream(images, shifts, seeds=train.Seeds(order=9, view=6))
    ids, views, _ = s.addresses(5)
    assert torch.equal(s.batch(5)[0], shifts(images, ids, views, seed=6))


def test_seeds_are_separate(images, shifts):
    base = stream(images, shifts)
    other_views = stream(images, shifts, seeds=train.Seeds(order=9, view=1))
    other_order = stream(images, shifts, seeds=train.Seeds(order=1, view=9))
    assert torch.equal(base.addresses(4)[0], other_views.addresses(4)[0])
    assert not torch.equal(base.batch(4)[0], other_views.batch(4)[0])
    assert any(not torch.equal(base.addresses(i)[0], other_order.addresses(i)[0]) for i in range(3))


def test_a_set_smaller_than_a_batch_is_one_batch(images, shifts):
    s = stream(images, shifts, batch_size=64)
    assert (s.batch_size, s.steps_per_epoch) == (10, 1)
    assert sorted(s.addresses(3)[0].tolist()) == sorted(IDS.tolist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ids": torch.tensor([1, 2, 1])}, "image_ids must not repeat an image"),
        ({"ids": torch.tensor([1, 40])}, r"image_ids must be in \[0, 40\); got values from 1 to 40"),
        ({"ids": torch.tensor([-1, 4])}, r"image_ids must be in \[0, 40\)"),
        ({"ids": torch.tensor([], dtype=torch.int64)}, r"image_ids must be int64 \[N\]"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
        ({"views": 0}, "views must be None or at least 1 and at most 2147483648; got 0"),
        ({"labels": train.LabelSource.fixed(torch.zeros(5).long(), num_classes=2)}, "labels must cover every image"),
    ],
)
def test_bad_arguments_are_named(images, shifts, options, message):
    with pytest.raises(ValueError, match=message):
        stream(images, shifts, **options)


def test_float_images_and_negative_steps_are_refused(images, shifts):
    with pytest.raises(ValueError, match=r"images must be uint8 \[M, C, H, W\]; got torch.float32"):
        stream(images.float(), shifts)
    with pytest.raises(ValueError, match="step must not be negative; got -1"):
        stream(images, shifts).batch(-1)


@pytest.mark.parametrize("pool", [None, 4])
@pytest.mark.parametrize("batch_size", [3, 10])
def test_addresses_are_those_of_recipe_step_and_of_the_page(images, pool, batch_size):
    """The same samples as `Recipe.step` shows, and as docs/addressing.md says in words, at seeds of 64 bits."""
    order = 2**64 - 5
    s = stream(
        images, recipes["benign-mild"], batch_size=batch_size, views=pool, seeds=train.Seeds(order=order, view=6)
    )
    for step in (0, 1, 2, 5, 7, 1000):
        ids, views, _ = s.addresses(step)
        shown = recipes["benign-mild"].step(images, step, batch_size, order=order, seed=6, pool=pool, subset=IDS)
        assert torch.equal(shown.ids, ids)
        assert torch.equal(shown.views, views)
        assert torch.equal(shown.x, s.batch(step)[0])
        epoch, position = divmod(step, s.steps_per_epoch)
        visited = IDS[address.permutation(order, 10, epoch)][position * batch_size :][:batch_size]
        assert torch.equal(ids, visited)
        visits = torch.full_like(visited, epoch)
        drawn = visits if pool is None else address.integers(order, visited, visits, Stream.POOL_VIEWS, pool)
        assert torch.equal(views, drawn)


def test_a_pool_has_at_most_two_to_the_31_views(images, shifts):
    stream(images, shifts, views=2**31)
    with pytest.raises(ValueError, match="views must be None or at least 1 and at most 2147483648; got 2147483649"):
        stream(images, shifts, views=2**31 + 1)
