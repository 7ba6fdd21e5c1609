"""Losses against hand-worked numbers and float64 formulas, on hard and soft labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rote import train
from rote.train.losses import cross_entropy, make_loss, mse


def softmax_cost(logits: np.ndarray, shares: np.ndarray) -> float:
    log_partition = np.log(np.exp(logits).sum(1, keepdims=True))
    return float(-(shares * (logits - log_partition)).sum(1).mean())


@pytest.fixture(scope="module")
def logits():
    return torch.randn(7, 5, generator=torch.Generator().manual_seed(0)) * 3


@pytest.fixture(scope="module")
def soft(logits):
    """Shares of two classes, as MixUp makes them."""
    weight = torch.rand(7, 1, generator=torch.Generator().manual_seed(1))
    classes = torch.eye(5)
    return weight * classes[torch.arange(7) % 5] + (1 - weight) * classes[(torch.arange(7) + 2) % 5]


def test_mse_is_the_papers_mean_over_batch_and_classes():
    logits = torch.tensor([[1.0, 0.0, 2.0], [0.5, 0.5, 0.5]])
    labels = torch.tensor([2, 0])
    by_hand = (1 + 0 + 1 + 0.25 + 0.25 + 0.25) / 6
    assert mse(logits, labels).item() == pytest.approx(by_hand)
    assert mse(logits.bfloat16(), labels).dtype == torch.float32


def test_mse_of_soft_labels(logits, soft):
    assert mse(logits, soft).item() == pytest.approx(float(((logits - soft).double() ** 2).mean()), rel=1e-6)
    labels = torch.arange(7) % 5
    assert torch.equal(mse(logits, labels), mse(logits, torch.eye(5)[labels]))


def test_cross_entropy_is_mean_negative_log_likelihood():
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]])
    assert cross_entropy(logits, torch.tensor([1, 0])).item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_of_hard_and_soft_labels_under_smoothing(logits, soft, smoothing):
    labels = torch.arange(7) % 5
    for given, shares in ((labels, torch.eye(5)[labels]), (soft, soft)):
        smooth = (1 - smoothing) * shares.double().numpy() + smoothing / 5
        expected = softmax_cost(logits.double().numpy(), smooth)
        assert cross_entropy(logits, given, smoothing).item() == pytest.approx(expected, rel=1e-6)
        assert cross_entropy(logits, given, smoothing).item() == pytest.approx(
            torch.nn.functional.cross_entropy(logits, given, label_smoothing=smoothing).item(), rel=1e-6
        )


def test_float64_logits_lose_nothing(logits, soft):
    for loss in (mse, cross_entropy):
        exact = loss(logits.double(), soft)
        assert exact.dtype == torch.float64
        assert exact.item() == pytest.approx(loss(logits, soft).item(), rel=1e-6)
        assert loss(logits.double(), soft.double()).item() == exact.item()


def test_an_output_may_be_wider_than_the_labels(logits, soft):
    narrow = soft[:, :4]
    padded = torch.cat((narrow, torch.zeros(7, 1)), 1)
    assert torch.equal(mse(logits, narrow), mse(logits, padded))
    assert torch.equal(cross_entropy(logits, narrow), cross_entropy(logits, padded))


@pytest.mark.parametrize("labels", [torch.zeros(7, 6), torch.zeros(3, 5), torch.zeros(7, 5, 1)])
@pytest.mark.parametrize("loss", [mse, cross_entropy])
def test_labels_of_another_shape_are_refused(logits, loss, labels):
    with pytest.raises(ValueError, match=r"labels must be int64 \[B\] or float \[B, classes\] for logits \[7, 5\]"):
        loss(logits, labels)


def test_the_config_chooses(logits, soft):
    assert make_loss(train.TrainConfig(loss="mse"))(logits, soft) == mse(logits, soft)
    smoothed = make_loss(train.TrainConfig(loss="ce", label_smoothing=0.2))
    assert smoothed(logits, soft) == cross_entropy(logits, soft, 0.2)
    assert make_loss(train.TrainConfig(loss="ce"))(logits, soft) == cross_entropy(logits, soft)
