"""Configs refuse what means nothing, and say so."""

from __future__ import annotations

import pytest
import torch

from rote import train


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
        ({"label_smoothing": 1.5, "loss": "ce"}, r"label_smoothing must be in \[0, 1\]; got 1.5"),
        ({"label_smoothing": 0.1}, "label_smoothing must be 0 with loss='mse', it is one of 'ce'; got 0.1"),
        ({"decay": 0.0}, r"decay must be in \(0, 1\]; got 0.0"),
        ({"decay": 1.5}, r"decay must be in \(0, 1\]"),
        ({"decay_epochs": 0}, "decay_epochs must be at least 1; got 0"),
        ({"warmup_epochs": -1}, "warmup_epochs must not be negative; got -1"),
        ({"warmup_epochs": 5, "epochs": 5}, "warmup_epochs must be less than epochs, 5; got 5"),
        ({"warmup_epochs": 1, "schedule": "one-cycle"}, "warmup_epochs must be 0 with schedule='one-cycle'; got 1"),
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


def test_a_device_that_torch_does_not_know():
    with pytest.raises(ValueError, match=r"device must be 'auto', 'cpu', 'cuda' or .*; got 'tpu'"):
        train.TrainConfig(device="tpu").resolved_device()
