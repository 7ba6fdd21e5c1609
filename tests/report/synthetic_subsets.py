"""A synthetic folder of `memorization`: scores whose distributions, halves and pairs are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .synthetic_tables import run, write

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def memorization(root: Path, seed: int = 0, runs: int = 400, pairs: int = 4) -> Path:
    rng = np.random.default_rng([10, seed])
    summary = {
        "runs": runs,
        "share": 0.7,
        "memorization_mean": 0.3,
        "standard_error": 0.055,
        "auc": 0.91 + rng.normal(0, 0.005),
        "auc_low": 0.88,
        "auc_high": 0.94,
        "corrupted": 51,
        "half_correlation": 0.8,
        "split_half": 0.889,
        "influence_pairs": 120,
        "influence_pairs_opposite": 12,
    }
    folder = run(root, "memorization", seed, summary, runs=runs)
    edges = np.round(np.linspace(-1.05, 1.15, 23), 4)
    rows = []
    for label, middle, examples in (("right", 0.25, 461), ("wrong", 0.8, 51)):
        weights = np.exp(-(((edges[:-1] + 0.05 - middle) / 0.2) ** 2)) * (1 + rng.normal(0, 0.05, 22).clip(-0.2, 0.2))
        shares = weights / weights.sum()
        for low, high, share in zip(edges, edges[1:], shares, strict=False):
            number = round(share * examples)
            error = 0.05 if number else None
            rows.append({"label": label, "low": low, "high": high, "examples": number, "share": share})
            rows[-1]["standard_error"] = error
    write(folder, "memorization.csv", rows)
    true = rng.random(200)
    halves = [
        {"example_id": i, "is_corrupted": i % 10 == 0, "first_half": value, "second_half": other}
        for i, (value, other) in enumerate(zip(true, true + rng.normal(0, 0.1, 200), strict=True))
    ]
    write(folder, "halves.csv", halves)
    np.savez(folder / "influence.npz", **grid(rng, pairs))
    return folder


def grid(rng: np.random.Generator, tests: int, trains: int = 5) -> dict[str, np.ndarray]:
    """The arrays of influence.npz; the last test image has but two training images."""
    ids = rng.integers(0, 1000, (tests, trains))
    ids[-1:, 2:] = -1
    labels = rng.integers(0, 10, (tests, trains))
    return {
        "test_id": np.arange(tests),
        "test_image": rng.integers(0, 256, (tests, 3, 8, 8), dtype=np.uint8),
        "test_label": rng.integers(0, 10, tests),
        "train_id": ids,
        "train_image": rng.integers(0, 256, (tests, trains, 3, 8, 8), dtype=np.uint8),
        "train_label": labels,
        "train_label_true": np.where(rng.random((tests, trains)) < 0.8, labels, (labels + 1) % 10),
        "influence": np.sort(rng.random((tests, trains)))[:, ::-1],
        "standard_error": np.full((tests, trains), 0.03),
        "classes": np.array(CLASSES),
    }
