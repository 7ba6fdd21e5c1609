"""rote/metrics/detection.py: how well a score of suspicion finds what was planted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Detection(NamedTuple):
    """What a ranking, and a decision, find of P planted examples among N.

    Attributes:
        precision: of the P most suspicious examples, the share that was planted (their recall is the same number);
            examples equal to the last of them count by their mean.
        average_precision: the mean over planted examples of the precision down to each one's place, equal scores
            taken as one place (scikit-learn's definition).
        flagged: number of examples that a decision marks; None where there is no decision.
        flagged_precision, flagged_recall: of these the share that was planted, and the share of the planted marked.
    """

    precision: float
    average_precision: float
    flagged: int | None = None
    flagged_precision: float | None = None
    flagged_recall: float | None = None


def detection(score: np.ndarray, planted: np.ndarray, flagged: np.ndarray | None = None) -> Detection:
    """Measures a score of suspicion.

    Args:
        score: float [N], large where suspicious; NaN is the least suspicious.
        planted: bool [N], what is to be found.
        flagged: bool [N], a decision to be measured as well.

    Raises:
        ValueError: shapes that differ, or nothing or everything planted.
    """
    score, planted = np.asarray(score, dtype=np.float64), np.asarray(planted, dtype=bool)
    if score.ndim != 1 or planted.shape != score.shape or (flagged is not None and np.shape(flagged) != score.shape):
        raise ValueError(f"score, planted and flagged must be [N]; got {list(score.shape)}, {list(planted.shape)}")
    total = int(planted.sum())
    if not 0 < total < len(planted):
        raise ValueError(f"planted must hold some examples and not all; got {total} of {len(planted)}")
    score = np.where(np.isnan(score), -np.inf, score)
    values, group = np.unique(-score, return_inverse=True)
    there = np.bincount(group, minlength=len(values))
    hits = np.bincount(group, weights=planted, minlength=len(values))
    ends, found = np.cumsum(there), np.cumsum(hits)
    average = float((hits * found / ends).sum() / total)
    last = int(np.searchsorted(ends, total))
    before = total - (ends[last] - there[last])
    within = found[last] - hits[last] + hits[last] * before / there[last]
    if flagged is None:
        return Detection(float(within / total), average)
    flagged = np.asarray(flagged, dtype=bool)
    both, marked = int((flagged & planted).sum()), int(flagged.sum())
    return Detection(float(within / total), average, marked, both / marked if marked else float("nan"), both / total)
