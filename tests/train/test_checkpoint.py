"""Files: whole or absent, safe to read, and refused with the reason when they do not fit."""

from __future__ import annotations

import pytest
import torch

from rote import models, train
from rote.train import checkpoint


def build(width: int = 4):
    return models.build("convnet", in_channels=3, image_size=8, num_classes=4, width=width, projector_width=8)


def test_weights_round_trip_with_their_header(tmp_path):
    model, other = (
        build(),
        models.build("convnet", in_channels=3, image_size=8, num_classes=4, width=4, projector_width=8, seed=9),
    )
    model.to(memory_format=torch.channels_last)
    model.encoder.stage1[1].running_mean.fill_(0.25)
    train.save_weights(tmp_path / "deep" / "w.safetensors", model, epoch=7, labels="random")
    assert train.load_weights(tmp_path / "deep" / "w.safetensors", other) == {"epoch": 7, "labels": "random"}
    for (name, a), b in zip(model.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_weights_of_another_network_are_refused(tmp_path):
    train.save_weights(tmp_path / "w", build())
    with pytest.raises(train.CheckpointError, match=r"(?s)the weights do not fit this network.*size mismatch"):
        train.load_weights(tmp_path / "w", build(width=6))


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w"
    train.save_weights(path, build(), epoch=1)
    before = path.read_bytes()

    def broken(_):
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint.os, "fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        train.save_weights(path, build(), epoch=2)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_damaged_files_are_named(tmp_path, make_trainer, damage):
    path = tmp_path / "state.safetensors"
    train.save_checkpoint(path, make_trainer())
    path.write_bytes(path.read_bytes()[:-100] if damage is None else damage)
    with pytest.raises(train.CheckpointError, match=r"state\.safetensors: not a checkpoint, or a damaged one"):
        train.load_checkpoint(path, make_trainer())


def test_missing_file(tmp_path, make_trainer):
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        train.load_checkpoint(tmp_path / "nothing", make_trainer())


def test_a_checkpoint_of_another_config_is_refused(tmp_path, make_trainer):
    path = tmp_path / "state"
    train.save_checkpoint(path, make_trainer())
    with pytest.raises(train.CheckpointError, match=r"the checkpoint was trained with lr 0.003 instead of 0.1"):
        train.load_checkpoint(path, make_trainer(lr=0.1))
    with pytest.raises(train.CheckpointError, match="epochs 5 instead of 6"):
        train.load_checkpoint(path, make_trainer(epochs=6))


def test_more_epochs_extend_a_constant_rate_run(tmp_path, make_trainer):
    path = tmp_path / "state"
    short = make_trainer(schedule="constant")
    short.train_until(short.total_steps)
    train.save_checkpoint(path, short)
    longer, whole = make_trainer(schedule="constant", epochs=6), make_trainer(schedule="constant", epochs=6)
    train.load_checkpoint(path, longer)
    longer.train_until(longer.total_steps)
    whole.train_until(whole.total_steps)
    for a, b in zip(longer.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_tied_weights_are_saved_and_read(tmp_path):
    """The file format refuses shared memory; own networks share weights."""

    def tied():
        network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
        network[1].weight = network[0].weight
        return network

    one, other = tied(), tied()
    train.save_weights(tmp_path / "w", one)
    train.load_weights(tmp_path / "w", other)
    assert torch.equal(one[1].weight, other[0].weight)
    assert other[0].weight is other[1].weight
