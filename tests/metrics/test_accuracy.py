"""The three evaluated accuracies against networks whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from rote import metrics, train
from rote.metrics import bits


class Spy(nn.Module):
    """Answers with a function of the pixels, and keeps what it was shown."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.shown = []

    def forward(self, x):
        assert not self.training
        assert not torch.is_grad_enabled()
        self.shown.append(x)
        return self.answer(x)


def one_hot(classes, count=5):
    return nn.functional.one_hot(classes, count).float()


@pytest.fixture
def labels():
    return torch.randint(0, 5, (60,), generator=torch.Generator().manual_seed(4))


def test_clean_accuracy_sees_plain_pixels_in_eval_mode(images, labels):
    ids = torch.tensor([7, 3, 59, 0])
    spy = Spy(lambda x: one_hot(torch.zeros(len(x), dtype=torch.int64))).train()
    accuracy = metrics.clean_accuracy(spy, images, labels[ids], image_ids=ids, batch_size=3)
    assert accuracy == (labels[ids] == 0).float().mean().item()
    assert torch.equal(torch.cat(spy.shown), images[ids].float() / 255)
    assert [len(x) for x in spy.shown] == [3, 1]
    assert spy.training, "the network's mode must come back"


def test_clean_accuracy_against_a_plain_loop(images, labels, convnet):
    accuracy = metrics.clean_accuracy(convnet, images, labels, batch_size=7)
    convnet.eval()
    with torch.no_grad():
        expected = (convnet(images.float() / 255).argmax(1) == labels).float().mean().item()
    assert accuracy == pytest.approx(expected)


def test_clean_accuracy_takes_a_recipe(images, labels, stamp):
    spy = Spy(lambda x: one_hot((x[:, 1, 0, 0].long() + x[:, 0, 0, 0].long()) % 5))
    accuracy = metrics.clean_accuracy(spy, images, torch.arange(60) % 5, recipe=stamp)
    assert accuracy == 1.0, "every clean image is view 0 of its recipe"


def test_fresh_views_were_never_trained_on(images, labels, stamp):
    spy = Spy(lambda x: one_hot(x[:, 1, 0, 0].long() % 5))
    ids = torch.arange(10, 60)
    accuracy = metrics.fresh_view_accuracy(spy, images, ids % 5, stamp, seed=5, image_ids=ids, views=3, batch_size=16)
    assert accuracy == 1.0
    shown = torch.cat(spy.shown)
    assert len(shown) == 150
    assert (shown[:, 2, 0, 0] == 3).all(), "ids from 2^47 on and the seed given"
    assert torch.equal(shown[:, 0, 0, 0], torch.arange(150).float() % 3)


def test_a_pool_is_evaluated_over_exactly_its_views(images, stamp):
    source = train.LabelSource.per_view(seed=1, num_classes=5)
    ids = torch.arange(60)[4:29]
    images_of, views_of = ids.repeat_interleave(7), torch.arange(7).repeat(25)
    truth = source.labels(images_of, views_of, views_of)
    table = torch.zeros(60, 7, dtype=torch.int64)
    table[images_of, views_of] = truth
    # Right on even views, wrong on odd ones.
    spy = Spy(lambda x: one_hot((table[x[:, 1, 0, 0].long(), x[:, 0, 0, 0].long()] + x[:, 0, 0, 0].long() % 2) % 5))
    score = metrics.pool_accuracy(spy, images, source, stamp, views=7, seed=5, image_ids=ids, batch_size=16)
    assert (score.correct, score.samples) == (25 * 4, 25 * 7)
    assert score.accuracy == 100 / 175
    assert torch.cat(spy.shown)[:, 2, 0, 0].eq(2).all(), "the pool's views start at 0"


def test_pool_code_length_is_that_of_the_best_scale(images, stamp):
    source = train.LabelSource.fixed(torch.arange(60) % 5, num_classes=5)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(60, 5, generator=generator) + 2 * one_hot(torch.arange(60) % 5)
    spy = Spy(lambda x: logits[x[:, 1, 0, 0].long()])
    score = metrics.pool_accuracy(spy, images, source, stamp, views=2, seed=5)
    costs = {}
    for half in range(-4, 21):
        scale = 2 ** (half / 2)
        p = torch.softmax(scale * logits.double(), 1)[torch.arange(60), torch.arange(60) % 5]
        costs[scale] = -p.log2().mean().item()
    best = min(costs, key=costs.get)
    assert score.scale == pytest.approx(best)
    assert score.cost_bits == pytest.approx(costs[best] + math.log2(25) / 120)
    assert bits.code_length_from_cost(score.cost_bits, 5, 60) < bits.fano(60, 5, 1.0)


def test_a_perfect_network_on_squared_errors_saves_nearly_all_bits(images, stamp):
    source = train.LabelSource.fixed(torch.arange(60) % 5, num_classes=5)
    spy = Spy(lambda x: one_hot(x[:, 1, 0, 0].long() % 5))
    score = metrics.pool_accuracy(spy, images, source, stamp, views=4, seed=5)
    assert score.accuracy == 1.0
    assert score.cost_bits == pytest.approx(math.log2(25) / 240, abs=1e-6)


def test_bad_arguments_are_named(images, labels, stamp):
    spy = Spy(lambda x: one_hot(torch.zeros(len(x), dtype=torch.int64)))
    with pytest.raises(ValueError, match=r"labels must be int64 \[2\]; got torch.int64 \(60,\)"):
        metrics.clean_accuracy(spy, images, labels, image_ids=torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"image_ids must be in \[0, 60\)"):
        metrics.clean_accuracy(spy, images, labels[:1], image_ids=torch.tensor([60]))
    with pytest.raises(ValueError, match=r"images must be uint8 \[N, C, H, W\]"):
        metrics.clean_accuracy(spy, images.float(), labels)
    with pytest.raises(ValueError, match="views must be at least 1; got 0"):
        metrics.fresh_view_accuracy(spy, images, labels, stamp, seed=0, views=0)
    with pytest.raises(ValueError, match="labels must be fixed or per view"):
        metrics.pool_accuracy(spy, images, train.LabelSource.fresh(0, 5), stamp, views=2, seed=0)
