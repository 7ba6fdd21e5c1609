"""Runs of `noise` that bring claims 15 to 18 into every state."""

from __future__ import annotations

from pathlib import Path

from rote.experiments import NoiseConfig

SEEDS = (0, 1, 2)
JITTER = (0.0, 0.01, -0.01)
STEPS = {"true": 200, "shuffled-pixels": 300, "gaussian": 450, "random-pixels": 600, "random-labels": 900}
TEST = {"true": 0.45, "shuffled-pixels": 0.3}


def noise(runs, *, seeds=SEEDS, steps=STEPS, change=lambda rows, position: rows, **fields) -> None:
    """A run for each seed: the five conditions, three levels, the grid; `change` alters the rows of one."""
    for position, seed in enumerate(seeds):
        config = NoiseConfig(
            **{"data": "folder", "root": Path("/home/somebody/pictures"), "grid": True, "seed": seed, **fields}
        )
        rows = []

        def add(condition, corruption, steps, test, crop=False, decay=0.0, rows=rows):
            rows.append(
                {
                    "condition": condition,
                    "corruption": corruption,
                    "crop": crop,
                    "weight_decay": decay,
                    "steps_to_loss": steps,
                    "epochs_to_99": None if steps is None else steps // 10,
                    "train_accuracy": 1.0,
                    "test_accuracy": test,
                }
            )

        for condition, taken in steps.items():
            add(condition, 0.0 if condition == "true" else 1.0, taken, TEST.get(condition, 0.1) + JITTER[position])
        for level in (0.25, 0.5, 0.75):
            add("random-labels", level, round(200 + 700 * level), 0.45 - 0.35 * level)
        for crop, decay in ((False, 5e-4), (True, 0.0), (True, 5e-4)):
            add("true", 0.0, 200, 0.46, crop, decay)
            add("random-labels", 1.0, 900, 0.1, crop, decay)
        summary = {"data": "folder", "images": 2000, "label_classes": 10, "chance": 0.1, "epochs": 60, "steps": 900}
        runs.write("noise", config.resolved().as_dict(), summary, {"noise.csv": change(rows, position)})


def set_where(value, name, **where):
    """A change: rows that meet `where` get a value of their own for each run."""

    def change(rows, position):
        for row in rows:
            if all(row[key] == wanted for key, wanted in where.items()):
                row[name] = value[position] if isinstance(value, (list, tuple)) else value
        return rows

    return change


def claim_15(runs, state):
    if state == "fails":
        noise(runs, steps=dict(zip(STEPS, reversed(STEPS.values()), strict=True)))
        return
    accuracy = {"holds": 1.0, "undecided": (1.0, 0.98, 1.0)}[state]
    noise(runs, change=set_where(accuracy, "train_accuracy", condition="gaussian"))


def claim_16(runs, state):
    tested = {"holds": (0.1, 0.11, 0.09), "fails": (0.2, 0.21, 0.19), "undecided": (0.1, 0.11)}[state]
    noise(runs, seeds=SEEDS[: len(tested)], change=set_where(tested, "test_accuracy", condition="random-labels"))


def claim_17(runs, state):
    best = {"holds": 0.47, "fails": 0.7, "undecided": (0.5, 0.47, 0.52)}[state]
    noise(runs, change=set_where(best, "test_accuracy", condition="true", crop=True, weight_decay=5e-4))


def claim_18(runs, state):
    half = {"holds": 55, "fails": 5, "undecided": (55, 5, 55)}[state]
    noise(runs, change=set_where(half, "epochs_to_99", condition="random-labels", corruption=0.5))
