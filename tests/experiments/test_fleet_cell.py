"""Networks trained together as one part of an experiment: stopped anywhere they go on to the same bits."""

from __future__ import annotations

import pytest
import torch

from rote import augment, models
from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import require_finite, train_fleet
from rote.experiments.base.stopping import Stopped, StopRequest
from rote.experiments.base.training_cell import result_file
from rote.metrics import clean_accuracy
from rote.runs import RunFolder, RunIdentity
from rote.train import LabelSource, Seeds, TrainConfig, TrainingDiverged, TrainingStream

IMAGES = torch.randint(0, 256, (32, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(32) % 4


def make(path, rates=(1e-2, 3e-2)) -> Fleet:
    sizes = {"in_channels": 3, "image_size": 8, "num_classes": 4, "width": 4, "projector_width": 8}
    labels = LabelSource.fixed(LABELS, num_classes=4)
    return Fleet(
        [models.build("mlp", **sizes, seed=seed) for seed in range(2)],
        [TrainingStream(IMAGES, torch.arange(32), labels, augment.recipes["none"], 8, Seeds()) for _ in rates],
        [TrainConfig(epochs=6, lr=rate, loss="ce", device="cpu") for rate in rates],
        path,
    )


def look(fleet, epoch):
    fleet.tensors = {"looks": fleet.tensors.get("looks", torch.zeros(1)) + 1}
    found = [clean_accuracy(fleet.model(member), IMAGES, LABELS) for member in range(2)]
    return {"accuracy": found, "number": int(fleet.tensors["looks"])}


@pytest.fixture
def folder(tmp_path):
    identity = RunIdentity.of("easy", 1, {}, data="", recipe="")
    with RunFolder.open(tmp_path / "run", identity, {}) as folder:
        yield folder


def train(folder, name="cell", **changes):
    options = {"make": make, "look": look, "epochs": (0, 2, 6), "stop": StopRequest(), "description": "networks"}
    return train_fleet(folder, name, **{**options, **changes})


def test_looks_in_order_and_read_again(folder):
    found = train(folder)
    assert [(seen["epoch"], seen["step"], seen["number"]) for seen in found["looks"]] == [
        (0, 0, 1),
        (2, 8, 2),
        (6, 24, 3),
    ]
    assert train(folder, make=None) == found
    assert not list(folder.checkpoints.glob("*"))


@pytest.mark.parametrize("stop_at", [1, 8, 13])
def test_stopped_and_gone_on(folder, stop_at, monkeypatch):
    expected = train(folder, "straight")["looks"]
    stop = StopRequest()

    def press(self, step, **values):
        stop.made = step == stop_at

    with monkeypatch.context() as patch:
        patch.setattr("rote.train.Progress.update", press)
        with pytest.raises(Stopped, match="after part 3 of 9"):
            train(folder, stop=stop, done=3, cells=9)
    assert not result_file(folder, "cell").exists()
    assert train(folder)["looks"] == expected  # the caller's own tensors were saved beside the networks


def test_ends_when_no_member_is_left(folder):
    def first(fleet, epoch):
        for member in fleet.active:
            fleet.stop(member)
        return {}

    assert [seen["epoch"] for seen in train(folder, look=first, epochs=range(1, 7))["looks"]] == [1]


def test_time_is_added_up(folder, monkeypatch):
    monkeypatch.setattr("rote.experiments.base.saving.SAVE_EVERY_SECONDS", -1.0)
    assert train(folder)["seconds"] > 0


def test_networks_that_diverge_are_named(folder):
    def checked(fleet, epoch):
        require_finite(fleet)
        return {}

    with pytest.raises(TrainingDiverged):
        train(folder, make=lambda path: make(path, (1e-2, 1e30)), look=checked, epochs=(6,))
