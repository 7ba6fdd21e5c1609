"""Synthetic folders of `regularize` and of the studies of `size` under noise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from .synthetic_tables import run, write

# technique: strengths, how fast random labels are lost, how fast true ones are
TECHNIQUES = {
    "dropout": ((0.3, 0.6, 0.9), 0.9, 0.12),
    "input-dropout": ((0.3, 0.6, 0.9), 0.6, 0.2),
    "input-noise": ((0.5, 1.5, 5.0), 0.5, 0.25),
    "hidden-noise": ((0.1, 0.2, 0.3), 0.15, 0.02),
    "weight-decay": ((0.01, 0.1, 1.0), 0.85, 0.35),
    "dropout+adversarial": ((0.03, 0.25, 0.5), 0.8, 0.03),
}


def regularize(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([11, seed])
    folder = run(root, "regularize", seed, {"allowed_cost": 0.02, "epochs": 15}, techniques=list(TECHNIQUES))
    rows = [{"technique": "none", "strength": 0.0, "random_train_accuracy": 0.99, "test_selected": 0.46}]
    curves = []
    for technique, (strengths, gain, cost) in TECHNIQUES.items():
        for place, strength in enumerate(strengths):
            share = (place + 1) / 3
            rows.append(
                {
                    "technique": technique,
                    "strength": strength,
                    "random_train_accuracy": 0.99 - gain * share + rng.normal(0, 0.01),
                    "test_selected": 0.46 - cost * share**2 + 0.01 * (place == 0) + rng.normal(0, 0.004),
                }
            )
    for row in rows:
        for labels, slow in (("random", 2.0), ("true", 1.0)):
            kept = slow * (1.2 - row["random_train_accuracy"])
            for epoch in range(1, 16):
                loss = 2.3 * math.exp(-epoch / (3 + 20 * kept)) + rng.normal(0, 0.01)
                about = {"technique": row["technique"], "strength": row["strength"], "labels": labels}
                curves.append({**about, "epoch": epoch, "running_loss": max(loss, 0.0)})
    falls = [
        {"technique": name, "fall": gain * 0.8, "cost": 0.015, "strength": strengths[1], "strongest": False}
        for name, (strengths, gain, _) in sorted(TECHNIQUES.items(), key=lambda item: -item[1][1])
    ]
    write(folder, "regularize.csv", rows)
    write(folder, "loss_curves.csv", curves)
    write(folder, "falls.csv", falls)
    return folder


def convergence(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([12, seed])
    folder = run(root, "size", seed, {"study": "convergence", "cap": 150}, study="convergence")
    rows = []
    for sweep, points in (
        ("width", [(w, 1024) for w in (16, 32, 64, 128)]),
        ("images", [(64, n) for n in (128, 256, 512, 1024)]),
    ):
        for width, images in points:
            clean = 400 / math.sqrt(width) * (images / 1024) ** 0.2
            for kind, level, factor in (
                ("clean", 0.0, 0.0),
                ("inputs", 0.25, 0.3),
                ("inputs", 0.5, 0.5),
                ("labels", 0.25, 0.7),
                ("labels", 0.5, 1.2),
            ):
                ratio = 1 + factor * math.sqrt(images / width / 16)
                epochs = clean * ratio * math.exp(rng.normal(0, 0.05))
                rows.append(
                    {
                        "sweep": sweep,
                        "width": width,
                        "parameters": 768 * width,
                        "images": images,
                        "kind": kind,
                        "level": level,
                        "networks": 2,
                        "epochs": min(epochs, 150.0),
                        "censored": int(epochs > 150) * 2,
                        "ratio": ratio,
                    }
                )
    write(folder, "convergence.csv", rows)
    return folder


def noise_capacity(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([13, seed])
    folder = run(root, "size", seed, {"study": "noise", "tie": 0.01}, study="noise")
    rows, best = [], []
    for kind, level in (
        *(("clean", 0.0), ("inputs", 0.25), ("inputs", 0.5), ("labels", 0.25), ("labels", 0.5)),
        *(("removed", 0.25), ("removed", 0.5)),
    ):
        harm = {"clean": 0.0, "inputs": 0.2, "labels": 0.45, "removed": 0.12}[kind] * level
        need = 4.0 + 3 * level * (kind == "inputs")
        for width in (4, 8, 16, 32, 64, 128, 256):
            rise = 1 / (1 + math.exp(need / 1.4 - math.log2(width)))
            rows.append(
                {
                    "width": width,
                    "kind": kind,
                    "level": level,
                    "validation_accuracy": 0.1 + (0.7 - harm) * rise + rng.normal(0, 0.005),
                }
            )
        best.append({"kind": kind, "level": level, "best_width": 128 if kind == "inputs" else 64})
    write(folder, "noise_capacity.csv", rows)
    write(folder, "best_width.csv", best)
    return folder
