"""Synthetic run folders with the shape and the size of real ones, for the tests of the page."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from rote.report import views

LAYERS = ("stage1", "stage2", "stage3", "encoder", "projector.hidden", "logits")
CLASSES = tuple(str(digit) for digit in range(10))
STEPS, EPOCHS, IMAGES, RAW = 3600, 900, 512, 0.7583

# (labels, augmented) -> probe by layer at the end, probe in the encoder at step 0 is INIT
INIT = (0.402, 0.468, 0.522, 0.561, 0.548, 0.463)
FINAL = {
    ("random", True): (0.612, 0.806, 0.901, 0.9139, 0.862, 0.421),
    ("random", False): (0.489, 0.613, 0.702, 0.7361, 0.655, 0.302),
    ("true", True): (0.633, 0.861, 0.955, 0.975, 0.975, 0.9722),
    ("true", False): (0.521, 0.702, 0.858, 0.9083, 0.905, 0.9),
    ("fresh", True): (0.41, 0.43, 0.395, 0.352, 0.331, 0.243),
    ("fresh", False): (0.4, 0.421, 0.388, 0.343, 0.319, 0.236),
}


def environment(command: str) -> dict[str, Any]:
    return {
        "command": ["/opt/bin/rote", *command.split()[1:]],
        "versions": {"rote": "0.1.0", "torch": "2.13.0", "numpy": "2.3.4", "python": "3.11.2"},
        "git": {"commit": "0123456789abcdef", "dirty": False},
        "device": {"type": "cpu", "name": "Example CPU 9000", "threads": 2, "instruction_set": "avx2"},
        "created": "2026-01-02T03:04:05Z",
    }


def write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def benign(root: Path, labels: str = "random", augment: str = "digits", seed: int = 0, **config: Any) -> Path:
    """Writes one finished `benign` run and returns its folder."""
    augmented = augment != "none"
    rng = np.random.default_rng([seed, len(labels), augmented])
    folder = root / f"benign-{labels}-{augment}-{seed}"
    folder.mkdir(parents=True)
    settings = {
        "data": "digits",
        "images": IMAGES,
        "labels": labels,
        "augment": augment,
        "model": "convnet",
        "width": 32,
        "loss": "mse",
        "optimizer": "adam",
        "lr": 0.003,
        "batch_size": 128,
        "epochs": EPOCHS,
        "norm": "batch",
        "seed": seed,
        **config,
    }
    command = f"rote run benign --data digits --labels {labels} --augment {augment} --seed {seed}"
    write_json(folder / "config.json", {"experiment": "benign", "config": settings, **environment(command)})

    jitter = rng.normal(0, 0.008, size=len(LAYERS))
    final = np.clip(np.array(FINAL[labels, augmented]) + (jitter if seed else 0), 0, 1).tolist()
    init = np.clip(np.array(INIT) + (jitter[::-1] if seed else 0), 0, 1).tolist()
    steps = sorted({0, *np.unique(np.geomspace(4, STEPS, 22).astype(int)).tolist()})
    learnt = {"random": (1500 if augmented else 260), "true": 160, "fresh": math.inf}[labels]
    lines = []

    def measure(step: int, split: str, metric: str, layer: str | None, value: float, **extras: Any) -> None:
        epoch = step * 128 / IMAGES
        line = {"step": step, "epoch": epoch, "split": split, "metric": metric, "layer": layer}
        lines.append(json.dumps({**line, "value": float(value), **extras}))

    for step in steps:
        fit = 0.1 if math.isinf(learnt) else 0.1 + 0.9 / (1 + math.exp(-(step - learnt) / (learnt / 5.0)))
        if step == STEPS and not math.isinf(learnt):
            fit = 1.0
        measure(step, "train", "accuracy_clean", None, min(1.0, fit + rng.normal(0, 0.004) * (fit < 0.99)))
        measure(step, "train", "accuracy_running", None, max(0.0, fit - 0.02))
        views_fit = fit - 0.015 if augmented else 0.1 + (fit - 0.1) * 0.38
        measure(step, "train", "accuracy_fresh_views", None, views_fit)
        measure(step, "train", "loss", None, 0.09 * (1.02 - fit))
        rise = 1 - math.exp(-step / 500)
        for layer, start, end in zip(LAYERS, init, final, strict=True):
            value = end if step == STEPS else start + (end - start) * rise + (rng.normal(0, 0.006) if step else 0)
            extras = {
                "k": 20,
                "n_references": 1437,
                "bn": "recalibrated",
                "pooling": "mean",
                "n_queries": 360,
            }
            measure(step, "test", "probe_accuracy", layer, value, references="all", **extras)
            if layer == "encoder" and step == STEPS:
                measure(step, "test", "probe_accuracy", layer, value - 0.07, references="seen", **extras)
    measure(0, "test", "probe_accuracy", "pixels", RAW, references="all", k=20, n_queries=360)
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

    encoder = LAYERS.index("encoder")
    gain = final[encoder] - max(RAW, init[encoder])
    clean = 0.1035 if labels == "fresh" else 1.0
    verdict = "not memorized" if labels == "fresh" else "benign" if gain > 0.05 else "malign"
    write_json(
        folder / "summary.json",
        {
            "labels": labels,
            "label_classes": 10,
            "augment": augment,
            "train_accuracy": clean,
            "train_accuracy_running": clean * 0.98,
            "train_accuracy_fresh_views": 0.1016 if labels == "fresh" else 0.985 if augmented else 0.442,
            "probe_accuracy_raw": RAW,
            "probe_accuracy_init": init[encoder],
            "probe_accuracy": final[encoder],
            "probe_accuracy_projector": final[encoder + 1],
            "verdict": verdict,
            "probe_by_layer": {layer: {"init": a, "final": b} for layer, a, b in zip(LAYERS, init, final, strict=True)},
            "probe_gain": gain,
            "probe_gain_interval": [gain - 0.041, gain + 0.041],
            "steps": STEPS,
            "epochs": EPOCHS,
            "images": IMAGES,
            "seed": seed,
            "seconds": 21.4 + seed,
            "images_per_second": 21540.0,
        },
    )
    if augmented:
        sample_views(folder, augment, seed)
    return folder


def sample_views(folder: Path, recipe: str, seed: int, n: int = 6, count: int = 7) -> Path:
    """Blobs on a dark ground, moved about: pictures whose views differ to the eye."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:16, 0:16]

    def blob(colour: np.ndarray, cy: float, cx: float, radius: float) -> np.ndarray:
        ring = np.exp(-((((y - cy) ** 2 + (x - cx) ** 2) ** 0.5 - radius) ** 2) / 1.5)
        return np.clip(30 + colour[:, None, None] * ring[None], 0, 255).astype(np.uint8)

    colours = rng.uniform(100, 225, size=(n, 3))
    originals = np.stack([blob(colours[i], 8, 8, 3 + i % 3) for i in range(n)])
    moved = np.stack(
        [[blob(rng.uniform(90, 225, 3), *rng.uniform(5, 11, 2), 2.5 + i % 3) for _ in range(count)] for i in range(n)]
    )
    labels = rng.integers(0, 10, size=(2, n))
    return views.save(
        folder,
        originals=originals,
        views=moved,
        label_true=labels[0],
        label_used=labels[1],
        image_ids=np.arange(n),
        classes=CLASSES,
        recipe=recipe,
    )


