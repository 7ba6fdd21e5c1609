"""arXiv 2210.14019 to the letter, as far as its released code tells: the command its README gives to reproduce it
(10,000 epochs; 5,000 is only what the flag falls back to), so 1.95 million steps on CIFAR-10 and days on one GPU. What
the paper leaves open is named below.
"""

from __future__ import annotations

from typing import Any

from rote.experiments.presets.closer_look import CLOSER_LOOK_CNN

# The options that all experiments on one network share.
SHARED: dict[str, Any] = {
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
}
# The data of experiments of other papers.
DATA_ELSEWHERE = "cifar10"
# Where an experiment differs from them.
OWN: dict[str, dict[str, Any]] = {
    # The sweep values are not in the released code; these are ours. Every view is visited as often as B allows.
    "capacity": {"views": (1, 2, 4, 8, 16, 32, 64), "budget": "steps", "single_views": False, "width": None},
    "diversity": {"dial": "rand-augment", "strengths": (0.0, 0.25, 0.5, 0.75, 1.0)},
    # Of digits, the paper's 1,000 at 14 pixels; times and rates are not in the paper.
    "sensitivity": {"data": "digits"},
    # arXiv 1706.05394's CNN; its epochs and the number of queries are not stated.
    "csr": {**CLOSER_LOOK_CNN, "images": None, "width": 200, "epochs": 100, "queries": 1000, "iterations": 100},
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
        **CLOSER_LOOK_CNN,
        "images": 45_000,
        "validation_images": 5000,
        "width": 200,
        "epochs": 100,
        "dropout": (0.1, 0.3, 0.5, 0.7, 0.8, 0.9),
        "input_dropout": (0.1, 0.3, 0.5, 0.7, 0.8, 0.9),
        "input_noise": (0.25, 0.5, 1.0, 2.0, 3.0, 5.0),
        "decays": (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
    },
}
