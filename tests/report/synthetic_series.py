"""Series of synthetic runs that turn a dial of `benign`, a table of claims, and one of everything."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import synthetic
from .synthetic_capacity import convergence, noise_capacity, regularize
from .synthetic_learning import depth, easy, trajectories
from .synthetic_location import location
from .synthetic_noise import noise
from .synthetic_noise_fitting import csr, sensitivity
from .synthetic_sizes import size, sizes, transfer
from .synthetic_subsets import memorization
from .synthetic_tables import diversity, ideal, invariance, layers


def with_summary(folder: Path, **changes: Any) -> Path:
    """The same folder with other numbers in its summary."""
    path = folder / "summary.json"
    synthetic.write_json(path, {**json.loads(path.read_text()), **changes})
    return folder


def pools(root: Path, seed: int = 0) -> list[Path]:
    """Benign runs with 1, 4, 16 and 64 views an image."""
    found = []
    for views, probe in ((1, 0.737), (4, 0.8), (16, 0.862), (64, 0.901)):
        folder = synthetic.benign(root / f"views-{views}", seed=seed, views=views)
        rng = np.random.default_rng([8, seed, views])
        found.append(with_summary(folder, views=views, probe_accuracy=probe + rng.normal(0, 0.005)))
    return found


def conventions(root: Path, seed: int = 0) -> list[Path]:
    """Benign runs over losses, normalizations and numbers of label classes, with and without augmentation."""
    found = []
    for place, (loss, norm) in enumerate((("mse", "batch"), ("mse", "group"), ("ce", "batch"), ("ce", "group"))):
        for classes in (2, 10, 512):
            for augment in ("digits", "none"):
                if (loss, norm, classes) == ("mse", "batch", 10):
                    continue  # the main experiment itself
                where = root / f"{loss}-{norm}-{classes}"
                labels = {"label_classes": classes, "loss": loss, "norm": norm}
                folder = synthetic.benign(where, augment=augment, seed=seed, **labels)
                rng = np.random.default_rng([9, seed, place, classes, augment == "none"])
                gain = 0.05 + 0.03 * place + 0.01 * math.log2(classes) if augment != "none" else 0.0
                probe = 0.73 + gain + rng.normal(0, 0.008)
                found.append(with_summary(folder, **labels, probe_accuracy=probe))
    return found


CLAIMS = (
    {
        "number": 1,
        "claim": "without augmentation memorization is malign",
        "measured": "accuracy 1.000; probe - init +0.7 points",
        "interval": "-1.2 to +2.6",
        "seeds": 3,
        "scale": "D",
        "state": "holds",
        "command": "rote run benign --augment none",
    },
    {
        "number": 2,
        "claim": "with augmentation it is benign",
        "measured": "+15.6 points",
        "interval": "+13.0 to +18.1",
        "seeds": 3,
        "scale": "D",
        "state": "fails",
        "command": "rote run benign",
    },
    {"number": 15, "claim": "everything can be fitted", "seeds": None, "scale": "K", "state": "not run: data"},
)


def everything(root: Path, seeds: Sequence[int] = (0, 1, 2)) -> list[Path]:
    """One of every experiment, in several seeds."""
    found = synthetic.demo(root, tuple(seeds))
    for seed in seeds:
        found += [layers(root, seed, augment) for augment in ("digits", "none")]
        found += [invariance(root, seed, augment) for augment in ("digits", "none")]
        found += [diversity(root, seed), ideal(root, seed), sizes(root, seed), transfer(root, seed), size(root, seed)]
        found.append(noise(root, seed))
        found += [regularize(root, seed), convergence(root, seed), noise_capacity(root, seed)]
        found.append(memorization(root, seed))
        found += [easy(root, seed), trajectories(root, seed), depth(root, seed)]
        found += [sensitivity(root, seed), csr(root, seed)]
        found += [location(root, seed, noise) for noise in (0.1, 1.0)]
        found += pools(root / "pools", seed) + conventions(root / "conventions", seed)
    return found
