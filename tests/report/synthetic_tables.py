"""Synthetic folders of the experiments that write CSV tables, with the columns of docs/experiments.md."""

from __future__ import annotations

import csv
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
                        "split": "test",
                        "chance": 1 / 360,
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
