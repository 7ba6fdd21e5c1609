"""rote/metrics/influence.py: which training example a test example owes its right answer to.

infl(i -> j) = P[correct on test j | i in the training set] - P[correct on j | i not in it] (Feldman and Zhang 2020),
over the same networks as memorization scores. For all pairs at once this is one product of matrices of zeros and ones,
C^T M, whose entries count the networks that saw i and are right about j.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from rote.metrics import packed_bits
from rote.metrics.memorization import FEWEST

# Pairs in a chunk: five float64 matrices of 32 MB each at a time.
_PAIRS = 1 << 22
# Training examples in a chunk: its matrix of R rows is float32.
_TRAIN = 4096


class InfluencePairs(NamedTuple):
    """Pairs of high influence, the highest first; columns of one length.

    Attributes:
        train: int64, rows of the training examples.
        test: int64, rows of the test examples.
        influence: float64.
        standard_error: float64, sqrt(s1^2 / n1 + s0^2 / n0) of the test example's correctness with and without.
    """

    train: np.ndarray
    test: np.ndarray
    influence: np.ndarray
    standard_error: np.ndarray


def influence_pairs(
    correct_test: np.ndarray,
    included: np.ndarray,
    *,
    test_examples: int,
    train_examples: int,
    of: np.ndarray,
    least: float,
    device: torch.device | str = "cpu",
) -> tuple[InfluencePairs, int]:
    """The pairs whose influence is at least `least`, and the number of pairs with at most -`least`.

    An example seldom makes other answers worse (one with a wrong label may), so the second number bounds about how many
    of the first are chance.

    The product is exact: entries are whole numbers up to R < 2^24 in float32. Needed at a time: R x T + R x 4096
    float32 values, and a chunk of pairs.

    Args:
        correct_test: uint8 [R, ceil(T / 8)], packed: whether network r predicts the label of test example j.
        included: uint8 [R, ceil(N / 8)], packed: whether it was trained on example i.
        test_examples: T.
        train_examples: N.
        of: int64, rows of the training examples to look at, e.g. those with a high memorization score. Those that
            fewer than two networks saw, or did not see, are refused.
        least: threshold on the influence.
        device: where the product is taken.

    Raises:
        ValueError: shapes that do not fit, or an example that cannot be scored.
    """
    packed_bits.check(correct_test, test_examples)
    packed_bits.check(included, train_examples)
    if len(correct_test) != len(included):
        raise ValueError(
            f"correct_test and included must be of equally many runs; got {len(correct_test)} and {len(included)}"
        )
    of = np.asarray(of, dtype=np.int64)
    if len(of) and not 0 <= of.min() <= of.max() < train_examples:
        raise ValueError(f"of must be rows in [0, {train_examples}); got values from {of.min()} to {of.max()}")
    answers = torch.from_numpy(packed_bits.unpack(correct_test, test_examples).T.astype(np.float32)).to(device)
    hits = answers.double().sum(1)
    found: list[tuple[np.ndarray, ...]] = []
    opposite = 0
    for start in range(0, len(of), _TRAIN):
        rows = of[start : start + _TRAIN]
        seen = torch.from_numpy(_columns(included, rows)).to(device)
        n_in = seen.double().sum(0)
        n_out = len(included) - n_in
        if float(torch.minimum(n_in, n_out).min()) < FEWEST:
            raise ValueError("every example of `of` must be in at least two of the training sets, and outside of two")
        tests = max(1, _PAIRS // len(rows))
        for first in range(0, test_examples, tests):
            hits_in = _product(answers[first : first + tests], seen)
            inside = hits_in / n_in
            outside = (hits[first : first + tests, None] - hits_in) / n_out
            influence = inside - outside
            opposite += int((influence <= -least).sum())
            j, i = torch.nonzero(influence >= least, as_tuple=True)
            p, q = inside[j, i], outside[j, i]
            error = (p * (1 - p) / (n_in[i] - 1) + q * (1 - q) / (n_out[i] - 1)).sqrt()
            part = (rows[i.cpu().numpy()], (j + first).cpu().numpy(), influence[j, i], error)
            found.append(tuple(x.cpu().numpy() if isinstance(x, torch.Tensor) else x for x in part))
    kinds = (np.int64, np.int64, np.float64, np.float64)
    columns = [np.concatenate([part[c] for part in found] or [np.empty(0, kind)]) for c, kind in enumerate(kinds)]
    order = np.lexsort((columns[0], columns[1], -columns[2]))
    return InfluencePairs(*(column[order] for column in columns)), opposite


def _product(answers: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """float64 [T, I]: networks that are right about j and saw i. Zeros and ones are exact in TF32 as well."""
    return (answers @ seen).double()


def _columns(packed: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """float32 [R, I], the bits of some examples."""
    return ((packed[:, rows // 8] >> (7 - rows % 8).astype(np.uint8)) & 1).astype(np.float32)
