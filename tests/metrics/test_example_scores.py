"""Scores of a recorder's state as a table: what is not defined is null, and nothing else."""

from __future__ import annotations

import numpy as np
import pyarrow

from rote.metrics.example_scores import EPOCHS, as_table, scores_of
from rote.ops.record import COUNTS, SUMS, VALUES


def state(columns, dtype, **given):
    return np.array([given.get(name, [0, 0, 0]) for name in columns], dtype=dtype).T


def test_a_table_of_three_examples():
    """Right, wrong, right, right; wrong three times; never shown."""
    counts = state(
        COUNTS,
        np.int32,
        presentations=[4, 3, 0],
        correct=[3, 0, 0],
        forgetting=[1, 0, 0],
        first_correct=[0, -1, -1],
        last_incorrect=[1, 2, -1],
        predicted=[5, 6, -1],
    )
    sums = state(SUMS, np.float64, loss=[2.0, 6.0, 0.0], margin=[8.0, -3.0, 0.0], mean_p_true=[0.5, 0.25, 0.0])
    epochs = state(EPOCHS, np.int32, seen=[2, 1, 0], right=[2, 0, 0], first_right=[1, 0, 0], right_now=[1, 0, 0])
    epochs[0, EPOCHS.index("streak_start")] = 1
    table = as_table(scores_of(counts, sums, np.zeros((3, len(VALUES)), np.float32), epochs))
    found = table.to_pydict()
    for name, wanted in {
        "presentations": [4, 3, 0],
        "forgetting_events": [1, 0, 0],
        "never_learned": [False, True, False],
        "unforgettable": [False, False, False],
        "first_learned": [0, None, None],
        "last_learned": [2, None, None],
        "last_incorrect": [1, 2, None],
        "first_learned_epoch": [1, None, None],
        "learned_epoch": [1, None, None],
        "predicted": [5, 6, None],
        "correct": [True, False, False],
        "aum": [2.0, -1.0, None],
        "mean_loss": [0.5, 2.0, None],
        "confidence": [0.5, 0.25, None],
        "correctness": [0.75, 0.0, None],
        "threshold_closeness": [0.25, 0.1875, None],
    }.items():
        assert found[name] == wanted, name
    assert table["last_incorrect"].type == pyarrow.int32()
