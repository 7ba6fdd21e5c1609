"""Synthetic folders of the experiments that write CSV tables, with the columns of docs/experiments.md."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import synthetic

OPERATIONS = ("random_resized_crop", "horizontal_flip", "color_jitter", "grayscale")
DEPTHS = {"pixels": "pixels", **{n: "projector" if "." in n or n == "logits" else "encoder" for n in synthetic.LAYERS}}


def run(root: Path, experiment: str, seed: int, summary: dict[str, Any], **config: Any) -> Path:
    """The folder of a finished run, without tables yet."""
    parts = [experiment, *(str(value) for value in config.values() if isinstance(value, (str, int))), str(seed)]
    folder = root / "-".join(parts)
    folder.mkdir(parents=True)
    settings = {"data": "digits", "images": 512, "labels": "random", "model": "convnet", "seed": seed, **config}
    command = f"rote run {experiment} --seed {seed}"
    document = {"experiment": experiment, "config": settings, **synthetic.environment(command)}
    synthetic.write_json(folder / "config.json", document)
    common = {"data": "digits", "images": 512, "label_classes": 10, "seed": seed, "seconds": 12.5, "steps": 3600}
    synthetic.write_json(folder / "summary.json", {**common, **summary})
    return folder


def write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    header = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, header, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def layers(root: Path, seed: int = 0, augment: str = "digits") -> Path:
    rng = np.random.default_rng([1, seed, augment == "none"])
    folder = run(root, "layers", seed, {"augment": augment}, augment=augment)
    augmented = augment != "none"
    names = list(DEPTHS)
    used = {  # labels used, at the end: k-NN of other images, linear on other views
        True: ([0.1, 0.1, 0.11, 0.11, 0.125, 0.42, 0.97], [0.14, 0.24, 0.35, 0.41, 0.48, 0.9, 0.98]),
        False: ([0.1, 0.12, 0.2, 0.46, 0.83, 0.96, 1.0], [0.14, 0.3, 0.52, 0.8, 0.97, 0.99, 1.0]),
    }[augmented]
    true = [synthetic.RAW, *synthetic.FINAL["random", augmented]]
    init = [synthetic.RAW, *synthetic.INIT]
    rows = []
    for depth, name in enumerate(names):
        for moment in ("init", "final"):
            final = moment == "final"
            for labels, method, queries, value in (
                ("true", "knn", "test", true[depth] if final else init[depth]),
                ("true", "linear", "test", min(1.0, (true[depth] if final else init[depth]) + 0.05)),
                ("used", "knn", "train-loo", used[0][depth] if final else 0.1),
                ("used", "linear", "train-views", used[1][depth] if final else 0.14 + 0.04 * depth),
            ):
                rows.append(
                    {
                        "layer": name,
                        "depth": depth,
                        "part": DEPTHS[name],
                        "moment": moment,
                        "labels": labels,
                        "method": method,
                        "queries": queries,
                        "accuracy": float(np.clip(value + rng.normal(0, 0.006) * (depth > 0), 0, 1)),
                        "n_references": 1437 if labels == "true" else 4096,
                        "n_queries": 360 if labels == "true" else 512,
                        "k": 20 if method == "knn" else None,
                        "metric": "cosine" if method == "knn" else None,
                        "pooling": "mean",
                        "bn": "recalibrated",
                        "dim": 2 ** (depth + 4),
                        "chance": 0.1,
                    }
                )
    write(folder, "layers.csv", rows)
    return folder


def invariance(root: Path, seed: int = 0, augment: str = "digits") -> Path:
    rng = np.random.default_rng([2, seed, augment == "none"])
    folder = run(root, "invariance", seed, {"augment": augment}, augment=augment)
    rows = []
    for depth, name in enumerate(DEPTHS):
        for moment in ("init", "final"):
            for place, operation in enumerate(("recipe", *OPERATIONS)):
                learnt = 0.11 * depth * (moment == "final") * (augment != "none")
                start = 0.06 if operation == "recipe" else 0.12 + 0.14 * place
                rows.append(
                    {
                        "layer": name,
                        "depth": depth,
                        "moment": moment,
                        "operation": operation,
                        "invariance": min(0.97, start + learnt + rng.normal(0, 0.01)),
                        "retrieval": min(0.99, 0.2 + 0.1 * place + learnt + rng.normal(0, 0.01)),
                        "images": 360,
                        "pairs": 1440,
                    }
                )
    write(folder, "invariance.csv", rows)
    return folder


def diversity(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([3, seed])
    probes = (0.76, 0.88, 0.915, 0.905, 0.872)
    rows = [
        {
            "recipe": f"strength-{strength:g}",
            "strength": strength,
            "view_distance": 0.1 + 0.7 * strength,
            "steps_to_90": round(240 * 2 ** (3.4 * strength)) if strength < 1 or seed else None,
            "steps_to_99": round(300 * 2 ** (3.4 * strength)),
            "train_accuracy": 1.0 - 0.05 * strength**4,
            "train_accuracy_fresh_views": 1.0 - 0.12 * strength**3,
            "probe_accuracy": probe + rng.normal(0, 0.006),
            "probe_accuracy_init": 0.561,
            "probe_accuracy_raw": synthetic.RAW,
            "probe_at_matched": probe - 0.03 + rng.normal(0, 0.006),
            "matched_step": 400,
            "run": f"benign-{strength:g}-{seed}",
        }
        for strength, probe in zip((0.0, 0.25, 0.5, 0.75, 1.0), probes, strict=True)
    ]
    for recipe, probe, distance in (("isometry", 0.84, 0.5), ("benign-full", 0.9, 0.74)):
        policy = {**rows[2], "recipe": recipe, "strength": None, "probe_accuracy": probe + rng.normal(0, 0.005)}
        rows.append({**policy, "view_distance": distance, "steps_to_90": round(3000 * distance)})
    folder = run(root, "diversity", seed, {"strengths": [0, 0.25, 0.5, 0.75, 1.0]})
    write(folder, "diversity.csv", rows)
    return folder


def ideal(root: Path, seed: int = 0) -> Path:
    rng = np.random.default_rng([4, seed])
    folder = run(root, "ideal", seed, {"difference": 0.04})
    rows = [
        {
            "condition": condition,
            "recipe": "digits",
            "steps_to_90": 900,
            "train_accuracy": 1.0,
            "probe_accuracy": probe + rng.normal(0, 0.005),
            "probe_accuracy_init": 0.561,
            "probe_accuracy_raw": synthetic.RAW,
        }
        for condition, probe in (("none", 0.74), ("recipe", 0.914), ("same-class", 0.957))
    ]
    write(folder, "ideal.csv", rows)
    return folder


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
            for epoch in range(0, 41, 4):
                rise = 1 - math.exp(-epoch / pace)
                trained = 0.1 + 0.9 * rise
                tested = 0.1 + (end - 0.1) * rise if labels == "true" else 0.1
                noise = rng.normal(0, 0.004, 2)
                rows.append(
                    {
                        "start": start,
                        "labels": labels,
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
            "memorization_high": 0.42 - 0.03 * place + rng.normal(0, 0.005),
            "standard_error": 0.008,
            "split_half": 0.8 + 0.01 * place,
        }
        for place, width in enumerate((4, 8, 16, 32, 64))
    ]
    write(folder, "size.csv", rows)
    return folder


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
        found += pools(root / "pools", seed) + conventions(root / "conventions", seed)
    return found
