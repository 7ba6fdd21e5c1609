"""Losses and schedules against formulas, optimizers against torch's plain loops, config errors."""

from __future__ import annotations

import math

import pytest
import torch

from rote import train
from rote.train.losses import cross_entropy, mse
from rote.train.optimizers import learning_rate, make_optimizer


def test_mse_is_the_papers_mean_over_batch_and_classes():
    logits = torch.tensor([[1.0, 0.0, 2.0], [0.5, 0.5, 0.5]])
    labels = torch.tensor([2, 0])
    by_hand = (1 + 0 + 1 + 0.25 + 0.25 + 0.25) / 6
    assert mse(logits, labels).item() == pytest.approx(by_hand)
    assert mse(logits.bfloat16(), labels).dtype == torch.float32


def test_cross_entropy_is_mean_negative_log_likelihood():
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, 0.0]])
    assert cross_entropy(logits, torch.tensor([1, 0])).item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)


def rates(schedule, total=100):
    config = train.TrainConfig(schedule=schedule, lr=0.5)
    return [learning_rate(config, step, total) for step in range(total + 20)]


def test_schedules():
    assert set(rates("constant")) == {0.5}
    cosine = rates("cosine")
    reference = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(reference, T_max=100)
    for rate in cosine[:100]:
        assert rate == pytest.approx(scheduler.get_last_lr()[0], abs=1e-12)
        reference.step()
        scheduler.step()
    assert max(cosine[100:]) == pytest.approx(0.0, abs=1e-12)
    cycle = rates("one-cycle")
    assert cycle[0] == pytest.approx(0.5 / 25)
    assert cycle.index(max(cycle)) == 30
    assert max(cycle) == pytest.approx(0.5)
    assert cycle[:30] == sorted(cycle[:30])
    assert cycle[30:] == sorted(cycle[30:], reverse=True)
    assert cycle[99] < 0.01 * 0.5


def test_schedule_bounds():
    with pytest.raises(ValueError, match="total_steps >= 1"):
        learning_rate(train.TrainConfig(), 0, 0)


@pytest.mark.parametrize("options", [{"optimizer": "adam"}, {"optimizer": "sgd", "momentum": 0.8, "weight_decay": 0.1}])
def test_optimizers_follow_their_formulas(options):
    """Fused steps against the update rules written out in float64."""
    parameter = torch.nn.Linear(3, 2, bias=False)
    config = train.TrainConfig(lr=0.01, **options)
    optimizer = make_optimizer(parameter, config)
    w = parameter.weight.detach().double().clone()
    m, v = torch.zeros_like(w), torch.zeros_like(w)
    generator = torch.Generator().manual_seed(0)
    for t in range(1, 6):
        gradient = torch.randn(2, 3, generator=generator)
        parameter.weight.grad = gradient.clone()
        optimizer.step()
        g = gradient.double() + config.weight_decay * w
        if config.optimizer == "adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - 0.01 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
        else:
            m = g if t == 1 else 0.8 * m + g
            w = w - 0.01 * m
    torch.testing.assert_close(parameter.weight.detach().double(), w, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of .*; got 'hinge'"),
        ({"optimizer": "lion"}, "optimizer must be one of"),
        ({"schedule": "stairs"}, "schedule must be one of"),
        ({"precision": "fp8"}, "precision must be one of"),
        ({"norm": "instance"}, "norm must be one of"),
        ({"lr": 0.0}, "lr must be positive and finite; got 0.0"),
        ({"lr": float("nan")}, "lr must be positive and finite"),
        ({"epochs": 0}, "epochs must be at least 1; got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\)"),
        ({"weight_decay": -1.0}, "weight_decay must not be negative"),
    ],
)
def test_config_errors_name_the_field(fields, message):
    with pytest.raises(ValueError, match=message):
        train.TrainConfig(**fields)


def test_seeds_are_checked():
    assert train.Seeds.from_seed(4) == train.Seeds(4, 4, 4, 4, 4)
    with pytest.raises(ValueError, match=r"the label seed must be in \[0, 2\*\*64\); got -1"):
        train.Seeds(label=-1)
    with pytest.raises(TypeError, match=r"the view seed must be an int; got 1\.5"):
        train.Seeds(view=1.5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="no CUDA device"):
        train.TrainConfig(device="cuda").resolved_device()
