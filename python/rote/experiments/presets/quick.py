"""The same findings in minutes on one GPU: fewer images, bfloat16, large batches, one cycle of the learning rate in
place of a small constant one, a projector an eighth as wide. Reasoned from step counts; never run on a GPU.
"""

from __future__ import annotations

from typing import Any

from rote.experiments.presets.closer_look import CLOSER_LOOK_CNN

# The options that all experiments on one network share.
# 600 visits of 10,000 images are 6 million samples, at some 20,000 a second five minutes; 11,400 steps are three
# times as many as the laptop's 512 images take to be memorized with their views.
SHARED: dict[str, Any] = {
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
}
# The data of experiments of other papers.
DATA_ELSEWHERE = "cifar10"
# Where an experiment differs from them.
OWN: dict[str, dict[str, Any]] = {
    "capacity": {"images": 2_000, "views": (1, 4, 16, 64), "schedule": "constant", "lr": (1e-3,), "width": None},
    "ideal": {"augment": "benign-full", "images": 2_000, "epochs": 3_000},
    "diversity": {"augment": "benign-full"},
    "noise": {"grid": True, "images": 10_000, "epochs": 60},
    "sensitivity": {"data": "digits"},
    "csr": {**CLOSER_LOOK_CNN, "images": 10_000, "width": 64, "epochs": 60, "queries": 1000},
    "easy": {"images": 10_000, "filter_epochs": 15},
    "trajectories": {"images": 10_000, "validation": 5000, "width": 32},
    "depth": {"images": 5000, "validation": 5000, "width": 128},
    "location": {"augment": "none"},
    "memorization": {"images": 10_000, "runs": 1_000, "model": "convnet", "noise": 0.1, "noise_kind": "wrong"},
    "regularize": {**CLOSER_LOOK_CNN, "images": 10_000, "width": 64, "epochs": 30},
}
