"""Runs of `easy`, `trajectories` and `depth` that bring claims 19, 23, 27, 28 and 30 into every state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rote.experiments import DepthConfig, EasyConfig, TrajectoriesConfig

SEEDS = (0, 1, 2)
JITTER = (0.0, 0.01, -0.01)
ROOT = Path("/home/somebody/pictures")


def write(runs, experiment: str, config, summary: dict[str, Any], tables: dict[str, list[dict]]) -> None:
    fields = config.resolved().as_dict()
    base = {"data": fields["data"], "images": 5000, "label_classes": 10, "epochs": fields["epochs"], "steps": 100}
    runs.write(experiment, fields, {**base, **summary}, tables)


def easy(runs, *, real=20.0, rand_x=1.0, rand_y=4.0, spread=1.0, **fields) -> None:
    """Over-dispersions, a run for each seed."""
    for seed, jitter in zip(SEEDS, JITTER, strict=True):
        noise = spread * jitter
        values = {"real": real + 10 * noise, "randX": rand_x + noise, "randY": rand_y + 5 * noise}
        config = EasyConfig(**{"data": "folder", "root": ROOT, "seed": seed, **fields})
        write(runs, "easy", config, {f"over_dispersion_{kind}": value for kind, value in values.items()}, {})


def trajectories(
    runs, *, gap=0.6, gain=0.1, thirds=(0.95, 0.7, 0.4), spread=1.0, noise=(0.0, 0.4, 1.0), seeds=SEEDS, **fields
) -> None:
    """Levels of redrawn labels: the gap at the peak, the gain by stopping, shares fitted at a third of the steps."""
    for seed, jitter in zip(seeds, JITTER, strict=False):
        shift = spread * jitter
        rows = [
            {
                "noise": level,
                "selected_epoch": 9,
                "fit_gap_at_peak": None if level == 0 else gap + shift,
                "test_selected": 0.5 + gain + shift,
                "test_final": 0.5,
                "test_gain": gain + shift,
                "fitted_at_third": third + shift * (place + 1),
            }
            for place, (level, third) in enumerate(zip(noise, thirds, strict=False))
        ]
        config = TrajectoriesConfig(**{"data": "folder", "root": ROOT, "seed": seed, "noise": noise, **fields})
        write(runs, "trajectories", config, {}, {"trajectories_levels.csv": rows})


def depth(
    runs, *, epochs=(40, 30, 20, 10), test=(0.4, 0.41, 0.42, 0.42), norms=("batch",), at_edge=False, **fields
) -> None:
    """Depths 1, 2, 4 and 8; `epochs` and `test` may be a function of the position of the seed."""
    for position, seed in enumerate(SEEDS):
        visits = epochs(position) if callable(epochs) else epochs
        tested = test(position) if callable(test) else test
        rows = [
            {
                "equal": "width",
                "norm": norm,
                "depth": dial,
                "width": 64,
                "epochs_to_99": visit,
                "validation_accuracy": 0.3 + 0.01 * place,
                "test_accuracy": None if accuracy is None else accuracy + JITTER[position] * 0.1 * place,
                "lr_random_at_edge": at_edge and dial == 8,
                "lr_true_at_edge": False,
            }
            for norm in norms
            for place, (dial, visit, accuracy) in enumerate(zip((1, 2, 4, 8), visits, tested, strict=True))
        ]
        # The third of four is the best depth by validation.
        for row in rows:
            row["validation_accuracy"] += 0.05 * (row["depth"] == 4)
        config = DepthConfig(**{"data": "folder", "root": ROOT, "seed": seed, "norms": norms, **fields})
        write(runs, "depth", config, {}, {"depth.csv": rows})


def claim_19(runs, state):
    easy(runs, real={"holds": 20.0, "fails": 2.0, "undecided": 3.05}[state], rand_y=1.5)


def claim_23(runs, state):
    trajectories(runs, gap={"holds": 0.6, "fails": 0.2, "undecided": 0.405}[state])


def claim_27(runs, state):
    trajectories(runs, gain={"holds": 0.1, "fails": 0.0, "undecided": 0.052}[state])


def claim_28(runs, state):
    deepest = {"holds": 0.42, "fails": 0.38, "undecided": 0.401}[state]
    depth(runs, test=(0.4, 0.41, 0.42, deepest), epochs=lambda position: (40, 30, 20, 10 + position))


def claim_30(runs, state):
    thirds = {"holds": (0.95, 0.7, 0.4), "fails": (0.95, 0.4, 0.7), "undecided": (0.95, 0.7, 0.69)}[state]
    trajectories(runs, thirds=thirds)
