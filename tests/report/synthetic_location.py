"""Synthetic folders of `location`, with all of its tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .synthetic_tables import run, write

BLOCKS = ("stage1", "stage2", "stage3", "projector")
LAYERS = (*BLOCKS[:3], "projector.hidden", "projector.logits")
TAPS = ("stage1", "stage2", "encoder", "projector.hidden", "logits")
EPOCHS = (0, 5, 15, 30, 60, 900)
SUMMARY = {
    "last_minus_best_other": 0.12,
    "last_minus_best_other_init": 0.02,
    "rewound_epoch": 15,
    "last_block": "projector",
    "best_other_block": "stage3",
    "fall_permuted_last": 0.7,
    "fall_permuted_best_other": 0.58,
    "accuracy_permuted": 1.0,
    "accuracy_test": 0.31,
    "lowest_cosine": -0.4,
    "lowest_cosine_epoch": 15,
    "neurons_permuted": 3.0,
    "neurons_unpermuted": 6.0,
    "neuron_layers": {"encoder.stage2.0": 0.4, "encoder.stage3.0": 0.5, "projector.hidden": 0.1},
    "retrained_permuted": {"stage1": 1.0, "stage2": 0.9, "stage3": 0.3, "projector": 0.2},
    "tied_permuted_before": 0.4,
    "tied_permuted_dropped": 0.1,
    "tied_unpermuted_before": 0.9,
    "tied_unpermuted_dropped": 0.7,
    "latent_layer": "encoder",
    "latent_accuracy": 0.36,
    "latent_gain": 0.05,
    "own_accuracy": 0.31,
    "capacity_permuted": 0.6,
    "capacity_restored": 0.3,
    "images_permuted": 46,
}


def location(root: Path, seed: int = 0, noise: float = 0.1) -> Path:
    """A finished run with every part."""
    rng = np.random.default_rng([8, seed, round(10 * noise)])
    fields = {"labels": "random", "augment": "none", "noise": noise}
    folder = run(root / f"noise-{noise:g}", "location", seed, {**SUMMARY, "noise": noise, "augment": "none"}, **fields)

    def near(value: float, spread: float = 0.015) -> float:
        return float(np.clip(value + rng.normal(0, spread), 0, 1))

    def shares(fitted: float) -> dict[str, float]:
        return {
            "unpermuted": near(0.4 + 0.6 * fitted),
            "permuted": near(0.1 + 0.9 * fitted),
            "restored": near(0.3 * (1 - fitted)),
            "test": near(0.31),
        }

    rewinding = []
    for bn in ("recalibrated", "running"):
        nothing = {"kind": "none", "name": "none", "replaced": "none", "epoch": 900, "bn": bn}
        rewinding.append({**nothing, "depth": None, **shares(1.0)})
        for kind, names in (("block", BLOCKS), ("layer", LAYERS)):
            for depth, name in enumerate(names):
                for replaced in ("alone", "and later"):
                    for epoch in EPOCHS[:-1]:
                        left = max(0.0, 1 - (0.15 + 0.2 * depth) * (1 - epoch / 100))
                        about = {"kind": kind, "name": name, "depth": depth, "replaced": replaced, "epoch": epoch}
                        rewinding.append({**about, "bn": bn, **shares(left if replaced == "alone" else left / 2)})
    write(folder, "location_rewinding.csv", rewinding)
    retraining, gradients = [], []
    for kind, names in (("block", BLOCKS), ("layer", LAYERS)):
        for depth, name in enumerate(names):
            about = {"kind": kind, "name": name, "depth": depth, "bn": "recalibrated"}
            for epoch in (0, 10, 20):
                retraining.append({**about, "epoch": epoch, **shares(min(1.0, epoch / 20 * (1 - 0.2 * depth)))})
            for place, epoch in enumerate(EPOCHS):
                scale = 10.0 ** (-2 - place / 2 + 0.2 * depth)
                cosine = (0.9, 0.2, -0.4, -0.5, -0.3, None)[place]
                gradients.append(
                    {
                        **about,
                        "epoch": epoch,
                        "norm_unpermuted": scale,
                        "norm_permuted": scale * (0.15 + 0.2 * place) * float(np.exp(rng.normal(0, 0.05))),
                        "cosine": None if cosine is None else cosine - 0.05 * depth + rng.normal(0, 0.02),
                        "entries": 1000,
                    }
                )
    write(folder, "location_retraining.csv", retraining)
    write(folder, "location_gradients.csv", gradients)
    tied = []
    for bn in ("recalibrated", "running"):
        for state, wrong, right in (("own", 0.99, 1.0), ("expected", 0.4, 0.9), ("dropped", 0.1, 0.7)):
            test = None if state == "own" else near(0.3)
            found = {"unpermuted": near(right), "permuted": near(wrong), "restored": near(0.3), "test": test}
            tied.append({"state": state, "epoch": 150, "step": 600, "bn": bn, **found})
    write(folder, "location_tied.csv", tied)
    neurons, zeroed = [], []
    for number in range(20):
        kind = "permuted" if number < 10 else "unpermuted"
        count = int(min(50, rng.geometric(0.35 if kind == "permuted" else 0.1)))
        neurons.append({"id": number, "kind": kind, "neurons": count, "flipped": count < 50})
        for order in range(count):
            layer = rng.choice(["encoder.stage1.0", "encoder.stage2.0", "encoder.stage3.0", "projector.hidden"])
            zeroed.append({"id": number, "kind": kind, "order": order, "layer": layer, "channel": 3, "score": 0.01})
    write(folder, "location_neurons.csv", neurons)
    write(folder, "location_zeroed.csv", zeroed)
    geometry, latent = [], []
    for depth, layer in enumerate(TAPS, 1):
        place = {"layer": layer, "depth": depth, "part": "encoder" if depth < 4 else "projector"}
        for epoch in (0, 15, 900):
            for kind, gain in (("unpermuted", 1.0), ("permuted", 0.8), ("restored", 0.1), ("test", 0.2)):
                grown = gain * depth / 5 * (epoch > 0)
                geometry.append(
                    {
                        **place,
                        "epoch": epoch,
                        "examples": kind,
                        "capacity": 0.5 + grown + rng.normal(0, 0.02),
                        "radius": 1.2 - 0.5 * grown,
                        "dimension": 4 - 2 * grown,
                        "centre_correlation": 0.5 - 0.2 * grown,
                        "capacity_large_dimension": 0.6 + grown,
                    }
                )
        for number, epoch in enumerate(EPOCHS):
            for method in ("knn", "linear"):
                for labels in ("true", "used"):
                    value = 0.22 + 0.05 * min(number, 3) + 0.02 * depth * (depth < 4) - 0.01 * number
                    found = {"accuracy": near(value), "own_accuracy": 0.12 + 0.05 * min(number, 4) - 0.01 * number}
                    latent.append({**place, "epoch": epoch, "method": method, "labels": labels, "chance": 0.1, **found})
    write(folder, "location_geometry.csv", geometry)
    write(folder, "location_latent.csv", latent)
    return folder
