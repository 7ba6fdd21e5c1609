"""A table of examples whose every number is known, with pictures that carry their row."""

from __future__ import annotations

import numpy as np

from rote.report.examples import ExampleTable, Trajectory


def examples(count: int = 120, *, epochs: int = 8, size: int = 8, images: bool = True, **changes) -> ExampleTable:
    """Wrong labels (every seventh) are learnt late; example ids begin at 1,000."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, count)
    wrong = np.arange(count) % 7 == 0
    used = np.where(wrong, (true + 1) % 3, true)
    steps = np.arange(1, epochs + 1)[:, None]
    pace = np.where(wrong, 0.35, 1.0) * rng.uniform(0.6, 1.4, count)
    margin = pace * steps - 2.0 + 0.3 * rng.normal(size=(epochs, count))
    p = 1 / (1 + np.exp(-margin))
    right = margin > 0
    forgotten = (right[:-1] & ~right[1:]).sum(0)
    pictures = rng.integers(0, 255, (count, size, size, 3), dtype=np.uint8)
    pictures[:, 0, 0, 0] = np.arange(count) % 256
    columns = {
        "id": np.arange(1000, 1000 + count),
        "label_true": true,
        "label_used": used,
        "is_corrupted": wrong,
        "aum": margin.mean(0),
        "confidence": p.mean(0),
        "variability": p.std(0),
        "correctness": right.sum(0),
        "forgetting_events": forgotten,
        "never_learned": ~right.any(0),
        "memorization": np.where(
            np.arange(count) == 5, np.nan, np.where(wrong, 0.8, 0.1) + 0.1 * rng.normal(size=count)
        ),
    }
    table = {
        "columns": columns,
        "trajectories": {
            "loss": Trajectory(steps[:, 0], -np.log(p)),
            "margin": Trajectory(steps[:, 0], margin),
        },
        "images": pictures if images else None,
        "neighbours": (np.arange(count)[:, None] + np.array([1, 2, 7])) % count,
        "classes": ("cat", "dog", "<ship>"),
        "title": "Examples of a test",
        "about": "Made up, with every seventh label wrong.",
    }
    return ExampleTable(**{**table, **changes})
