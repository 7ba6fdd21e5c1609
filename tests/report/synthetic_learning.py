"""Synthetic folders of the experiments on the order of learning: easy, trajectories, depth."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from rote.runs.whole_files import write_parquet

from .synthetic_tables import run, write


def easy(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([8, seed])
    folder = run(root, "easy", seed, {}, augment="none")
    rows, curve = [], []
    shares = (np.arange(100) + 0.5) / 100
    spread = {"real": 1.0, "randX": 0.0, "randY": 0.35, "binomial": 0.0}
    middle = {"real": 0.62, "randX": 0.9, "randY": 0.88, "binomial": 0.9}
    for kind, wide in spread.items():
        held_out = np.clip(
            middle[kind] + wide * (shares - 0.5) + rng.normal(0, 0.008, 100) * (kind != "binomial"), 0, 1
        )
        own = np.sort(np.clip(held_out + 0.03 * np.arctanh((2 * shares - 1) * 0.99), 0, 1))
        curve += [
            {"kind": kind, "share": at, "error_rate": a, "error_rate_sorted": b}
            for at, a, b in zip(shares, held_out, own, strict=True)
        ]
        if kind != "binomial":
            rows.append(
                {
                    "kind": kind,
                    "runs": 100,
                    "error_rate": float(held_out.mean()),
                    "over_dispersion": 1 + 35 * wide + rng.normal(0, 0.05),
                    "split_half": 0.95 * wide + rng.normal(0, 0.01),
                }
            )
    write(folder, "easy.csv", rows)
    write(folder, "easy_curve.csv", curve)
    start = rng.normal(size=(20, 3, 5, 5))
    smooth = start + np.linspace(-2, 2, 5)
    np.savez(folder / "filters.npz", init=start, real=start + 2 * smooth, randY=start + smooth)
    return folder


def trajectories(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([9, seed])
    folder = run(root, "trajectories", seed, {}, augment="none")
    rows, levels = [], []
    for noise, pace in ((0.0, 8.0), (0.4, 22.0), (1.0, 45.0)):
        own = []
        for network in range(2):
            for epoch in range(0, 61, 2):
                clean, wrong = 1 - 0.9 * math.exp(-epoch / 9), 1 - 0.9 * math.exp(-((epoch / 1.8 / pace) ** 2))
                held_out = 0.1 + (0.35 * math.exp(-(((epoch - 14) / 18) ** 2)) if noise < 1 else 0)
                jitter = rng.normal(0, 0.006, 4)
                own.append(
                    {
                        "noise": noise,
                        "network": network,
                        "epoch": epoch,
                        "step": 60 * epoch,
                        "train_accuracy": min(1.0, 1 - 0.9 * math.exp(-epoch / pace) + jitter[0]),
                        "fit_clean": min(1.0, clean + jitter[1]),
                        "fit_corrupted": min(1.0, wrong) if noise else "",
                        "validation_accuracy": held_out * (1 - 0.5 * noise) + jitter[2],
                        "test_accuracy": held_out + jitter[3],
                    }
                )
        rows += own
        levels.append(
            {
                "noise": noise,
                "selected_epoch": 14.0,
                "test_selected": 0.45 + rng.normal(0, 0.004),
                "test_final": 0.3,
                "fit_clean_at_peak": 0.7,
                "fit_corrupted_at_peak": 0.2 if noise else "",
                "fitted_at_third": 0.9 - 0.5 * noise + rng.normal(0, 0.01),
            }
        )
    write(folder, "trajectories.csv", rows)
    write(folder, "trajectories_levels.csv", levels)
    write_parquet(folder / "trajectories_heatmap.parquet", heat_map(rng))
    return folder


def heat_map(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The columns of trajectories_heatmap.parquet."""
    noise, band, epoch = (part.ravel() for part in np.meshgrid((0.0, 0.4, 1.0), range(50), range(0, 61, 2)))
    loss = 2.3 * np.exp(-epoch / (5 + band * (0.2 + noise))) + rng.random(len(band)) * 0.01
    return {
        "noise": noise,
        "bin": band,
        "epoch": epoch,
        "loss": loss,
        "share_corrupted": noise * band / 50,
    }


def depth(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([10, seed])
    folder = run(root, "depth", seed, {}, augment="none")
    rows = []
    for equal, slower in (("width", 1.0), ("parameters", 1.15)):
        for norm, factor in (("batch", 1.0), ("none", 1.9)):
            for dial in (1, 2, 3, 4, 6, 8):
                epochs = 40 * slower * factor / dial**0.5 + rng.normal(0, 0.6)
                lost = norm == "none" and dial == 8
                rows.append(
                    {
                        "equal": equal,
                        "norm": norm,
                        "depth": dial,
                        "width": 64,
                        "epochs_to_99": "" if lost else round(epochs),
                        "validation_accuracy": 0.4,
                        "test_accuracy": 0.42 - 0.004 * dial * factor / slower + rng.normal(0, 0.003),
                    }
                )
    write(folder, "depth.csv", rows)
    return folder
