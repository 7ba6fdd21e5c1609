"""The trainer: it learns, resumes to the bit, and stops with the right words."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rote import metrics, models, train


def same_bits(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_bits(a[key], b[key]) for key in a)
    return a == b


OPTIMIZERS = [
    {"optimizer": "adam"},
    {"optimizer": "sgd", "lr": 0.05, "schedule": "one-cycle", "loss": "ce"},
    {"optimizer": "sgd", "momentum": 0.0, "lr": 0.05, "norm": "group"},
    {"model": "mlp", "precision": "bfloat16"},
    {"optimizer": "lars", "lr": 0.3, "schedule": "step", "loss": "ce", "label_smoothing": 0.1},
    {"optimizer": "muon", "schedule": "cosine", "warmup_epochs": 1, "momentum": 0.95},
]


@pytest.mark.parametrize("fields", OPTIMIZERS)
@pytest.mark.parametrize("stop", [1, 6, 14])
def test_a_resumed_run_ends_in_the_same_bits(make_trainer, tmp_path, fields, stop):
    whole = make_trainer(**fields)
    whole.train_until(15)

    killed = make_trainer(**fields)
    killed.train_until(stop)
    train.save_checkpoint(tmp_path / "state.safetensors", killed, {"best": 0.5})
    # What happens after the save must not reach the file.
    killed.train_until(15)

    resumed = make_trainer(**fields)
    resumed.take_running()
    assert train.load_checkpoint(tmp_path / "state.safetensors", resumed) == {"best": 0.5}
    assert resumed.step == stop
    resumed.train_until(15)
    assert same_bits(resumed.state_dict(), whole.state_dict())
    assert resumed.take_running() == whole.take_running()


def test_resuming_keeps_the_bits_of_a_network_that_draws(make_trainer, tmp_path):
    def with_dropout():
        model = models.build("mlp", in_channels=3, image_size=8, num_classes=4, width=8, projector_width=8)
        model.projector.hidden = nn.Sequential(nn.Dropout(0.5), model.projector.hidden)
        torch.manual_seed(0)
        return make_trainer(network=model)

    whole = with_dropout()
    whole.train_until(9)
    killed = with_dropout()
    killed.train_until(4)
    train.save_checkpoint(tmp_path / "state", killed)
    torch.rand(100)
    resumed = with_dropout()
    train.load_checkpoint(tmp_path / "state", resumed)
    resumed.train_until(9)
    assert same_bits(resumed.model.state_dict(), whole.model.state_dict())


def test_a_state_in_memory_is_a_state_to_go_back_to(make_trainer):
    trainer = make_trainer()
    trainer.train_until(4)
    saved = copy.deepcopy(trainer.state_dict())
    trainer.train_until(9)
    end = trainer.model.state_dict()["encoder.stage1.0.weight"].clone()
    trainer.load_state_dict(saved)
    trainer.train_until(9)
    assert torch.equal(trainer.model.state_dict()["encoder.stage1.0.weight"], end)


def test_one_step_is_autograd_and_adam_on_the_streams_batch(make_trainer):
    """The first update against a plain PyTorch step written here."""
    trainer, twin = make_trainer(), make_trainer()
    trainer.train_until(1)
    x, y = twin.stream.batch(0)
    logits = twin.model.train()(x)
    loss = (logits - nn.functional.one_hot(y, 4)).square().mean()
    optimizer = torch.optim.Adam(twin.model.parameters(), lr=3e-3)
    loss.backward()
    optimizer.step()
    for (name, ours), theirs in zip(trainer.model.named_parameters(), twin.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6, msg=name)
    running = trainer.take_running()
    assert running.loss == pytest.approx(loss.item(), rel=1e-5)
    assert running.accuracy == pytest.approx((logits.argmax(1) == y).float().mean().item())
    assert running.samples == 8
    assert trainer.take_running().samples == 0


def test_measuring_in_between_changes_no_bit(make_trainer, images):
    def measure(trainer):
        if trainer.step % 4 == 0:
            ids = torch.arange(10)
            with metrics.recalibrated(trainer.model, images):
                metrics.clean_accuracy(trainer.model, images, torch.zeros(10, dtype=torch.int64), image_ids=ids)
                metrics.embed(trainer.model, images, trainer.model.layers)

    measured, left_alone = make_trainer(), make_trainer()
    measured.train_until(15, on_step=measure)
    left_alone.train_until(15)
    assert same_bits(measured.state_dict(), left_alone.state_dict())


def test_it_memorizes_random_labels(make_trainer):
    trainer = make_trainer(epochs=60, lr=1e-2, width=8, projector_width=64)
    seen = []
    trainer.train_until(trainer.total_steps, on_step=lambda t: seen.append(t.step))
    assert seen == list(range(1, trainer.total_steps + 1))
    trainer.take_running()
    trainer.train_until(trainer.total_steps + 3)
    assert trainer.take_running().accuracy == 1.0


@pytest.mark.parametrize("model", ["convnet", "mlp"])
def test_it_memorizes_in_bfloat16_with_float32_weights(make_trainer, model):
    trainer = make_trainer(
        model=model, precision="bfloat16", epochs=60, lr=1e-2, width=8 if model == "convnet" else 64, projector_width=64
    )
    trainer.train_until(trainer.total_steps)
    assert trainer.take_epochs()[-1].accuracy == 1.0
    assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}
    assert {v.dtype for s in trainer.state_dict()["optimizer"].values() for v in s.values()} == {torch.float32}
    # Eight bits of mantissa show: the pixels are not those of float32, and neither are the weights.
    single = make_trainer(model=model, epochs=60, lr=1e-2, width=trainer.config.width, projector_width=64)
    assert trainer.stream.batch(0)[0].dtype == torch.bfloat16
    single.train_until(1)
    first = make_trainer(
        model=model, precision="bfloat16", epochs=60, lr=1e-2, width=trainer.config.width, projector_width=64
    )
    first.train_until(1)
    assert any(not torch.equal(a, b) for a, b in zip(single.model.parameters(), first.model.parameters(), strict=True))


def test_divergence_names_the_step_and_keeps_the_last_good_state(make_trainer):
    trainer = make_trainer(check_every=4)
    original = trainer.stream.batch
    trainer.stream.batch = lambda step: (original(step)[0] * (float("nan") if step == 6 else 1.0), original(step)[1])
    reference = make_trainer(check_every=4)
    reference.train_until(4)
    with pytest.raises(train.TrainingDiverged, match="the loss is not finite at step 6; the state of step 4") as caught:
        trainer.train_until(15)
    assert (caught.value.step, caught.value.last_good_step, trainer.step) == (6, 4, 4)
    assert same_bits(trainer.state_dict(), reference.state_dict())
    # From there on it can go on, here with the fault removed.
    trainer.stream.batch = original
    trainer.train_until(15)
    reference.train_until(15)
    assert same_bits(trainer.model.state_dict(), reference.model.state_dict())


def test_a_huge_learning_rate_diverges_with_an_error(make_trainer):
    trainer = make_trainer(optimizer="sgd", lr=1e30, norm="none", epochs=20)
    with pytest.raises(train.TrainingDiverged):
        trainer.train_until(trainer.total_steps)
    assert all(torch.isfinite(p).all() for p in trainer.model.parameters())


def test_a_broken_state_is_never_saved(make_trainer, tmp_path):
    trainer = make_trainer()
    trainer.train_until(2)
    with torch.no_grad():
        next(trainer.model.parameters()).fill_(float("inf"))
    with pytest.raises(train.TrainingDiverged):
        train.save_checkpoint(tmp_path / "state", trainer)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("x: can't allocate memory")]
)
def test_out_of_memory_says_which_number_to_lower(make_trainer, error):
    trainer = make_trainer()

    def fail(step):
        raise error

    trainer.stream.batch = fail
    with pytest.raises(
        train.TrainingOutOfMemory, match=r"out of memory on cpu at step 0: .*lower batch_size \(now 8\)"
    ):
        trainer.train_until(1)


def test_the_allocators_own_error_is_known(make_trainer):
    """What torch says today when the CPU's memory is out, with numbers nobody has."""

    class Huge(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(192, 4)

        def forward(self, x):
            return self.layer(x.flatten(1)) + torch.empty(2**60).sum()

    with pytest.raises(train.TrainingOutOfMemory, match=r"772 parameters take .* lower batch_size \(now 8\)"):
        make_trainer(network=Huge()).train_until(1)


def test_other_errors_pass_through(make_trainer):
    trainer = make_trainer()
    trainer.stream.batch = lambda step: (_ for _ in ()).throw(RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        trainer.train_until(1)


def test_layout_and_precision_follow_network_and_device(make_trainer):
    trainer = make_trainer()
    assert trainer.stream.channels_last
    assert trainer.stream.dtype == torch.float32
    assert trainer.model.encoder.stage2[0].weight.is_contiguous(memory_format=torch.channels_last)
    mlp = make_trainer(model="mlp", precision="bfloat16", norm="group")
    assert mlp.stream.batch(0)[0].dtype == torch.bfloat16
    assert not make_trainer(
        network=models.build("mlp", in_channels=3, image_size=8, num_classes=4)
    ).stream.channels_last


@pytest.mark.parametrize("loss", ["mse", "ce"])
def test_float64_trains_weights_and_all_on_pixels_rendered_as_float32(make_trainer, loss):
    """Three steps against numpy-exact arithmetic of the same steps: a float32 anywhere would show at 1e-7."""
    trainer, twin = (
        make_trainer(precision="float64", optimizer="sgd", lr=0.1, loss=loss, schedule="constant") for _ in range(2)
    )
    single = make_trainer(loss=loss)
    assert torch.equal(trainer.stream.batch(0)[0], single.stream.batch(0)[0].double())
    trainer.train_until(3)
    optimizer = torch.optim.SGD(twin.model.parameters(), lr=0.1, momentum=0.9)
    for step in range(3):
        x, y = twin.stream.batch(step)
        logits = twin.model.train()(x)
        onehot = nn.functional.one_hot(y, 4).double()
        error = (logits - onehot).square().mean() if loss == "mse" else -(logits.log_softmax(1) * onehot).sum(1).mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    for ours, theirs in zip(trainer.model.parameters(), twin.model.parameters(), strict=True):
        assert ours.dtype == torch.float64
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-13)
    assert trainer.take_running().accuracy in {n / 24 for n in range(25)}
