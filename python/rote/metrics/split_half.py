"""rote/metrics/split_half.py: how well per-example scores would come out again, from two halves of the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rote.statistics import mean_ranks

# Columns of a recorder's scores that say what was shown, not how it went.
_NO_SCORES = ("example_id", "presentations", "epochs_seen", "undefined", "predicted", "is_threshold")


class Reliability(NamedTuple):
    """How well the mean of a score over runs is known.

    Attributes:
        reliability: of the mean over all runs, 2 r / (1 + r); NaN where all scores of a half are alike.
        correlation: r of the means of two halves, averaged over the halvings.
        examples: number of examples that have a score in every run.
    """

    reliability: float
    correlation: float
    examples: int


def stepped_up(correlation: float) -> float:
    """2 r / (1 + r): the reliability of the whole from the correlation of its halves (Spearman 1910, Brown 1910)."""
    return float("-inf") if correlation <= -1 else 2 * correlation / (1 + correlation)


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson's correlation of two float64 [N]; NaN where one is constant, or N is below 2."""
    if len(first) < 2:
        return float("nan")
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale else float("nan")


def reliability(scores: np.ndarray, half: np.ndarray | None = None, *, ranks: bool = False) -> Reliability:
    """The split-half reliability of a per-example score.

    Runs are split into two halves, scores averaged in either, the averages correlated over examples, and the
    correlation stepped up to all runs by Spearman and Brown's formula. With an odd number of runs one half is larger
    by one. Examples without a score (NaN or infinite) in some run are left out, and counted.

    Args:
        scores: [R, N], the score of every example in R >= 2 runs that differ in their seeds.
        half: bool [R], which half a run belongs to; None: all halvings of up to 8 runs are averaged, and of more runs
            the even against the odd ones.
        ranks: correlate ranks (Spearman's correlation), for scores whose size means little.

    Raises:
        ValueError: another shape, fewer than two runs or examples, or an empty half.

    Example:
        >>> reliability([run.scores()["aum"] for run in recorders])
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or len(scores) < 2:
        raise ValueError(f"scores: wanted [R, N] of at least two runs, got shape {list(scores.shape)}")
    known = np.isfinite(scores).all(0)
    if known.sum() < 2:
        raise ValueError(f"scores: wanted at least two examples with a score in every run, got {int(known.sum())}")
    halves = _halvings(len(scores)) if half is None else [np.asarray(half, dtype=bool)]
    found = []
    for part in halves:
        if part.shape != (len(scores),) or part.all() or not part.any():
            raise ValueError(f"half: wanted bool [{len(scores)}] with runs in both halves, got {part.tolist()}")
        first, second = scores[part][:, known].mean(0), scores[~part][:, known].mean(0)
        found.append(pearson(mean_ranks(first), mean_ranks(second)) if ranks else pearson(first, second))
    correlation = float(np.mean(found))
    return Reliability(stepped_up(correlation), correlation, int(known.sum()))


def reliabilities(
    runs: Sequence[Mapping[str, np.ndarray]], half: np.ndarray | None = None, *, ranks: bool = False
) -> dict[str, Reliability]:
    """The split-half reliability of every score of several runs, by name.

    Args:
        runs: what `Recorder.scores` returned in each.
        half, ranks: as `reliability`.

    Returns:
        Of each score that all runs have; one with fewer than two examples that have it in every run is left out.

    Raises:
        ValueError: fewer than two runs, of different examples, or an empty half.
    """
    if len(runs) < 2:
        raise ValueError(f"runs: wanted at least two, got {len(runs)}")
    found = {}
    for name in runs[0]:
        if name in _NO_SCORES or not all(name in run for run in runs):
            continue
        columns = [np.asarray(run[name], dtype=np.float64) for run in runs]
        if len({column.shape for column in columns}) > 1:
            raise ValueError(f"runs: wanted scores of the same examples, got {[len(c) for c in columns]} of {name}")
        if np.isfinite(columns).all(0).sum() >= 2:
            found[name] = reliability(np.stack(columns), half, ranks=ranks)
    return found


def _halvings(runs: int) -> list[np.ndarray]:
    """Every halving once: the first run stands in the first half."""
    if runs > 8:
        return [np.arange(runs) % 2 == 0]
    codes = ((np.arange(1 << runs)[:, None] >> np.arange(runs)) & 1).astype(bool)
    sizes = codes.sum(1)
    if runs % 2:
        return list(codes[sizes == runs // 2])
    return list(codes[(sizes == runs // 2) & codes[:, 0]])
