"""Callbacks: called when the page says so, in order, and free to measure, save and stop."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rote import train


class Recorder(train.Callback):
    def __init__(self, calls, name):
        self.calls, self.name = calls, name

    def on_step(self, trainer):
        self.calls.append((self.name, "step", trainer.step))

    def on_epoch_end(self, trainer):
        self.calls.append((self.name, "epoch", trainer.epoch))


class EpochsAlone:
    """No class of ours, and one method."""

    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, trainer):
        self.epochs.append((trainer.epoch, trainer.step))


@pytest.fixture
def make(make_trainer):
    def make(callbacks, **fields):
        trainer = make_trainer(**fields)
        return train.Trainer(trainer.model, trainer.stream, trainer.config, callbacks=callbacks)

    return make


def test_order_of_calls(make):
    calls = []
    trainer = make([Recorder(calls, "a"), lambda t: calls.append(("f", "step", t.step)), Recorder(calls, "b")])
    trainer.train_until(4, on_step=lambda t: calls.append(("last", "step", t.step)))
    steps = [[(name, "step", step) for name in ("a", "f", "b", "last")] for step in (1, 2, 3, 4)]
    assert calls == [*steps[0], *steps[1], *steps[2], ("a", "epoch", 1), ("b", "epoch", 1), *steps[3]]


def test_epochs_end_at_their_last_step_across_calls(make):
    counter = EpochsAlone()
    trainer = make([counter])
    for step in (2, 3, 3, 7, 15):
        trainer.train_until(step)
    assert counter.epochs == [(1, 3), (2, 6), (3, 9), (4, 12), (5, 15)]


def test_a_callback_may_leave_the_network_in_eval_mode(make, make_trainer):
    """Batch norm in eval mode would train on running statistics."""
    seen = []

    def measure(trainer):
        seen.append(trainer.model.training)
        trainer.model.eval()

    measured, left_alone = make([measure]), make_trainer()
    measured.train_until(6)
    left_alone.train_until(6)
    assert seen == [True] * 6
    for a, b in zip(measured.model.parameters(), left_alone.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_callback_stops_by_an_exception_and_training_goes_on_from_there(make, make_trainer):
    class Enough(Exception):
        pass

    def stop(trainer):
        if trainer.step == 4:
            raise Enough

    trainer, whole = make([stop]), make_trainer()
    with pytest.raises(Enough):
        trainer.train_until(9)
    assert trainer.step == 4
    trainer.train_until(9)
    whole.train_until(9)
    for a, b in zip(trainer.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_callback_may_save(make, tmp_path):
    path = tmp_path / "state"
    trainer = make([lambda t: train.save_checkpoint(path, t, {"step": t.step})])
    trainer.train_until(5)
    resumed = make([])
    assert train.load_checkpoint(path, resumed) == {"step": 5}
    assert resumed.step == 5


def test_what_is_no_callback_is_refused(make):
    with pytest.raises(TypeError, match=r"functions or have on_step, on_epoch_end or on_forward; got 3"):
        make([3])


def test_an_error_of_memory_in_a_callback_is_its_own(make):
    def measure(_):
        raise torch.OutOfMemoryError("mine")

    with pytest.raises(torch.OutOfMemoryError, match="mine"):
        make([measure]).train_until(1)


@pytest.mark.parametrize("classes", [4, 6])
def test_an_own_loss(make_trainer, classes):
    """The loss of a caller, and an output wider than the labels."""

    def hinge(logits, labels):
        margins = 1 - logits.gather(1, labels.unsqueeze(1)) + logits
        return margins.clamp(min=0).mean()

    base = make_trainer(model="mlp", optimizer="sgd", lr=0.1, schedule="constant", momentum=0.0)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, classes))
    weight, bias = (p.detach().clone().requires_grad_() for p in model.parameters())
    trainer = train.Trainer(model, base.stream, base.config, loss=hinge)
    trainer.train_until(1)
    x, y = base.stream.batch(0)
    loss = hinge(x.flatten(1) @ weight.t() + bias, y)
    loss.backward()
    torch.testing.assert_close(model[1].weight, weight - 0.1 * weight.grad)
    torch.testing.assert_close(model[1].bias, bias - 0.1 * bias.grad)
    assert trainer.take_running().loss == pytest.approx(loss.item())


class Counter(train.Callback):
    """Counts rows, and remembers the count over a stop."""

    def __init__(self):
        self.rows, self.steps = torch.zeros(1, dtype=torch.int64), []

    def on_forward(self, image_ids, logits, labels):
        assert image_ids.shape == labels.shape == (len(logits),)
        assert not logits.requires_grad
        self.rows += len(image_ids)

    def on_step(self, trainer):
        self.steps.append(int(self.rows))

    def state_dict(self):
        return {"rows": self.rows}

    def load_state_dict(self, state, trainer):
        self.rows = state["rows"].clone()


def test_an_update_is_seen_before_its_step(make):
    counter = Counter()
    make([counter]).train_until(3)
    assert counter.steps == [8, 16, 24]


def test_weights_are_those_before_the_update(make):
    seen = []

    class Look:
        def on_forward(self, image_ids, logits, labels):
            seen.append(next(trainer.model.parameters()).detach().clone())

    trainer = make([Look()])
    first = next(trainer.model.parameters()).detach().clone()
    trainer.train_until(2)
    assert torch.equal(seen[0], first)
    assert not torch.equal(seen[1], first)


def test_states_go_into_checkpoints_and_come_back(make, tmp_path):
    first, other = Counter(), Counter()
    trainer = make([lambda _: None, first, other])
    trainer.train_until(4)
    other.rows += 100
    train.save_checkpoint(tmp_path / "state", trainer)
    again = [Counter(), Counter()]
    resumed = make([lambda _: None, *again])
    train.load_checkpoint(tmp_path / "state", resumed)
    resumed.train_until(5)
    assert [int(counter.rows) for counter in again] == [40, 140]


def test_a_callback_is_told_when_the_trainer_is_made(make):
    told = []

    class Begins(train.Callback):
        def on_begin(self, trainer):
            told.append((trainer.step, trainer.processes, trainer.stream.batch_size))

    make([Begins()])
    assert told == [(0, None, 8)]
