"""A training among several: stopped anywhere it goes on to the same bits."""

from __future__ import annotations

import pytest
import torch

from rote import augment, models
from rote.experiments.base.stopping import Stopped, StopRequest
from rote.experiments.base.training_cell import result_file, train_cell
from rote.metrics import clean_accuracy
from rote.runs import RunFolder, RunIdentity
from rote.train import LabelSource, Seeds, TrainConfig, Trainer, TrainingStream

IMAGES = torch.randint(0, 256, (32, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 4


def make() -> Trainer:
    model = models.build("convnet", in_channels=3, image_size=8, num_classes=4, width=4, projector_width=8)
    labels = LabelSource.fixed(LABELS, num_classes=4)
    stream = TrainingStream(IMAGES, torch.arange(32), labels, augment.recipes["flip-crop"], 8, Seeds())
    return Trainer(model, stream, TrainConfig(epochs=6, lr=1e-2, device="cpu"))


def look(trainer: Trainer, epoch: int) -> dict[str, float | None]:
    running = trainer.take_running()
    return {
        "accuracy": clean_accuracy(trainer.model, IMAGES, LABELS),
        "loss": running.loss if running.samples else None,
    }


@pytest.fixture
def folder(tmp_path):
    identity = RunIdentity.of("layers", 1, {}, data="", recipe="")
    with RunFolder.open(tmp_path / "run", identity, {}) as folder:
        yield folder


def train(folder, name="cell", **changes):
    options = {"make": make, "look": look, "epochs": [0, 2, 6], "stop": StopRequest(), "description": "a training"}
    return train_cell(folder, name, **{**options, **changes})


def without_seconds(looks):
    return [{key: value for key, value in found.items() if key != "seconds"} for found in looks]


def test_looks_are_measured_in_order(folder):
    looks = train(folder)
    assert [(found["epoch"], found["step"]) for found in looks] == [(0, 0), (2, 8), (6, 24)]
    assert set(looks[-1]) == {"epoch", "step", "seconds", "accuracy", "loss"}
    assert train(folder, make=None) == looks  # read, not trained again


@pytest.mark.parametrize("stop_at", [1, 8, 13])
def test_stopped_and_gone_on(folder, stop_at, monkeypatch):
    expected = train(folder, "straight")
    stop = StopRequest()
    step = Trainer.train_until

    def press_ctrl_c(trainer, until, on_step):
        def then(trainer):
            stop.made = trainer.step == stop_at
            on_step(trainer)

        step(trainer, until, then)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_until", press_ctrl_c)
        with pytest.raises(Stopped, match="training 1 of 3"):
            train(folder, stop=stop, done=1, cells=3)
    assert not result_file(folder, "cell").exists()
    assert (folder.checkpoints / "cell.safetensors").exists()
    assert without_seconds(train(folder)) == without_seconds(expected)
    assert not (folder.checkpoints / "cell.safetensors").exists()


def test_killed_between_two_saves(folder, monkeypatch):
    expected = train(folder, "straight")
    monkeypatch.setattr("rote.experiments.base.saving.SAVE_EVERY_SECONDS", 0.0)

    def killed(trainer, epoch):
        if epoch == 6:
            raise KeyboardInterrupt
        return look(trainer, epoch)

    with pytest.raises(KeyboardInterrupt):
        train(folder, look=killed)
    assert without_seconds(train(folder)) == without_seconds(expected)


def test_finish_sees_the_trained_network(folder):
    seen = []
    train(folder, finish=lambda trainer: seen.append(trainer.step))
    assert seen == [24]
