"""Synthetic folders of `noise` runs."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from .synthetic_tables import run, write

# Steps until the loss is low, and test accuracy, under each condition.
CONDITIONS = {
    "true": (300, 0.46),
    "shuffled-pixels": (420, 0.31),
    "gaussian": (610, 0.11),
    "random-pixels": (760, 0.12),
    "random-labels": (1100, 0.10),
}
EPOCHS, PER_EPOCH = 60, 31


def noise(root: Path, seed: int = 0) -> Path:
    """The five conditions, three levels between true and random labels, the grid of crops and weight decay."""
    rng = np.random.default_rng([8, seed])
    summary = {"threshold": 0.1, "chance": 0.1, "images": 2000, "model": "small-inception"}
    folder = run(root, "noise", seed, summary, grid=True, model="small-inception")
    rows, lines = [], []

    def add(condition, corruption, steps, test, crop=False, decay=0.0, train=1.0):
        steps = steps + rng.normal(0, 12)
        rows.append(
            {
                "condition": condition,
                "corruption": corruption,
                "crop": crop,
                "weight_decay": decay,
                "model": "small-inception",
                "parameters": 27_048,
                "steps_to_90": round(0.9 * steps),
                "steps_to_99": round(steps),
                "epochs_to_99": round(steps / PER_EPOCH),
                "steps_to_loss": steps,
                "train_accuracy": min(1.0, train + rng.normal(0, 0.002)),
                "test_accuracy": test + rng.normal(0, 0.006),
                "test_inputs": "clean",
                "diverged": False,
            }
        )
        about = {"condition": condition, "corruption": corruption, "crop": crop, "weight_decay": decay}
        for epoch in range(1, EPOCHS + 1, 3):
            at = epoch * PER_EPOCH
            loss = max(2.3 * math.exp(-math.log(23) * (at / steps) ** 1.5), 4e-3 * (1 + rng.random()))
            own = {"step": at, "epoch": epoch, "split": "train", "layer": None, **about}
            lines.append({**own, "metric": "loss", "value": loss})
            lines.append({**own, "metric": "accuracy_running", "value": math.exp(-loss)})

    for condition, (steps, test) in CONDITIONS.items():
        add(condition, 0.0 if condition == "true" else 1.0, steps, test)
    for level in (0.25, 0.5, 0.75):
        add("random-labels", level, 300 + 800 * level, 0.46 - 0.36 * level)
    for crop, decay in ((False, 5e-4), (True, 0.0), (True, 5e-4)):
        add("true", 0.0, 320, 0.47 + 0.05 * crop, crop, decay)
        add("random-labels", 1.0, 1300, 0.1, crop, decay, train=1.0 - 0.02 * crop)
    write(folder, "noise.csv", rows)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
