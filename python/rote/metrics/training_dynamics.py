"""rote/metrics/training_dynamics.py: the scores of trajectories, for values recorded by whatever tool.

Arrays are [T, N]: T presentations or epochs in their order, N examples; NaN where an example was not shown. A recorder
comes to the same scores along training, without keeping trajectories. docs/scores.md has definitions and sources.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rote.statistics import mean_ranks

#: The share of a data map that each of its regions takes.
REGION = 1 / 3


class Forgetting(NamedTuple):
    """Toneva et al. 2019 (arXiv 1812.05159). Times are numbers of presentations before, NaN where there is none.

    Attributes:
        events: int64 [N], right at one presentation and wrong at the next.
        never_learned: bool [N], shown, and right at no presentation.
        unforgettable: bool [N], learned and without events.
        first_learned: float64 [N], the first right presentation.
        last_learned: float64 [N], the presentation from which it stays right; NaN where the last one is wrong.
        last_incorrect: float64 [N], the last wrong presentation.
    """

    events: np.ndarray
    never_learned: np.ndarray
    unforgettable: np.ndarray
    first_learned: np.ndarray
    last_learned: np.ndarray
    last_incorrect: np.ndarray


def forgetting(correct: np.ndarray) -> Forgetting:
    """Forgetting of examples from whether they were right.

    Args:
        correct: [T, N] of 0 and 1 (or bool), NaN where an example was not shown: such a time is no presentation.

    Raises:
        ValueError: another shape, or other values.
    """
    correct = _trajectories(correct, "correct")
    if not np.isin(correct[~np.isnan(correct)], (0, 1)).all():
        raise ValueError("correct: wanted 0, 1 or NaN")
    columns = [_history(column[~np.isnan(column)] == 1) for column in correct.T]
    events, never, unforgettable, first, last, wrong = zip(*columns, strict=True) if columns else [()] * 6
    return Forgetting(
        np.array(events, dtype=np.int64),
        np.array(never, dtype=bool),
        np.array(unforgettable, dtype=bool),
        *(np.array(times, dtype=np.float64) for times in (first, last, wrong)),
    )


def with_never_learned_as(events: np.ndarray, never_learned: np.ndarray, value: float | np.ndarray) -> np.ndarray:
    """float64 [N], forgetting events for a ranking in which examples never learned stand at `value`.

    Toneva et al.'s code gives them the number of epochs, others infinity or 1000; counts of several runs are then
    summed. Here they are counted as they are, and flagged.

    Args:
        events: int64 [N], as `forgetting` counts them.
        never_learned: bool [N].
        value: where those stand.
    """
    return np.where(never_learned, value, np.asarray(events, dtype=np.float64))


def area_under_margin(margin: np.ndarray) -> np.ndarray:
    """float64 [N], AUM (Pleiss et al. 2020): the mean of the margins [T, N] over all updates an example was in."""
    return _mean(_trajectories(margin, "margin"))


class Cartography(NamedTuple):
    """A data map (Swayamdipta et al. 2020, arXiv 2009.10795).

    Attributes:
        confidence: float64 [N], mean p of the label over epochs.
        variability: float64 [N], its standard deviation (population).
        correctness: float64 [N], share of the epochs with the right answer; NaN where that is not known.
    """

    confidence: np.ndarray
    variability: np.ndarray
    correctness: np.ndarray

    @property
    def threshold_closeness(self) -> np.ndarray:
        """float64 [N], confidence x (1 - confidence)."""
        return self.confidence * (1 - self.confidence)


def cartography(p_true: np.ndarray, correct: np.ndarray | None = None, *, bias_corrected: bool = False) -> Cartography:
    """The data map of examples.

    Args:
        p_true: [T, N], p of the label.
        correct: [T, N] of 0 and 1, or None.
        bias_corrected: variability as sqrt(v + v^2 / (n - 1)), v the population variance over n epochs, as the authors'
            code offers; NaN for a single epoch.

    Raises:
        ValueError: shapes that differ.
    """
    p_true = _trajectories(p_true, "p_true")
    confidence = _mean(p_true)
    variance = _mean((p_true - confidence) ** 2)
    if bias_corrected:
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = variance + variance**2 / ((~np.isnan(p_true)).sum(0) - 1)
    correctness = np.full(len(confidence), np.nan)
    if correct is not None:
        correct = _trajectories(correct, "correct")
        if correct.shape != p_true.shape:
            raise ValueError(f"correct: wanted shape {list(p_true.shape)} like p_true, got {list(correct.shape)}")
        correctness = _mean(correct)
    return Cartography(confidence, np.sqrt(variance), correctness)


def bias_corrected_variability(variability: np.ndarray, epochs: np.ndarray | int) -> np.ndarray:
    """float64 [N], `cartography`'s corrected variability from the uncorrected one and the number of epochs."""
    variance = np.asarray(variability, dtype=np.float64) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(variance + variance**2 / (np.asarray(epochs, dtype=np.float64) - 1))


