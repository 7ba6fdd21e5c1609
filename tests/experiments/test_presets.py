"""Presets: valid for every experiment, the paper's to the letter, and overruled by options that are given."""

from __future__ import annotations

import dataclasses

import pytest

from rote.cli import main
from rote.experiments import CONFIGS, PRESETS, preset
from rote.experiments.benign import BenignConfig
from rote.runs import load_run


@pytest.mark.parametrize("experiment", CONFIGS)
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_of_every_experiment(name, experiment):
    config = preset(name, experiment)
    assert type(config) is CONFIGS[experiment]
    training = config.training()
    assert training.epochs == config.epochs
    assert all(type(run) is BenignConfig for run in config.benign_runs())


def test_paper_to_the_letter():
    """The reproduction command of the released code and its defaults (arXiv 2210.14019)."""
    config = preset("paper", "benign")
    expected = {
        "data": "cifar10",
        "images": None,
        "augment": "benign-full",
        "mixup": "none",
        "model": "resnet18",
        "projector_width": 65_536,
        "norm": "batch",
        "loss": "mse",
        "label_smoothing": 0.0,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "lr": 3e-4,
        "schedule": "constant",
        "warmup_epochs": 0,
        "epochs": 10_000,
        "batch_size": 256,
        "precision": "float32",
        "bn": "running",
        "k": 20,
        "labels": "random",
        "noise": 1.0,
        "views": None,
    }
    assert {key: getattr(config, key) for key in expected} == expected
    assert config.evaluation_epochs()[:3] == [0, 50, 100]
    seeds = config.seeds()
    assert (seeds.label, seeds.init, seeds.order, seeds.view, seeds.data) == (17, 42, 42, 42, 42)
    assert 10_000 * (50_000 // config.batch_size) == 1_950_000  # 195 steps an epoch: a partial batch is dropped


def test_laptop_is_the_scale_of_the_claims():
    config = preset("laptop", "benign")
    assert (config.images, config.model, config.epochs * (config.images // config.batch_size)) == (512, "convnet", 3600)
    assert preset("laptop", "ideal").augment == "benign-full"  # claim 12 is about the full recipe
    assert len(preset("laptop", "diversity").strengths) == 5


def test_experiments_of_a_preset_share_their_benign_runs():
    for name in PRESETS:
        base = preset(name, "benign")
        for experiment in ("layers", "invariance"):
            assert preset(name, experiment).benign_runs() == [base]


def test_unknown_names():
    with pytest.raises(ValueError, match="preset must be one of paper, quick, laptop; got 'fast'"):
        preset("fast", "benign")
    with pytest.raises(ValueError, match="experiment must be one of benign"):
        preset("paper", "malign")


def test_options_win_over_the_preset(tmp_path, capsys):
    tiny = ["--images", "32", "--width", "4", "--projector-width", "8", "--epochs", "2", "--batch-size", "16"]
    words = ["run", "benign", "--preset", "laptop", "--data", "digits", "--augment", "digits", *tiny]
    assert main([*words, "--evaluations=1", "--out", str(tmp_path)]) == 0
    (folder,) = tmp_path.iterdir()
    config = load_run(folder).config
    laptop = dataclasses.asdict(preset("laptop", "benign"))
    assert (config["images"], config["epochs"], config["data"]) == (32, 2, "digits")
    assert (config["schedule"], config["lr"]) == (laptop["schedule"], laptop["lr"])
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset"], "--preset needs one of paper, quick, laptop"),
        (["--preset", "fast"], "preset must be one of paper, quick, laptop; got 'fast'"),
        (["--preset", "paper", "--from-run", "runs/x"], "--preset and --from-run both give the defaults"),
        (["--preset=laptop"], "root"),  # CIFAR-10 lies on disk
    ],
)
def test_mistakes(words, message, capsys):
    assert main(["run", "benign", *words]) == 2
    assert message in capsys.readouterr().err
