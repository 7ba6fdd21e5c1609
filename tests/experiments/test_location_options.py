"""What `location` can be asked for: a short run, a module of one's own, bad options, the runs of the suite."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from rote import models
from rote.experiments import LocationConfig, headline, location
from rote.experiments.location.blocks import BLOCK, blocks_of, of_kind
from rote.experiments.suite import location as suite_location
from rote.experiments.suite.planned import SuiteConfig, of, plain
from rote.train import redraw_labels

from .location_setting import BANK, FIELDS


def test_one_epoch(tmp_path):
    short = {**FIELDS, "epochs": 1, "early_epoch": None, "moments": (0, 5), "parts": ("rewinding", "neurons", "latent")}
    found = location(**short, out=tmp_path)
    assert found.summary["rewound_epoch"] == 0
    assert headline(found)


def test_a_module_of_ones_own(tmp_path):
    torch.manual_seed(0)
    own = nn.Sequential(nn.Flatten(), nn.Linear(768, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 10))
    parts = ("rewinding", "retraining", "gradients", "neurons", "geometry", "latent")
    fields = {key: value for key, value in FIELDS.items() if key not in ("model", "width", "projector_width")}
    found = location(**{**fields, "parts": parts}, model=own, taps=["1", "3"], out=tmp_path)
    assert list(found.summary["fall_permuted"]) == ["1", "3", "rest"]
    with pytest.raises(ValueError, match="--parts tied needs a network by name"):
        location(**fields, model=own, taps=["1", "3"], out=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": 0.0}, "--noise must be above 0"),
        ({"labels": "true", "noise": 1.0}, "--labels random"),
        ({"label_classes": 4, "noise": 1.0}, "--label-classes"),
        ({"mixup": "labels"}, "--mixup"),
        ({"parts": ()}, "--parts must be out of"),
        ({"parts": ("rewinding", "rewinding")}, "each once"),
        ({"parts": ("rewind",)}, "--parts must be out of"),
        ({"moments": (-1,)}, "--moments"),
        ({"moments": (2, 2)}, "--moments"),
        ({"early_epoch": 24}, "--early-epoch must be above 0 and below --epochs 24"),
        ({"early_epoch": 0}, "--early-epoch"),
        ({"pooling": "sum"}, "--pooling"),
        ({"test_images": 0}, "--test-images"),
        ({"geometry_points": 1}, "--geometry-points must be at least 2"),
        ({"neuron_most": 0}, "--neuron-most"),
        ({"neuron_noise": -0.1}, "--neuron-noise"),
        ({"tied_fixed": 0.0}, "--tied-fixed"),
        ({"tied_mem": 1.5}, "--tied-mem"),
        ({"retrain_lr": 0.0}, "--retrain-lr"),
        ({"replicas": 2}, "--replicas"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        LocationConfig(**{**FIELDS, "data": "digits", **change})


def test_options_that_do_not_fit_the_data(tmp_path):
    with pytest.raises(ValueError, match="--k must be at most --images 48"):
        location(**{**FIELDS, "k": 49}, out=tmp_path)
    # One label is redrawn; of some seed it comes out as it was.
    labels, ids = BANK.train.labels, BANK.balanced_order(0)[:48]
    lucky = next(
        seed for seed in range(99) if (redraw_labels(labels[ids], ids, 10, seed, 0.001)[0] == labels[ids]).all()
    )
    with pytest.raises(ValueError, match="leaves every one of 48 labels right"):
        location(**{**FIELDS, "noise": 0.001, "epochs": 4, "early_epoch": 1, "label_seed": lucky}, out=tmp_path)


def test_a_dry_run_of_any_early_epoch(tmp_path):
    short = LocationConfig(**{**FIELDS, "data": "digits"}).shortened(epochs=1)
    assert (short.early, short.earlier()) == (0, [0])


def test_the_early_epoch_by_default():
    assert LocationConfig().early == 15
    assert LocationConfig().earlier() == [0, 5, 15, 30, 60]
    assert LocationConfig(epochs=20).early == 1
    assert LocationConfig(epochs=20).benign().keep_checkpoints == (0, 1, 5, 15)
    assert models.names()  # the networks by name have blocks, each of them
    for name in ("convnet", "mlp", "resnet18", "vgg16", "vit-tiny"):
        network = models.build(name, in_channels=3, image_size=32, num_classes=10, width=8, projector_width=8)
        assert [block.name for block in of_kind(blocks_of(network), BLOCK)][-1] == "projector"


def test_the_runs_of_the_suite():
    suite = SuiteConfig(data="folder", root=Path("pictures"), seeds=2)
    planned = list(suite_location.runs(suite))
    assert [(run.config.noise, run.config.seed) for run in planned] == [(0.1, 0), (1.0, 0), (0.1, 1), (1.0, 1)]
    assert all(run.claims == (29,) and run.config.augment == "none" for run in planned)
    assert list(suite_location.runs(SuiteConfig())) == []  # there is no such claim about digits
    # The network at 1 is that of the un-augmented runs of other claims, kept weights apart.
    (examined,) = planned[1].config.benign_runs()
    alike = plain(of(suite, "benign"))
    assert dataclasses.replace(examined, keep_checkpoints=()) == alike
