"""Presets: the options that a whole protocol consists of, for every experiment. Options that are given win over them.

paper    arXiv 2210.14019 to the letter, as far as its released code tells: the command its README gives to reproduce it
         (10,000 epochs; 5,000 is only what the flag falls back to), so 1.95 million steps on CIFAR-10 and days on one
         GPU. What the paper leaves open is named below.
quick    the same findings in minutes on one GPU: fewer images, bfloat16, large batches, one cycle of the learning rate
         in place of a small constant one, a projector an eighth as wide. Reasoned from step counts; never run on a GPU.
laptop   the same findings on two CPU cores: 512 images and a small convolutional net, 3,600 steps, minutes a run; tiny
         networks on digits for capacity.

Experiments of other papers (transfer, size, easy, ...) keep their own protocol under all three, on CIFAR-10 under the
first two and where the claims speak of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.benign import BenignConfig
from rote.experiments.capacity import CapacityConfig

PRESETS = ("paper", "quick", "laptop")

# The options that all experiments on one network share.
_SHARED: dict[str, dict[str, Any]] = {
    "paper": {
        "data": "cifar10",
        "images": None,  # all 50,000
        "augment": "benign-full",
        "mixup": "none",  # the README counts it among the augmentations, its command does not switch it on
        "model": "resnet18",  # 3 x 3 stem without pooling, 512 features
        "projector_width": 65_536,
        "norm": "batch",
        "loss": "mse",
        "optimizer": "adam",
        "weight_decay": 0.0,
        "lr": 3e-4,
        "schedule": "constant",
        "epochs": 10_000,
        "batch_size": 256,
        "precision": "float32",
        "bn": "running",
        "k": 20,
        "evaluations": 200,  # every 50 epochs
        "seed": 42,
        "label_seed": 17,
    },
    # 600 visits of 10,000 images are 6 million samples, at some 20,000 a second five minutes; 11,400 steps are three
    # times as many as the laptop's 512 images take to be memorized with their views.
    "quick": {
        "data": "cifar10",
        "images": 10_000,
        "augment": "benign-mild",
        "model": "resnet18",
        "projector_width": 8192,
        "loss": "mse",
        "optimizer": "adam",
        "lr": 2e-3,
        "schedule": "one-cycle",
        "epochs": 600,
        "batch_size": 512,
        "precision": "bfloat16",
        "evaluations": 6,
    },
    "laptop": {
        "data": "cifar10",
        "images": 512,
        "augment": "benign-mild",
        "model": "convnet",
        "loss": "mse",
        "optimizer": "adam",
        "lr": 1e-3,
        "schedule": "one-cycle",
        "epochs": 900,
        "batch_size": 128,
        "evaluations": 6,
    },
}

_DATA_ELSEWHERE = {"paper": "cifar10", "quick": "cifar10", "laptop": "digits"}
# The network and the optimizer of arXiv 1706.05394; it halves the rate every 15 epochs.
_CLOSER_LOOK_CNN: dict[str, Any] = {
    "model": "closer-look-cnn",
    "optimizer": "sgd",
    "momentum": 0.9,
    "lr": 1e-2,
    "batch_size": 64,
}
# Where an experiment differs from them.
_OWN: dict[str, dict[str, dict[str, Any]]] = {
    "paper": {
        # The sweep values are not in the released code; these are ours. Every view is visited as often as B allows.
        "capacity": {"views": (1, 2, 4, 8, 16, 32, 64), "budget": "steps", "single_views": False, "width": None},
        "diversity": {"dial": "rand-augment", "strengths": (0.0, 0.25, 0.5, 0.75, 1.0)},
        # Of digits, the paper's 1,000 at 14 pixels; times and rates are not in the paper.
        "sensitivity": {"data": "digits"},
        # arXiv 1706.05394's CNN; its epochs and the number of queries are not stated.
        "csr": {**_CLOSER_LOOK_CNN, "images": None, "width": 200, "epochs": 100, "queries": 1000, "iterations": 100},
        # arXiv 1611.03530 states neither its batch nor its epochs; these are those of a reproduction of its table 1.
        "noise": {"grid": True, "levels": tuple(n / 10 for n in range(1, 10)), "epochs": 100},
        # arXiv 1706.05394: two layers of 4,096 units, SGD at .01, 100 networks, 1,000 examples.
        "easy": {"width": 4096, "filter_epochs": 30, "filter_width": 200},
        "trajectories": {"validation": 5000, "width": 64, "batch_size": 128},
        "depth": {"images": None, "validation": 5000, "width": 512, "batch_size": 128},
        # Clean and noisy examples are told apart by memory: no augmentation, here and in the other presets.
        "location": {"augment": "none"},
        # Feldman and Zhang train 4,000 networks on 70 %; their networks (ResNet-50, Inception) are not this small one.
        "memorization": {"runs": 4_000, "model": "convnet", "epochs": 100, "batch_size": 128},
        # arXiv 1706.05394's CNN, its ranges of strengths and its optimizer; its grids, batch and epochs are not stated.
        "regularize": {
            **_CLOSER_LOOK_CNN,
            "images": 45_000,
            "validation_images": 5000,
            "width": 200,
            "epochs": 100,
            "dropout": (0.1, 0.3, 0.5, 0.7, 0.8, 0.9),
            "input_dropout": (0.1, 0.3, 0.5, 0.7, 0.8, 0.9),
            "input_noise": (0.25, 0.5, 1.0, 2.0, 3.0, 5.0),
            "decays": (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        },
    },
    "quick": {
        "capacity": {"images": 2_000, "views": (1, 4, 16, 64), "schedule": "constant", "lr": (1e-3,), "width": None},
        "ideal": {"augment": "benign-full", "images": 2_000, "epochs": 3_000},
        "diversity": {"augment": "benign-full"},
        "noise": {"grid": True, "images": 10_000, "epochs": 60},
        "sensitivity": {"data": "digits"},
        "csr": {**_CLOSER_LOOK_CNN, "images": 10_000, "width": 64, "epochs": 60, "queries": 1000},
        "easy": {"images": 10_000, "filter_epochs": 15},
        "trajectories": {"images": 10_000, "validation": 5000, "width": 32},
        "depth": {"images": 5000, "validation": 5000, "width": 128},
        "location": {"augment": "none"},
        "memorization": {"images": 10_000, "runs": 1_000, "model": "convnet", "noise": 0.1, "noise_kind": "wrong"},
        "regularize": {**_CLOSER_LOOK_CNN, "images": 10_000, "width": 64, "epochs": 30},
    },
    "laptop": {
        # 2,588 parameters at 16 pixels: 3 and 24 views of 128 images ask for .5 and 4 bits of each.
        "capacity": {
            "data": "digits",
            "augment": "digits",
            "images": 128,
            "width": 4,
            "views": (1, 3, 24),
            "visits": 1600,
            "budget": "visits",
            "single_views": False,
            "loss": "ce",
            "schedule": "constant",
            "lr": (3e-3, 1e-2, 3e-2),
            "epochs": 1600,
        },
        # Ten thousand images take the linear probe on 3,072 raw pixels minutes.
        "layers": {"linear_images": 2000},
        # Of six runs, three more than other claims train: minutes for what is asked of each.
        "location": {
            "augment": "none",
            "moments": (0, 5, 15, 60),
            "tied_epochs": 50,
            "neuron_examples": 6,
            "neuron_batch_size": 32,
        },
        "ideal": {"augment": "benign-full"},
        "diversity": {"augment": "benign-full", "strengths": (0.1, 0.25, 0.5, 1.0, 2.0)},
        # A sixth of the paper's Inception, 47 thousand weights; the grid is the matter of a perceptron, in the suite.
        "noise": {
            "data": "cifar10",
            "images": 2000,
            "width": 16,
            "epochs": 50,
            "batch_size": 64,
            "evaluations": 1,
        },
        # Three seeds take about 20 to 30 minutes of one core each.
        "easy": {"data": "cifar10", "images": 5000, "filter_epochs": 5},
        "trajectories": {"data": "cifar10", "images": 8000, "validation": 2000, "epochs": 45},
        # A convolutional network a third as costly as the paper's with 32 filters.
        "csr": {"data": "cifar10", "images": 2000, "epochs": 50, "looks": 10, "iterations": 10},
        "depth": {
            "data": "cifar10",
            "images": 2000,
            "validation": 1000,
            "depths": (1, 2, 4, 8),
            "true_epochs": 15,
        },
        # 520 networks of about 900 steps, a third of a millisecond each where 16 train together: three minutes.
        "memorization": {
            "width": 32,
            "runs": 400,
            "noise": 0.1,
            "noise_kind": "wrong",
            "epochs": 60,
            "profile_shares": (0.1, 0.3, 0.5),
        },
        # Four strengths with that of none, about an hour of one core for three seeds. Random labels are known after ten
        # epochs; two steps of the search reach the faces of its box.
        "regularize": {
            **_CLOSER_LOOK_CNN,
            "data": "cifar10",
            "images": 2000,
            "test_images": 4000,
            "width": 32,
            "epochs": 12,
            "evaluations": 4,
            "dropout": (0.3, 0.6, 0.9),
            "input_dropout": (0.3, 0.6, 0.9),
            "input_noise": (0.5, 1.5, 5.0),
            "hidden_noise": (0.1, 0.2, 0.3),
            "decays": (1e-2, 1e-1, 1.0),
            "adversarial": (0.2, 0.45, 0.7),
            "adversarial_dropout": (0.03, 0.25, 0.5),
            "adversarial_iterations": 2,
        },
    },
}


def preset(name: str, experiment: str) -> ExperimentConfig:
    """The options of an experiment under a preset.

    Args:
        name: "paper", "quick" or "laptop".
        experiment: one of `rote.experiments.CONFIGS`.

    Returns:
        The config; change it by `dataclasses.replace`. Data sets that lie on disk still want their `root`.

    Raises:
        ValueError: no such preset or experiment.

    Example:
        >>> rote.experiments.preset("laptop", "benign").images
        512
    """
    from rote.experiments import CONFIGS

    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; got {name!r}")
    if experiment not in CONFIGS:
        raise ValueError(f"experiment must be one of {', '.join(CONFIGS)}; got {experiment!r}")
    kind = CONFIGS[experiment]
    # Experiments of other papers keep their own protocol, which is of laptop size.
    of_this_paper = issubclass(kind, BenignConfig | CapacityConfig)
    shared = _SHARED[name] if of_this_paper else {"data": _DATA_ELSEWHERE[name]}
    return kind(**{**_fitting(kind, shared), **_OWN[name].get(experiment, {})})


def _fitting(kind: type[ExperimentConfig], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Those shared options that an experiment has, a single rate as a list of one where it takes several."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    found = {key: value for key, value in shared.items() if key in fields}
    if "lr" in found and isinstance(fields["lr"].default, tuple):
        found["lr"] = (found["lr"],)
    return found
