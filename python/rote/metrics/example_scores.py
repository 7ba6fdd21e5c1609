"""rote/metrics/example_scores.py: the per-example scores of a recorder's state, as docs/scores.md defines them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rote.extras import wanted_for
from rote.metrics.aum import flagged_by_threshold
from rote.ops.record import COUNTS, SUMS, VALUES

if TYPE_CHECKING:
    import pyarrow

#: Columns of a recorder's epochs, int32 [N, 5]. An example is right in an epoch where its last presentation there is.
EPOCHS = (
    "seen",  # epochs it was shown in
    "right",  # of these, epochs it was right in
    "first_right",  # number of the first of them; 0 where there is none
    "streak_start",  # number of the epoch that its last series of right ones began with
    "right_now",  # 1 where that series goes on
)
#: Whole numbers that may be undefined.
_WHOLE = ("first_learned", "last_learned", "last_incorrect", "first_learned_epoch", "learned_epoch")


def count_epoch(epochs: Tensor, epoch: int, seen: Tensor, right: Tensor) -> None:
    """Brings int32 [N, 5] (columns `EPOCHS`) up to date by an epoch, in place and without waiting."""
    column = {name: epochs[:, index] for index, name in enumerate(EPOCHS)}
    hit = seen & right
    column["first_right"].masked_fill_(hit & (column["right"] == 0), epoch)
    column["streak_start"].masked_fill_(hit & (column["right_now"] == 0), epoch)
    column["seen"] += seen
    column["right"] += hit
    column["right_now"].copy_(torch.where(seen, right, column["right_now"] > 0))


def scores_of(
    counts: np.ndarray, sums: np.ndarray, values: np.ndarray, epochs: np.ndarray, *, threshold: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Scores by name, as `Recorder.scores` describes them.

    Args:
        counts: int32 [N, 8], columns `rote.ops.record.COUNTS`.
        sums: float64 [N, 5], columns `SUMS`.
        values: float32 [N, 4], columns `VALUES`.
        epochs: int32 [N, 5], columns `EPOCHS`.
        threshold: bool [N] or None.
    """
    count = {name: counts[:, column] for column, name in enumerate(COUNTS)}
    total = {name: sums[:, column] for column, name in enumerate(SUMS)}
    last = {name: values[:, column] for column, name in enumerate(VALUES)}
    epoch = {name: epochs[:, column] for column, name in enumerate(EPOCHS)}
    shown = count["presentations"]
    learned, ever_wrong = count["correct"] > 0, shown > count["correct"]
    right_now = (shown > 0) & ~(ever_wrong & (count["last_incorrect"] == shown - 1))
    defined = shown - count["undefined"]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = {name: np.where(defined > 0, total[name] / defined, np.nan) for name in ("loss", "margin", "el2n")}
        confidence = np.where(defined > 0, total["mean_p_true"], np.nan)
        variability = np.where(defined > 0, np.sqrt(total["squares_p_true"] / defined), np.nan)
        correctness = np.where(shown > 0, count["correct"] / shown, np.nan)
    unknown = shown == 0
    found = {
        "example_id": np.arange(len(shown), dtype=np.int32),
        "presentations": shown.copy(),
        "epochs_seen": epoch["seen"].copy(),
        "undefined": count["undefined"].copy(),
        "forgetting_events": count["forgetting"].copy(),
        "never_learned": (shown > 0) & ~learned,
        "unforgettable": learned & (count["forgetting"] == 0),
        "first_learned": _where(learned, count["first_correct"]),
        "last_learned": _where(right_now, np.where(ever_wrong, count["last_incorrect"] + 1, 0)),
        "last_incorrect": _where(ever_wrong, count["last_incorrect"]),
        "first_learned_epoch": _where(epoch["right"] > 0, epoch["first_right"]),
        "learned_epoch": _where(epoch["right_now"] > 0, epoch["streak_start"]),
        "aum": means["margin"],
        "confidence": confidence,
        "variability": variability,
        "correctness": correctness,
        "threshold_closeness": confidence * (1 - confidence),
        "mean_loss": means["loss"],
        "mean_el2n": means["el2n"],
        **{name: np.where(unknown, np.float32(np.nan), last[name]) for name in VALUES},
        "correct": right_now,
        "predicted": count["predicted"].copy(),
    }
    if threshold is not None:
        found |= {"is_threshold": threshold.copy(), "aum_flagged": flagged_by_threshold(found["aum"], threshold)}
    return found


def as_table(scores: dict[str, np.ndarray]) -> pyarrow.Table:
    """Scores as a table: null where a score is undefined, int32 for whole numbers."""
    with wanted_for("a table of scores"):
        import pyarrow

    columns = {}
    for name, values in scores.items():
        if name in _WHOLE:
            missing = np.isnan(values)
            columns[name] = pyarrow.array(np.where(missing, 0, values).astype(np.int32), mask=missing)
        elif name == "predicted":
            columns[name] = pyarrow.array(values, mask=scores["presentations"] == 0)
        elif values.dtype.kind == "f":
            columns[name] = pyarrow.array(values, mask=np.isnan(values))
        else:
            columns[name] = pyarrow.array(values)
    return pyarrow.table(columns)


def _where(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """float64, NaN where not known."""
    return np.where(known, values.astype(np.float64), np.nan)
