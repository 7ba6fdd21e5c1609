"""What the page draws of a `memorization` run, made small: a histogram, the halves of some examples, a few pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rote.data import ImageBank
from rote.metrics.influence import InfluencePairs

if TYPE_CHECKING:
    from rote.experiments.memorization.results import Scores

BINS = 22
# Examples of the split-half scatter: a drawing cannot show more apart.
MOST_POINTS = 1000
# The picture grid: test examples, and the training examples each owes most to.
GRID_TESTS, GRID_TRAIN = 6, 5


def histogram_rows(found: Scores, corrupted: np.ndarray) -> list[dict[str, Any]]:
    """memorization.csv: examples with a score in each of 22 bins of [-1.05, 1.15), right and wrong labels apart.

    Bins are centred at 0, .1, ..., so that a score of 0 or 1 is not at an edge. `share` is of the examples of that
    kind, `standard_error` the mean of their scores' standard errors in the bin.
    """
    there = found.counts.estimable
    edges = np.linspace(-1.05, 1.15, BINS + 1)
    rows = []
    for label, kind in (("right", ~corrupted & there), ("wrong", corrupted & there)):
        if not kind.any():
            continue
        values, errors = found.memorization.data[kind], found.standard_error.data[kind]
        place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
        for b in range(BINS):
            own = place == b
            rows.append(
                {
                    "label": label,
                    "low": round(float(edges[b]), 4),
                    "high": round(float(edges[b + 1]), 4),
                    "examples": int(own.sum()),
                    "share": float(own.mean()),
                    "standard_error": float(errors[own].mean()) if own.any() else None,
                }
            )
    return rows


def halves_rows(found: Scores, ids: np.ndarray, corrupted: np.ndarray) -> list[dict[str, Any]]:
    """halves.csv: the scores of either half of the networks, of at most 1,000 examples at even distances."""
    first, second = found.halves
    both = np.flatnonzero(~(np.ma.getmaskarray(first) | np.ma.getmaskarray(second)))
    chosen = both[np.linspace(0, len(both) - 1, min(MOST_POINTS, len(both))).astype(int)] if len(both) else both
    return [
        {
            "example_id": int(ids[i]),
            "is_corrupted": bool(corrupted[i]),
            "first_half": float(first.data[i]),
            "second_half": float(second.data[i]),
        }
        for i in chosen
    ]


def picture_grid(
    bank: ImageBank, ids: np.ndarray, label_used: np.ndarray, pairs: InfluencePairs
) -> dict[str, np.ndarray]:
    """influence.npz: the test examples of the highest influence, and the training examples that each owes most to.

    Args:
        bank: the data.
        ids: int64 [N], ids of the training images.
        label_used: int64 [N].
        pairs: the highest first.

    Returns:
        `test_id` int64 [G], `test_image` uint8 [G, C, H, W], `test_label` int64 [G], `train_id`, `train_label`,
        `train_label_true` int64 [G, K] and `influence`, `standard_error` float64 [G, K] (rows with fewer than K
        examples end in id -1 and black pictures), `train_image` uint8 [G, K, C, H, W], `classes` text [C].
    """
    tests = list(dict.fromkeys(pairs.test.tolist()))[:GRID_TESTS]
    shape = tuple(bank.test.images.shape[1:])
    grid = {
        "test_id": np.array(tests, dtype=np.int64),
        "test_image": np.zeros((len(tests), *shape), dtype=np.uint8),
        "test_label": np.zeros(len(tests), dtype=np.int64),
        "train_id": np.full((len(tests), GRID_TRAIN), -1, dtype=np.int64),
        "train_label": np.zeros((len(tests), GRID_TRAIN), dtype=np.int64),
        "train_label_true": np.zeros((len(tests), GRID_TRAIN), dtype=np.int64),
        "influence": np.zeros((len(tests), GRID_TRAIN)),
        "standard_error": np.zeros((len(tests), GRID_TRAIN)),
        "train_image": np.zeros((len(tests), GRID_TRAIN, *shape), dtype=np.uint8),
        "classes": np.array([str(name) for name in bank.classes]),
    }
    for row, test in enumerate(tests):
        grid["test_image"][row] = bank.test.images[test].cpu().numpy()
        grid["test_label"][row] = int(bank.test.labels[test])
        own = np.flatnonzero(pairs.test == test)[:GRID_TRAIN]
        for column, pair in enumerate(own):
            example = pairs.train[pair]
            image = int(ids[example])
            grid["train_id"][row, column] = image
            grid["train_image"][row, column] = bank.train.images[image].cpu().numpy()
            grid["train_label"][row, column] = label_used[example]
            grid["train_label_true"][row, column] = int(bank.train.labels[image])
            grid["influence"][row, column] = pairs.influence[pair]
            grid["standard_error"][row, column] = pairs.standard_error[pair]
    return grid
