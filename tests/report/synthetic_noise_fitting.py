"""Synthetic folders of `sensitivity` and `csr` runs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from .synthetic_tables import run, write


def sensitivity(root: Path, seed: int = 0) -> Path:
    """Both kinds of inputs in both label settings, ten classes."""
    rng = np.random.default_rng([9, seed])
    folder = run(root, "sensitivity", seed, {"images": 1000}, model="mlp", width=16)
    ends = {("real", "classes"): 0.42, ("random", "classes"): 0.2, ("real", "exemplar"): 0.31}
    ends[("random", "exemplar")] = 0.17
    rows = [
        {
            "inputs": inputs,
            "labels": labels,
            "epoch": epoch,
            "step": 10 * epoch,
            "train_accuracy": 1 - math.exp(-epoch / 30),
            "loss": 2.3 * math.exp(-epoch / 30),
            "gini": end - 0.1 * math.exp(-epoch / 25) + rng.normal(0, 0.006),
            "gini_now": end + rng.normal(0, 0.03),
            "sensitivity_mean": 0.01,
            "class_ratio": None if labels == "exemplar" else {"real": 1.9, "random": 4.0}[inputs] + rng.normal(0, 0.1),
        }
        for (inputs, labels), end in ends.items()
        for epoch in range(10, 101, 10)
    ]
    cells = [
        {
            "inputs": inputs,
            "loss_class": i,
            "example_class": j,
            "sensitivity": 1e-3 * (diagonal if i == j else 1.0) * math.exp(rng.normal(0, 0.2)),
        }
        for inputs, diagonal in (("real", 2.0), ("random", 9.0))
        for i in range(10)
        for j in range(10)
    ]
    write(folder, "sensitivity.csv", rows)
    write(folder, "sensitivity_classes.csv", cells)
    return folder


def csr(root: Path, seed: int = 0) -> Path:
    """Real data and all noise along training, and four shares between."""
    rng = np.random.default_rng([10, seed])
    folder = run(root, "csr", seed, {"images": 2000})
    rows, matched = [], []
    for kind, share, pace, end, tested in (
        ("real", 0.0, 6, 0.3, 0.45),
        *(("randX", s, 6 + 4 * s, 0.3 + 0.25 * s, 0.45 - 0.25 * s) for s in (0.2, 0.5, 0.8, 1.0)),
        *(("randY", s, 6 + 16 * s, 0.3 + 0.4 * s, 0.45 - 0.35 * s) for s in (0.2, 0.5, 0.8, 1.0)),
    ):
        for epoch in (0, 2, 3, 5, 8, 13, 22, 36, 60):
            rise = 1 - math.exp(-epoch / pace)
            for inputs in ("real", "noise") if kind == "randX" else ("real",):
                own_kind = "noise" if kind == "randX" and share == 1 else "real"
                rows.append(
                    {
                        "condition": kind,
                        "share": share,
                        "epoch": epoch,
                        "step": 40 * epoch,
                        "train_accuracy": min(1.0, 0.1 + 0.9 * rise),
                        "test_accuracy": 0.1 + (tested - 0.1) * rise + rng.normal(0, 0.005),
                        "inputs": inputs,
                        "headline": inputs == own_kind,
                        "critical": 0,
                        "queries": 500,
                        "csr": max(0.0, 0.1 + (end - 0.1) * rise + rng.normal(0, 0.008) - 0.05 * (inputs != own_kind)),
                        "iterations": 10,
                    }
                )
        for accuracy in (0.5, 0.9):
            row = {"train_accuracy": accuracy, "condition": kind, "share": share, "inputs": "real", "headline": True}
            matched.append({**row, "epoch": 12.5, "csr": 0.2 * (1 + share), "ratio_to_real": 1 + share})
    write(folder, "csr.csv", rows)
    write(folder, "csr_matched.csv", matched)
    return folder
