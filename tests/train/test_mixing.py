"""MixUp and CutMix in the stream: partners among the images trained on, own parameters as ever, labels that add up."""

from __future__ import annotations

import pytest
import torch

from rote import address, train
from rote.address import Stream
from rote.augment import CutMix, HorizontalFlip, MixUp, RandomCrop, Recipe

IDS = torch.tensor([30, 4, 7, 11, 39, 0, 2, 21, 22, 23])
BEFORE = (RandomCrop(padding=2), HorizontalFlip(p=0.5))
SEEDS = train.Seeds(order=9, view=6)
LABELS = train.LabelSource.fixed(torch.arange(10) % 5, num_classes=5, image_ids=IDS)


def stream(images, *mixing, labels=LABELS, batch_size=5, views=None, partners=10):
    recipe = Recipe(*BEFORE, *mixing, partners=partners)
    return train.TrainingStream(images, IDS, labels, recipe, batch_size, SEEDS, views)


def parameters_of(s, step):
    """Partners and weights of the views of a step, drawn at the addresses of their images."""
    ids, views, _ = s.addresses(step)
    params = s.recipe.params(ids, views, 6, image_size=8)
    return ids, views, params["mixup.partner"], params["mixup.weight"]


@pytest.mark.parametrize("views", [None, 3])
@pytest.mark.parametrize("mix_labels", [False, True])
def test_mixup_by_hand(images, mix_labels, views):
    s, plain = stream(images, MixUp(p=0.7, mix_labels=mix_labels), views=views), Recipe(*BEFORE)
    mixed = 0
    for step in range(8):
        x, y = s.batch(step)
        ids, shown, partner, weight = parameters_of(s, step)
        own = plain(images, ids, shown, seed=6)
        # The partner is rendered at its row's own address.
        other = plain(images, IDS[partner], shown, seed=6, address_ids=partner)
        share = weight.view(-1, 1, 1, 1)
        torch.testing.assert_close(x, share * own + (1 - share) * other, rtol=1e-6, atol=1e-6)
        untouched = weight == 1
        assert torch.equal(x[untouched], own[untouched]), "what stands before the mixing must not move"
        label, other_label = (ids.view(-1, 1) == IDS).int().argmax(1) % 5, partner % 5
        if mix_labels:
            hot = torch.eye(5)
            expected = weight.view(-1, 1) * hot[label] + (1 - weight.view(-1, 1)) * hot[other_label]
            torch.testing.assert_close(y, expected, rtol=1e-6, atol=1e-6)
            torch.testing.assert_close(y.sum(1), torch.ones(5))
        else:
            assert torch.equal(y, label)
        assert torch.equal(s.addresses(step)[2], label)
        mixed += int((~untouched).sum())
    assert 15 <= mixed <= 38, "about 0.7 of 40 views"


def test_partners_come_from_the_images_trained_on(images):
    """Every pixel of an image that is not trained on is 255, all others are below 200."""
    marked = torch.full_like(images, 255)
    marked[IDS] = images[IDS] // 2
    for mixing in (MixUp(), CutMix()):
        s = stream(marked, mixing)
        assert all(s.batch(step)[0].max() <= 128 / 255 for step in range(20))


def test_cutmix_shares_labels_by_area(images):
    x, y = stream(images, CutMix()).batch(3)
    s = stream(images, CutMix())
    ids, views, own = s.addresses(3)
    params = s.recipe.params(ids, views, 6, image_size=8)
    share = 1 - params["cutmix.height"] * params["cutmix.width"] / 64
    partner = params["cutmix.partner"] % 5
    hot = torch.eye(5)
    expected = share.view(-1, 1) * hot[own] + (1 - share.view(-1, 1)) * hot[partner]
    torch.testing.assert_close(y, expected, rtol=1e-6, atol=1e-6)
    assert x.shape == (5, 3, 8, 8)


@pytest.mark.parametrize("kind", ["fresh", "per_view"])
def test_partners_bring_the_label_they_have_in_that_epoch(images, kind):
    s = stream(images, MixUp(), labels=getattr(train.LabelSource, kind)(3, 5))
    number = Stream.FRESH_LABELS if kind == "fresh" else Stream.VIEW_LABELS
    for step in (0, 1, 2, 9):
        ids, _, partner, weight = parameters_of(s, step)
        epoch = torch.full_like(ids, step // 2)
        own, other = (address.integers(3, images_, epoch, number, 5) for images_ in (ids, IDS[partner]))
        hot = torch.eye(5)
        expected = weight.view(-1, 1) * hot[own] + (1 - weight.view(-1, 1)) * hot[other]
        torch.testing.assert_close(s.batch(step)[1], expected, rtol=1e-6, atol=1e-6)


def test_steps_come_in_any_order(images):
    one, other = (stream(images, MixUp(p=0.5)) for _ in range(2))
    expected = [one.batch(step) for step in range(6)]
    for step in (5, 0, 3, 3, 1):
        assert all(torch.equal(a, b) for a, b in zip(other.batch(step), expected[step], strict=True))


@pytest.mark.parametrize("loss", ["mse", "ce"])
def test_training_on_mixed_labels_is_judged_on_the_images_own(make_trainer, images, loss):
    base, twin = make_trainer(loss=loss), make_trainer(loss=loss)
    recipe = Recipe(*BEFORE, MixUp(), partners=24)
    mixed = train.TrainingStream(
        images, base.stream.image_ids, base.stream.labels, recipe, 8, train.Seeds.from_seed(2), channels_last=True
    )
    x, y = mixed.batch(0)
    own = mixed.addresses(0)[2]
    logits = twin.model.train()(x).detach()
    shares = y.double()
    squares = (logits.double() - shares).square().mean()
    nats = -(logits.double().log_softmax(1) * shares).sum(1).mean()
    hits = (logits.argmax(1) == own).double().mean()
    trainer = train.Trainer(base.model, mixed, base.config)
    trainer.train_until(1)
    running = trainer.take_running()
    assert running.loss == pytest.approx(float(squares if loss == "mse" else nats), rel=1e-5)
    assert running.accuracy == float(hits)


def test_partners_must_be_the_images_trained_on(images):
    with pytest.raises(ValueError, match=r"partners must be 10, the images trained on, .* got 40"):
        stream(images, MixUp(), partners=40)
    with pytest.raises(ValueError, match="labels that single views of a pool have cannot be mixed"):
        stream(images, MixUp(), labels=train.LabelSource.per_view(0, 5), views=3)
    stream(images, MixUp(mix_labels=False), labels=train.LabelSource.per_view(0, 5), views=3).batch(0)
