"""Evaluations of snapshots: of the weights of their own step, in order, and beside the training."""

from __future__ import annotations

import threading

import pytest
import torch

from rote.metrics import fresh_view_accuracy
from rote.train.snapshot import Snapshots


def weights(model) -> torch.Tensor:
    return torch.cat([value.double().flatten() for value in model.state_dict().values()])


@pytest.mark.parametrize("background", [False, True])
def test_a_result_belongs_to_the_weights_of_its_step(make_trainer, background):
    trainer = make_trainer()
    expected = []
    with Snapshots(trainer.model, background=background) as snapshots:
        for step in (0, 4, 9):
            trainer.train_until(step)
            expected.append((step, weights(trainer.model)))
            snapshots.measure(step, weights)
        trainer.train_until(12)
        found = snapshots.results(wait=True)
    assert [step for step, _ in found] == [0, 4, 9]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(found, expected, strict=True))
    assert snapshots.results(wait=True) == []


@pytest.mark.parametrize("background", [False, True])
def test_measuring_does_not_change_the_training(make_trainer, images, shifts, background):
    plain, watched = make_trainer(), make_trainer()
    plain.train_until(12)
    ids = watched.stream.image_ids
    labels = watched.stream.labels.labels(ids, ids, ids)

    def measure(model):
        return fresh_view_accuracy(model, images, labels, shifts, seed=2, image_ids=ids), model.training

    with Snapshots(watched.model, background=background) as snapshots:
        for step in (3, 6, 9):
            watched.train_until(step)
            snapshots.measure(step, measure)
        watched.train_until(12)
    found = [accuracy for _, (accuracy, _) in snapshots.results()]
    assert torch.equal(weights(plain.model), weights(watched.model))
    for step, accuracy in zip((3, 6, 9), found, strict=True):
        again = make_trainer()
        again.train_until(step)
        assert fresh_view_accuracy(again.model, images, labels, shifts, seed=2, image_ids=ids) == accuracy


def test_training_goes_on_meanwhile(make_trainer):
    trainer = make_trainer()
    may_end = threading.Event()

    def slow(model):
        assert may_end.wait(60)
        assert not torch.is_grad_enabled()
        return weights(model)

    before = weights(trainer.model)
    with Snapshots(trainer.model, background=True) as snapshots:
        snapshots.measure(0, slow)
        trainer.train_until(5)
        assert snapshots.results() == []
        may_end.set()
        ((step, found),) = snapshots.results(wait=True)
    assert step == 0
    assert torch.equal(found, before)
    assert not torch.equal(weights(trainer.model), before)


@pytest.mark.parametrize("background", [False, True])
def test_an_error_of_a_measurement_is_raised(make_trainer, background):
    def fails(model):
        raise RuntimeError("no such layer")

    with Snapshots(make_trainer().model, background=background) as snapshots:
        snapshots.measure(0, lambda model: 1)
        snapshots.measure(4, fails)
        assert snapshots.results(wait=True) == [(0, 1)]
        with pytest.raises(RuntimeError, match="no such layer"):
            snapshots.results(wait=True)
        assert snapshots.results(wait=True) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_snapshots_on_a_device(make_trainer):
    trainer = make_trainer(device="cuda", precision="float32")
    with Snapshots(trainer.model) as snapshots:
        expected = []
        for step in range(0, 12, 2):
            trainer.train_until(step)
            expected.append(weights(trainer.model))
            snapshots.measure(step, weights)
        found = [value for _, value in snapshots.results(wait=True)]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