def capacity(root: Path, seed: int = 0, width: int = 8) -> Path:
    """Writes one finished `capacity` run (3,802 parameters at width 8, 64 images) and returns its folder."""
    folder = root / f"capacity-{width}-{seed}"
    folder.mkdir(parents=True)
    settings = {
        "data": "digits",
        "images": 64,
        "views": [1, 2, 4, 8, 16, 32, 64],
        "label_modes": ["same", "random"],
        "augment": "digits",
        "model": "convnet",
        "width": width,
        "seed": seed,
    }
    write_json(
        folder / "config.json",
        {"experiment": "capacity", "config": settings, **environment("rote run capacity")},
    )
    reached = {
        "random": (1.0, 1.0, 1.0, 0.998, 0.913, 0.571, 0.334),
        "same": (1.0, 1.0, 1.0, 1.0, 0.998, 0.991, 0.972),
    }
    parameters, rows = 3802, []
    for mode in ("same", "random"):
        for count, accuracy in zip(settings["views"], reached[mode], strict=True):
            accuracy = min(1.0, accuracy - 0.004 * seed)
            pool = 64 * count
            labels = pool if mode == "random" else 64
            bits = labels * (math.log2(10) - entropy(accuracy) - (1 - accuracy) * math.log2(9))
            rows.append(
                {
                    "views": count,
                    "label_mode": mode,
                    "images": 64,
                    "pool": pool,
                    "parameters": parameters,
                    "accuracy_pool": accuracy,
                    "bits_fano": bits,
                    "bits_code_length": bits * 1.04,
                    "bits_per_parameter": bits / parameters,
                    "steps": 4000,
                    "visits": 4000,
                    "visits_per_view": 4000 / count,
                    "budget_limited": mode == "random" and count >= 32,
                    "distinct_views": pool,
                    "accuracy_ceiling": 1.0,
                    "loss": 0.09 * (1 - accuracy),
                    "lr": 0.01,
                }
            )
    write_json(
        folder / "summary.json",
        {"rows": rows, "parameters": parameters, "label_classes": 10, "seconds": 44.2, "seed": seed},
    )
    return folder


def entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def demo(root: Path, seeds: tuple[int, ...] = (0,)) -> list[Path]:
    """The demo's whole set: six conditions of `benign` and the capacity grid, for every seed."""
    folders = [
        benign(root, labels, augment, seed)
        for seed in seeds
        for labels in ("random", "true", "fresh")
        for augment in ("digits", "none")
    ]
    return folders + [capacity(root, seed) for seed in seeds]
