"""rote/metrics/memorization.py: how much of an example's label a network owes to having seen that example.

mem(i) = P[correct on i | i in the training set] - P[correct on i | i not in it], over random subsets and training
randomness (Feldman and Zhang 2020, whose subsampled estimator this is): 1 for an example that is known by heart alone,
0 for one that the others already tell, or that nothing fits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rote.metrics.split_half import pearson, stepped_up


class Memorization(NamedTuple):
    """Scores of examples.

    Attributes:
        score: float64 [N], mem(i).
        standard_error: float64 [N], sqrt(s1^2 / n1 + s0^2 / n0), the sample variances of correctness in and out.
    """

    score: np.ndarray
    standard_error: np.ndarray


def memorization_scores(correct: np.ndarray, included: np.ndarray) -> Memorization:
    """Memorization of every example, from networks trained on subsets.

    Args:
        correct: bool [R, N], whether network r predicts the label of example i.
        included: bool [R, N], whether it was trained on it.

    Raises:
        ValueError: shapes that differ, or an example that fewer than two networks were trained on, or fewer than two
            were not.
    """
    correct, included = np.asarray(correct, dtype=bool), np.asarray(included, dtype=bool)
    if correct.ndim != 2 or correct.shape != included.shape:
        raise ValueError(
            f"correct and included must be bool [R, N]; got shapes {list(correct.shape)} and {list(included.shape)}"
        )
    counts = [included.sum(0), (~included).sum(0)]
    if min(int(count.min(initial=len(correct))) for count in counts) < 2:
        raise ValueError("every example must be in at least two of the training sets, and outside of at least two")
    shares = [(correct & part).sum(0) / n for part, n in zip((included, ~included), counts, strict=True)]
    # The sample variance of zeros and ones with mean p is p (1 - p) n / (n - 1).
    variances = [p * (1 - p) / (n - 1) for p, n in zip(shares, counts, strict=True)]
    return Memorization(shares[0] - shares[1], np.sqrt(variances[0] + variances[1]))


def split_half_reliability(correct: np.ndarray, included: np.ndarray, half: np.ndarray) -> float:
    """How well the scores would come out again: r of two halves of the networks, 2 r / (1 + r) for all of them.

    Pearson's correlation over examples between the scores of either half, stepped up by Spearman and Brown's formula.

    Args:
        correct: bool [R, N].
        included: bool [R, N].
        half: bool [R], which half a network belongs to.

    Returns:
        The reliability; NaN where all scores of a half are alike.

    Raises:
        ValueError: as `memorization_scores`, for each half.
    """
    half = np.asarray(half, dtype=bool)
    first, second = (memorization_scores(correct[part], included[part]).score for part in (half, ~half))
    return stepped_up(pearson(first, second))
