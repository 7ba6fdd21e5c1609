"""The same findings on two CPU cores: 512 images and a small convolutional net, 3,600 steps, minutes a run; tiny
networks on digits for capacity.
"""

from __future__ import annotations

from typing import Any

from rote.experiments.presets.closer_look import CLOSER_LOOK_CNN

# The options that all experiments on one network share.
SHARED: dict[str, Any] = {
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
}
# The data of experiments of other papers.
DATA_ELSEWHERE = "digits"
# Where an experiment differs from them.
OWN: dict[str, dict[str, Any]] = {
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
        **CLOSER_LOOK_CNN,
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
}
