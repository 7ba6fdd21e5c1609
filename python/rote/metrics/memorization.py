"""rote/metrics/memorization.py: how much of an example's label a network owes to having seen that example.

mem(i) = P[correct on i | i in the training set] - P[correct on i | i not in it], over random subsets and training
randomness (Feldman and Zhang 2020, whose subsampled estimator this is): 1 for an example that is known by heart alone,
0 for one that the others already tell, or that nothing fits.

Everything is reckoned from counts, which are exact: how many networks saw an example, and how many of those answered it
rightly. Bit-packed matrices are read a block of rows at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rote.metrics import packed_bits
from rote.metrics.split_half import pearson, stepped_up

#: Networks that an example needs on either side, inside and outside of their training sets: a standard error needs two.
FEWEST = 2
#: Networks from which a single example's score may be quoted: its standard error is about .036 then, at a share of .7,
#: and .08 with 200, which is enough to rank planted errors and no more.
SINGLE_SCORES_FROM = 1000


class Memorization(NamedTuple):
    """Scores of examples.

    Attributes:
        score: float64 [N], mem(i).
        standard_error: float64 [N], sqrt(s1^2 / n1 + s0^2 / n0), the sample variances of correctness in and out.
    """

    score: np.ndarray
    standard_error: np.ndarray


class Counts(NamedTuple):
    """What is counted of each example over R networks, int64 [N] each.

    Attributes:
        n_in: networks trained on it.
        n_out: networks that were not.
        hits_in: of those trained on it, the ones that are right about it.
        hits_out: of the others, the ones that are right.
    """

    n_in: np.ndarray
    n_out: np.ndarray
    hits_in: np.ndarray
    hits_out: np.ndarray

    @property
    def estimable(self) -> np.ndarray:
        """bool [N], which examples can be scored: at least two networks on either side.

        The others have no score at all. A floor under the denominator would give them one, and a wrong one.
        """
        return np.minimum(self.n_in, self.n_out) >= FEWEST

    def of(self, chosen: np.ndarray) -> Counts:
        """The counts of some examples."""
        return Counts(*(column[chosen] for column in self))


def count_bits(correct: np.ndarray, included: np.ndarray, examples: int, runs: np.ndarray | None = None) -> Counts:
    """Counts out of bit-packed rows; a block of rows is unpacked at a time.

    Args:
        correct: uint8 [R, ceil(N / 8)], packed: whether network r predicts the label of example i.
        included: the same of whether it was trained on it.
        examples: N.
        runs: bool [R], the networks to count; all by default.

    Raises:
        ValueError: shapes that do not fit.
    """
    for rows in (correct, included):
        packed_bits.check(rows, examples)
    if len(correct) != len(included):
        raise ValueError(f"correct and included must be of equally many runs; got {len(correct)} and {len(included)}")
    wanted = np.ones(len(correct), dtype=bool) if runs is None else np.asarray(runs, dtype=bool)
    if wanted.shape != (len(correct),):
        raise ValueError(f"runs must be bool [{len(correct)}]; got shape {list(wanted.shape)}")
    n_in, hits_in, hits = np.zeros((3, examples), dtype=np.int64)
    for block in packed_bits.blocks(len(correct), examples):
        own = wanted[block]
        seen, right = included[block][own], correct[block][own]
        n_in += packed_bits.unpack(seen, examples).sum(0)
        hits += packed_bits.unpack(right, examples).sum(0)
        hits_in += packed_bits.unpack(seen & right, examples).sum(0)
    return Counts(n_in, int(wanted.sum()) - n_in, hits_in, hits - hits_in)


def scores_of(counts: Counts) -> Memorization:
    """Scores and standard errors of counts.

    Raises:
        ValueError: an example that cannot be scored; take `counts.of(counts.estimable)`.
    """
    if not counts.estimable.all():
        raise ValueError("every example must be in at least two of the training sets, and outside of at least two")
    inside, outside = counts.hits_in / counts.n_in, counts.hits_out / counts.n_out
    # The sample variance of zeros and ones with mean p is p (1 - p) n / (n - 1).
    variance = inside * (1 - inside) / (counts.n_in - 1) + outside * (1 - outside) / (counts.n_out - 1)
    return Memorization(inside - outside, np.sqrt(variance))


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
    n_in, hits_in = included.sum(0), (correct & included).sum(0)
    return scores_of(Counts(n_in, len(correct) - n_in, hits_in, correct.sum(0) - hits_in))


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