class Regions(NamedTuple):
    """bool [N] each; they may overlap."""

    easy: np.ndarray
    ambiguous: np.ndarray
    hard: np.ndarray


def regions(confidence: np.ndarray, variability: np.ndarray, share: float = REGION) -> Regions:
    """The parts of a data map: the most confident, the most variable and the least confident examples.

    Each takes round(share x M) of the M examples that have both values; of equal values the smaller id comes first.

    Args:
        confidence, variability: float64 [N]; NaN belongs nowhere.
        share: in (0, 1].

    Raises:
        ValueError: shapes that differ, or a share out of range.
    """
    confidence, variability = np.asarray(confidence, dtype=np.float64), np.asarray(variability, dtype=np.float64)
    if confidence.ndim != 1 or confidence.shape != variability.shape:
        raise ValueError(f"confidence, variability: wanted [N], got {confidence.shape} and {variability.shape}")
    if not 0 < share <= 1:
        raise ValueError(f"share: wanted a number in (0, 1], got {share}")
    known = np.flatnonzero(~np.isnan(confidence) & ~np.isnan(variability))
    size = round(share * len(known))

    def first_by(key: np.ndarray) -> np.ndarray:
        mask = np.zeros(len(confidence), dtype=bool)
        mask[known[np.argsort(key[known], kind="stable")[:size]]] = True
        return mask

    return Regions(first_by(-confidence), first_by(-variability), first_by(confidence))


class LearningOrder(NamedTuple):
    """When examples are learned.

    Attributes:
        first_learned: float64 [N], the first epoch with the right answer; NaN: none.
        learned: float64 [N], the epoch from which the answer stays right; NaN: wrong at the end.
        rank: float64 [N], rank of `learned` from 1 on, ties at their mean rank, all that are not learned last.
    """

    first_learned: np.ndarray
    learned: np.ndarray
    rank: np.ndarray


def learning_order(correct: np.ndarray, epochs: np.ndarray | None = None) -> LearningOrder:
    """The order in which examples are learned.

    Args:
        correct: [T, N] of 0 and 1, NaN where an example was not shown.
        epochs: the number of each of the T epochs; None: 1 to T.

    Raises:
        ValueError: shapes that do not fit.
    """
    correct = _trajectories(correct, "correct")
    epochs = np.arange(1, len(correct) + 1) if epochs is None else np.asarray(epochs)
    if epochs.shape != (len(correct),):
        raise ValueError(f"epochs: wanted shape ({len(correct)},), got {epochs.shape}")
    first, learned = np.full((2, correct.shape[1]), np.nan)
    running = np.zeros(correct.shape[1], dtype=bool)
    for epoch, row in zip(epochs, correct, strict=True):
        right, wrong = row == 1, row == 0
        first[right & np.isnan(first)] = epoch
        learned[right & ~running] = epoch
        running = (running | right) & ~wrong
        learned[wrong] = np.nan
    return LearningOrder(first, learned, order_ranks(learned))


def order_ranks(learned: np.ndarray) -> np.ndarray:
    """float64 [N], ranks from 1 on of times of learning; ties at their mean rank, NaN (not learned) tied at the end."""
    learned = np.asarray(learned, dtype=np.float64)
    return mean_ranks(np.where(np.isnan(learned), np.inf, learned))


def el2n(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """float64 [N], EL2N (Paul et al. 2021, arXiv 2107.07075): || softmax(logits) - onehot(labels) ||_2.

    Args:
        logits: [N, C], at one checkpoint; the score is the mean over runs.
        labels: int [N].
    """
    logits = np.asarray(logits, dtype=np.float64)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(p)), labels] -= 1
    return np.sqrt((p * p).sum(1))


def _history(right: np.ndarray) -> tuple[int, bool, bool, float, float, float]:
    hits, misses = np.flatnonzero(right), np.flatnonzero(~right)
    events = int((right[:-1] & ~right[1:]).sum())
    stays = float(misses[-1] + 1) if len(misses) else 0.0
    return (
        events,
        len(right) > 0 and len(hits) == 0,
        len(hits) > 0 and events == 0,
        float(hits[0]) if len(hits) else np.nan,
        stays if len(right) and right[-1] else np.nan,
        float(misses[-1]) if len(misses) else np.nan,
    )


def _trajectories(values: np.ndarray, name: str) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"{name}: wanted [T, N], got shape {list(values.shape)}")
    return values


def _mean(values: np.ndarray) -> np.ndarray:
    """Over the times that are not NaN; NaN where there is none."""
    shown = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(shown, values, 0.0).sum(0) / shown.sum(0)
