"""rote/metrics/record_merge.py: presentations that were recorded from nothing, behind those of an earlier state."""

from __future__ import annotations

import torch
from torch import Tensor

from rote.ops.record import COUNTS, SUMS, RecordTensors


def append_(state: RecordTensors, ids: Tensor, later: RecordTensors) -> None:
    """Brings the states of some examples up to date by presentations that came after, in place and without waiting.

    The result is that of recording all presentations in one state: bit for bit where `later` holds one presentation of
    an example; the sums of more are made among themselves before, which may round otherwise.
    Means and squared distances are combined by Chan, Golub and LeVeque (1979), whose step by one value is Welford's.

    Args:
        state: of N examples.
        ids: int64 [R] in [0, N), each once.
        later: of R examples, each shown at least once.
    """
    counts, sums = _merged_counts(state.counts[ids], later.counts), _merged_sums(state, ids, later)
    state.counts[ids], state.sums[ids], state.values[ids] = counts, sums, later.values
    if state.logits is not None:
        state.logits[ids] = later.logits


def _merged_counts(first: Tensor, later: Tensor) -> Tensor:
    a, b = _columns(first, COUNTS), _columns(later, COUNTS)
    shown, wrong_later = a["presentations"], b["presentations"] > b["correct"]
    was_wrong = (shown > a["correct"]) & (a["last_incorrect"] == shown - 1)
    begins_wrong = (b["correct"] == 0) | (b["first_correct"] > 0)
    merged = {name: a[name] + b[name] for name in ("presentations", "correct", "undefined", "seen")}
    merged["forgetting"] = a["forgetting"] + b["forgetting"] + ((shown > 0) & ~was_wrong & begins_wrong)
    learned_later = torch.where(b["correct"] > 0, shown + b["first_correct"], 0)
    merged["first_correct"] = torch.where(a["correct"] > 0, a["first_correct"], learned_later)
    merged["last_incorrect"] = torch.where(wrong_later, shown + b["last_incorrect"], a["last_incorrect"])
    merged["predicted"] = b["predicted"]
    return torch.stack([merged[name] for name in COUNTS], 1)


def _merged_sums(state: RecordTensors, ids: Tensor, later: RecordTensors) -> Tensor:
    a, b = _columns(state.sums[ids], SUMS), _columns(later.sums, SUMS)
    before, after = (_defined(counts).double() for counts in (state.counts[ids], later.counts))
    merged = {name: a[name] + b[name] for name in ("loss", "margin", "el2n")}
    distance = b["mean_p_true"] - a["mean_p_true"]
    mean = a["mean_p_true"] + distance * after / (before + after)
    squares = (a["squares_p_true"] + b["squares_p_true"]) + distance * (b["mean_p_true"] - mean) * after
    for name, both in (("mean_p_true", mean), ("squares_p_true", squares)):
        merged[name] = torch.where(after == 0, a[name], torch.where(before == 0, b[name], both))
    return torch.stack([merged[name] for name in SUMS], 1)


def _defined(counts: Tensor) -> Tensor:
    """Presentations that have values."""
    return counts[:, COUNTS.index("presentations")] - counts[:, COUNTS.index("undefined")]


def _columns(values: Tensor, names: tuple[str, ...]) -> dict[str, Tensor]:
    return dict(zip(names, values.unbind(1), strict=True))
