"""Runs of `sensitivity` and `csr` that bring claims 20 to 22 into every state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rote.experiments import CSRConfig, SensitivityConfig

SEEDS = (0, 1, 2)
JITTER = (0.0, 0.01, -0.01)


def sensitivity(runs, *, classes=0.15, exemplar=0.15, real=2.0, random=4.0, **fields: Any) -> None:
    """A run for each seed: differences of Gini coefficients, and per-class ratios."""
    for seed, jitter in zip(SEEDS, JITTER, strict=True):
        config = SensitivityConfig(**{"seed": seed, **fields}).resolved().as_dict()
        accuracies = {f"train_accuracy_{i}_{s}": 0.9 for i in ("real", "random") for s in ("classes", "exemplar")}
        summary = {
            "data": config["data"],
            "images": 1000,
            "epochs": config["epochs"],
            "steps": 2000,
            "gini_difference_classes": classes + jitter,
            "gini_difference_exemplar": exemplar - jitter,
            "class_ratio_real": real + jitter,
            "class_ratio_random": random - jitter,
            **accuracies,
        }
        runs.write("sensitivity", config, summary)


def csr(runs, *, rand_x=2.0, rand_y=2.0, missing=(), **fields: Any) -> None:
    """A run for each seed: ratios at equal training accuracy; those of the seeds in `missing` are null."""
    for seed, jitter in zip(SEEDS, JITTER, strict=True):
        config = CSRConfig(**{"data": "folder", "root": Path("/home/somebody/pictures"), "seed": seed, **fields})
        values = {"csr_ratio_randX": rand_x + jitter, "csr_ratio_randY": rand_y - jitter}
        if seed in missing:
            values["csr_ratio_randY"] = None
        summary = {"data": config.data, "images": 2000, "epochs": config.epochs, "steps": 2400, **values}
        runs.write("csr", config.resolved().as_dict(), {**summary, "csr_ratio_randX_on_real_inputs": 1.25})


def claim_20(runs, state):
    sensitivity(runs, exemplar={"holds": 0.15, "fails": 0.02, "undecided": 0.105}[state])


def claim_21(runs, state):
    sensitivity(runs, real={"holds": 2.0, "fails": 5.0, "undecided": 4.01}[state])


def claim_22(runs, state):
    csr(runs, rand_y={"holds": 2.0, "fails": 1.1, "undecided": 1.51}[state])
