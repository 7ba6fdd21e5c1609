"""Running loss and accuracy, by look and by epoch, on the host and as a device sums them."""

from __future__ import annotations

import math

import pytest
import torch

from rote import train
from rote.train.running import RunningSums, _DeviceSums


def steps_of(count, batch=7, classes=5):
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.rand((), generator=generator),
            torch.randn(batch, classes, generator=generator),
            torch.randint(0, classes, (batch,), generator=generator),
        )
        for _ in range(count)
    ]


def means(steps):
    samples = sum(len(y) for _, _, y in steps)
    loss = sum(loss.double().item() * len(y) for loss, _, y in steps) / samples
    return loss, sum(int((z.argmax(1) == y).sum()) for _, z, y in steps) / samples, samples


@pytest.fixture(params=["host", "device"])
def sums(request):
    sums = RunningSums(torch.device("cpu"))
    if request.param == "device":  # what a device runs, here on the CPU
        sums._sums = _DeviceSums(torch.device("cpu"))
    return sums


def test_looks_and_epochs_are_separate(sums):
    steps = steps_of(9)
    for number, step in enumerate(steps, start=1):
        sums.add(*step)
        if number % 3 == 0:
            sums.end_epoch(number // 3)
        if number == 4:
            assert sums.take() == pytest.approx(means(steps[:4]))
    assert sums.take() == pytest.approx(means(steps[4:]))
    epochs = sums.take_epochs()
    assert [e.epoch for e in epochs] == [1, 2, 3]
    for index, epoch in enumerate(epochs):
        assert epoch[1:] == pytest.approx(means(steps[3 * index : 3 * index + 3]))
    assert sums.take_epochs() == []
    empty = sums.take()
    assert (math.isnan(empty.loss), math.isnan(empty.accuracy), empty.samples) == (True, True, 0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_the_first_bad_step_is_named(sums, bad):
    for number, (loss, logits, labels) in enumerate(steps_of(6)):
        sums.add(torch.tensor(bad) if number in (3, 5) else loss, logits, labels)
        assert sums.bad_step() == (None if number < 3 else 3)
    sums.load_state_dict(sums.state_dict(), 10)
    assert sums.bad_step() is None
    sums.add(torch.tensor(bad), *steps_of(1)[0][1:])
    assert sums.bad_step() == 10


def test_host_and_device_hold_the_same_state(sums):
    other = RunningSums(torch.device("cpu"))
    steps = steps_of(5)
    for step in steps[:2]:
        other.add(*step)
    other.end_epoch(1)
    other.add(*steps[2])
    sums.load_state_dict(other.state_dict(), 3)
    for running in (sums, other):
        for step in steps[3:]:
            running.add(*step)
        running.end_epoch(2)
    for name, value in sums.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=1e-12, atol=0)
    assert sums.take_epochs()[1][1:] == pytest.approx(means(steps[2:]))


@pytest.mark.parametrize("stop", [2, 3, 7])
def test_epochs_survive_a_stop(make_trainer, tmp_path, stop):
    whole = make_trainer()
    whole.train_until(15)
    expected = whole.take_epochs()
    assert [e.epoch for e in expected] == [1, 2, 3, 4, 5]
    assert all(e.samples == 24 for e in expected)
    assert sum(e.loss for e in expected) / 5 == pytest.approx(whole.take_running().loss)

    killed, resumed = make_trainer(), make_trainer()
    killed.train_until(stop)
    train.save_checkpoint(tmp_path / "state", killed)
    train.load_checkpoint(tmp_path / "state", resumed)
    resumed.train_until(15)
    assert resumed.take_epochs() == expected


def test_epochs_taken_are_not_given_again(make_trainer):
    trainer = make_trainer()
    trainer.train_until(7)
    assert [e.epoch for e in trainer.take_epochs()] == [1, 2]
    trainer.train_until(12)
    assert [e.epoch for e in trainer.take_epochs()] == [3, 4]
