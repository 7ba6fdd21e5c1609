"""Learning rates against torch's schedulers and hand-worked values."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim import lr_scheduler

from rote import train
from rote.train.schedules import learning_rate

EPOCHS, TOTAL = 20, 200


def rates(schedule, total=TOTAL, more=40, **fields):
    config = train.TrainConfig(**{"schedule": schedule, "lr": 0.5, "epochs": EPOCHS} | fields)
    return [learning_rate(config, step, total) for step in range(total + more)]


def torch_rates(make_scheduler, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler, values = make_scheduler(optimizer), []
    for _ in range(steps):
        values.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return values


def test_constant():
    assert set(rates("constant")) == {0.5}


def test_cosine_is_torchs():
    expected = torch_rates(lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=TOTAL), TOTAL)
    assert rates("cosine")[:TOTAL] == pytest.approx(expected, abs=1e-12)
    assert max(rates("cosine")[TOTAL:]) == pytest.approx(0.0, abs=1e-12)


def test_step_is_torchs_a_tenth_after_each_third():
    total = 210
    expected = torch_rates(lambda o: lr_scheduler.StepLR(o, step_size=total // 3, gamma=0.1), total)
    values = rates("step", total)
    assert values[:total] == pytest.approx(expected, rel=1e-12)
    assert values[total:] == [values[total - 1]] * 40, "it must not fall again past the end"


@pytest.mark.parametrize(("decay", "every"), [(0.95, 1), (0.5, 15)])
def test_exponential_is_torchs_step_by_epochs(decay, every):
    expected = torch_rates(lambda o: lr_scheduler.StepLR(o, step_size=10 * every, gamma=decay), TOTAL)
    values = rates("exponential", decay=decay, decay_epochs=every)
    assert values[:TOTAL] == pytest.approx(expected, rel=1e-12)
    assert values[TOTAL:] == [values[TOTAL - 1]] * 40, "it must not fall again past the end"
    # More epochs go on with the same rates.
    assert rates("exponential", 2 * TOTAL, epochs=2 * EPOCHS, decay=decay)[:TOTAL] == pytest.approx(
        rates("exponential", decay=decay)[:TOTAL]
    )


def test_one_cycle():
    cycle = rates("one-cycle", 100)
    assert cycle[0] == pytest.approx(0.5 / 25)
    assert cycle[15] == pytest.approx((0.5 / 25 + 0.5) / 2)
    assert cycle.index(max(cycle)) == 30
    assert max(cycle) == pytest.approx(0.5)
    assert cycle[65] == pytest.approx(0.25), "half-way down the cosine"
    assert cycle[99] == pytest.approx(0.25 * (1 + math.cos(math.pi * 69 / 70)))
    assert set(cycle[100:]) == {cycle[100]}


@pytest.mark.parametrize("schedule", ["constant", "cosine", "step"])
def test_warm_up_comes_before_the_schedule(schedule):
    warmup, left = 50, 150

    def scheduler(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, end_factor=1.0, total_iters=warmup - 1)
        then = {
            "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
            "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, T_max=left),
            "step": lambda: lr_scheduler.StepLR(optimizer, step_size=left // 3, gamma=0.1),
        }[schedule]()
        return lr_scheduler.SequentialLR(optimizer, [rise, then], milestones=[warmup])

    expected = torch_rates(scheduler, TOTAL)
    assert rates(schedule, warmup_epochs=5)[:TOTAL] == pytest.approx(expected, rel=1e-9)


def test_warm_up_of_a_constant_rate_does_not_depend_on_the_epochs():
    """Such a run is extended by more epochs, so its first steps must stay what they were."""
    assert rates("constant", 200, warmup_epochs=3)[:200] == rates("constant", 400, epochs=40, warmup_epochs=3)[:200]


def test_bounds():
    with pytest.raises(ValueError, match="total_steps >= 1"):
        learning_rate(train.TrainConfig(), 0, 0)
    with pytest.raises(ValueError, match="step must be >= 0"):
        learning_rate(train.TrainConfig(), -1, 5)
