"""Synthetic folders of the experiments about size: capacity and its frontier, transfer, memorization of examples."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np

from .synthetic_tables import run, write


def sizes(root: Path, seed: int = 0) -> Path:
    """A capacity run over six sizes with its frontier."""
    rng = np.random.default_rng([5, seed])
    folder = run(root, "capacity", seed, {}, widths=[2, 4, 6, 8, 12, 16], augment="digits")
    rows, frontier = [], []
    for width in (2, 4, 6, 8, 12, 16):
        parameters = 230 * width + 55 * width**2
        for views in (1, 4, 16, 64):
            for mode in ("same", "random"):
                asked = 64 * (views if mode == "random" else 1) * math.log2(10) / parameters
                accuracy = min(1.0, 0.1 + 0.9 / max(1.0, asked / 1.1) ** 0.9)
                rows.append(
                    {
                        "views": views,
                        "label_mode": mode,
                        "images": 64,
                        "pool": 64 * views,
                        "width": width,
                        "depth": 2,
                        "parameters": parameters,
                        "budget": "visits",
                        "accuracy_pool": max(0.1, accuracy - abs(rng.normal(0, 0.006)) * (accuracy < 1)),
                        "bits_fano": min(asked, 1.1) * parameters,
                        "bits_code_length": min(asked, 1.2) * parameters,
                        "bits_per_parameter": min(asked, 1.1),
                        "labels_per_parameter_bits": asked,
                        "steps": 4000,
                        "visits": 4000,
                        "budget_limited": views == 64 and width > 8,
                        "lr": 0.01,
                    }
                )
        frontier.append(
            {
                "width": width,
                "depth": 2,
                "parameters": parameters,
                "samples": round(0.34 * parameters**0.97 * math.exp(rng.normal(0, 0.05))),
                "bracket_low": 1,
                "bracket_high": 2,
                "bits": 1.1 * parameters,
                "bits_per_parameter": 1.1,
                "budget_limited": width == 16 and seed == 0,
                "seed": seed,
            }
        )
    write(folder, "capacity.csv", rows)
    write(folder, "frontier.csv", frontier)
    return folder


def transfer(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([6, seed])
    folder = run(root, "transfer", seed, {"misalignment_init": 9.0, "misalignment": 4.2})
    ends = {"scratch": (0.72, 9.0), "random-labels": (0.79, 4.0), "rescaled": (0.77, 5.5), "covariance": (0.75, 7.0)}
    rows = []
    for labels in ("true", "random"):
        for start, (end, pace) in ends.items():
            for epoch, network in itertools.product(range(0, 41, 4), range(2)):
                rise = 1 - math.exp(-epoch / pace)
                trained = 0.1 + 0.9 * rise
                tested = 0.1 + (end - 0.1) * rise if labels == "true" else 0.1
                noise = rng.normal(0, 0.004, 2)
                rows.append(
                    {
                        "start": start,
                        "labels": labels,
                        "network": network,
                        "epoch": epoch,
                        "train_accuracy": float(np.clip(trained + noise[0], 0, 1)),
                        "test_accuracy": float(np.clip(tested + noise[1], 0, 1)),
                    }
                )
    write(folder, "transfer.csv", rows)
    aligned = [
        {"moment": "init", "misalignment": 9.0 + rng.normal(0, 0.1), "misalignment_random_basis": 9.1},
        {"moment": "final", "misalignment": 4.2 + rng.normal(0, 0.1), "misalignment_random_basis": 9.3},
    ]
    write(folder, "alignment.csv", aligned)
    return folder


def size(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([7, seed])
    folder = run(root, "size", seed, {})
    rows = [
        {
            "width": width,
            "parameters": 64 * width + width**2,
            "replicas": 200,
            "train_accuracy": 1 - 0.5 / width,
            "memorization_mean": 0.5 - 0.03 * place + rng.normal(0, 0.005),
            "held_out_accuracy": 0.4 + 0.02 * place,
            "memorization_corrupted": 0.8 - 0.02 * place + rng.normal(0, 0.005),
            "memorization_clean": 0.3 - 0.05 * place + rng.normal(0, 0.005),
            "memorization_high": 0.42 - 0.03 * place + rng.normal(0, 0.005),
            "standard_error": 0.008,
            "split_half": 0.8 + 0.01 * place,
        }
        for place, width in enumerate((4, 8, 16, 32, 64))
    ]
    write(folder, "size.csv", rows)
    return folder
