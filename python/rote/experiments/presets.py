"""Presets: the options that a whole protocol consists of, for every experiment. Options that are given win over them.

paper    arXiv 2210.14019 to the letter, as far as its released code tells: the command its README gives to reproduce it
         (10,000 epochs; 5,000 is only what the flag falls back to), so 1.95 million steps on CIFAR-10 and days on one
         GPU. What the paper leaves open is named below.
quick    the same findings in minutes on one GPU: fewer images, bfloat16, large batches, one cycle of the learning rate
         in place of a small constant one, a projector an eighth as wide. Reasoned from step counts; never run on a GPU.
laptop   the same findings on two CPU cores: 512 images and a small convolutional net, 3,600 steps, minutes a run; tiny
         networks on digits for capacity.

Experiments of other papers (transfer, size) keep their own protocol under all three, on CIFAR-10 under the first two.
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
# Where an experiment differs from them.
_OWN: dict[str, dict[str, dict[str, Any]]] = {
    "paper": {
        # The sweep values are not in the released code; these are ours. Every view is visited as often as B allows.
        "capacity": {"views": (1, 2, 4, 8, 16, 32, 64), "budget": "steps", "single_views": False, "width": None},
        "diversity": {"dial": "rand-augment", "strengths": (0.0, 0.25, 0.5, 0.75, 1.0)},
        # Clean and noisy examples are told apart by memory: no augmentation, here and in the other presets.
        "location": {"augment": "none"},
    },
    "quick": {
        "capacity": {"images": 2_000, "views": (1, 4, 16, 64), "schedule": "constant", "lr": (1e-3,), "width": None},
        "ideal": {"augment": "benign-full", "images": 2_000, "epochs": 3_000},
        "diversity": {"augment": "benign-full"},
        "location": {"augment": "none"},
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
            "tied_epochs": 100,
            "neuron_examples": 6,
            "neuron_batch_size": 32,
        },
        "ideal": {"augment": "benign-full"},
        "diversity": {"augment": "benign-full", "strengths": (0.1, 0.25, 0.5, 1.0, 2.0)},
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
