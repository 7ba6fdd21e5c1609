"""Runs of `size` and `regularize` that bring claims 24, 25 and 26 into every state."""

from __future__ import annotations

from pathlib import Path

from rote.experiments import RegularizeConfig, SizeConfig

SEEDS = (0, 1, 2)
JITTER = (0.0, 0.05, -0.05)
ROOT = Path("/home/somebody/pictures")


def convergence(runs, *, images=0.9, width=-0.9, spread=1.0, data="folder", **fields) -> None:
    """Orders of the ratio, a run for each seed; `images` may be None."""
    for seed, jitter in zip(SEEDS, JITTER, strict=True):
        orders = []
        for sweep, value in (("width", width), ("images", images)):
            for kind, scale in (("inputs", 1.0), ("labels", 0.5)):
                shifted = None if value is None else scale * value + spread * jitter
                about = {"sweep": sweep, "kind": kind, "points": 4, "bounds": 1}
                orders += [{**about, "level": level, "spearman": shifted} for level in (0.25, 0.5)]
        config = SizeConfig(study="convergence", data=data, root=ROOT, seed=seed, **fields).resolved()
        summary = {"data": data, "images": 2000, "epochs": 100, "study": "convergence", "orders": orders}
        runs.write("size", config.as_dict(), summary)


def noise(runs, *, inputs=1.0, labels=0.0, clean=16, spread=1.0, data="folder", **fields) -> None:
    for seed, jitter in zip(SEEDS, JITTER, strict=True):
        config = SizeConfig(study="noise", data=data, root=ROOT, seed=seed, **fields).resolved()
        summary = {"data": data, "images": 2000, "epochs": 100, "steps": 3000, "study": "noise"}
        summary |= {"log2_best_width_inputs": inputs + spread * jitter, "log2_best_width_removed": -0.5}
        summary["log2_best_width_labels"] = labels + spread * jitter
        best = [
            {"kind": "clean", "level": 0.0, "best_width": clean},
            {"kind": "inputs", "level": 0.5, "best_width": 32},
        ]
        runs.write("size", config.as_dict(), summary, {"best_width.csv": best})


def regularize(runs, *, dropout=0.7, other=0.4, both=0.8, known=1.0, spread=0.2, techniques=None, **fields) -> None:
    for seed, jitter in zip(SEEDS, JITTER, strict=True):
        options = {"techniques": techniques} if techniques else {}
        config = RegularizeConfig(data="folder", root=ROOT, seed=seed, **options, **fields).resolved()
        found = {"dropout": dropout, "dropout+adversarial": both + spread * jitter, "input-dropout": other}
        found |= {"input-noise": other / 2, "hidden-noise": other / 4, "weight-decay": other / 8}
        falls = [{"technique": name, "fall": fall, "cost": 0.01, "strength": 0.5} for name, fall in found.items()]
        for row in falls[1:3]:
            row["fall"] += spread * jitter
        rows = [{"technique": "none", "strength": 0.0, "random_train_accuracy": known, "test_selected": 0.45}]
        summary = {"data": "folder", "images": 2000, "epochs": 20, "steps": 620}
        runs.write("regularize", config.as_dict(), summary, {"falls.csv": falls, "regularize.csv": rows})


def claim_24(runs, state):
    convergence(runs, images={"holds": 0.8, "fails": -0.8, "undecided": 0.02}[state])


def claim_25(runs, state):
    noise(runs, **{"holds": {}, "fails": {"labels": 1.0}, "undecided": {"inputs": 0.02}}[state])


def claim_26(runs, state):
    regularize(runs, other={"holds": 0.4, "fails": 0.95, "undecided": 0.69}[state])
