"""Scores from bit-packed counts: against loops, and against a learner whose chances can be enumerated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from rote.metrics import packed_bits
from rote.metrics.influence import influence_pairs
from rote.metrics.memorization import Counts, count_bits, memorization_scores, scores_of


def sample(runs: int, train: int, test: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(included, correct_train, correct_test), in which some examples matter."""
    generator = np.random.default_rng(seed)
    included = generator.random((runs, train)) < 0.7
    correct = generator.random((runs, train)) < np.where(included, 0.9, 0.4)
    helped = included[:, generator.integers(0, train, test)]
    return included, correct, generator.random((runs, test)) < np.where(helped, 0.9, 0.2)


def formula(correct: np.ndarray, included: np.ndarray, floor: float = 1e-10) -> np.ndarray:
    """float64 [.., N]: mean correctness where a mask is set minus where it is not, as masked products."""
    mask, answers = included.astype(np.float64), correct.astype(np.float64)

    def masked_dot(weights: np.ndarray) -> np.ndarray:
        return answers.T @ weights / np.maximum(weights.sum(0), floor)

    return masked_dot(mask) - masked_dot(1 - mask)


@pytest.mark.parametrize(("runs", "examples"), [(1, 1), (5, 8), (7, 13), (64, 129)])
def test_bits_come_back(runs, examples):
    values = np.random.default_rng(runs).random((runs, examples)) < 0.5
    packed = packed_bits.pack(values)
    assert packed.shape == (runs, math.ceil(examples / 8))
    assert np.array_equal(packed_bits.unpack(packed, examples), values)
    assert np.array_equal(np.unpackbits(packed, axis=1, count=examples).astype(bool), values)
    assert np.array_equal(packed_bits.ones(packed), values.sum(1))


def test_wrong_bits_are_refused():
    with pytest.raises(ValueError, match=r"bool \[R, N\]"):
        packed_bits.pack(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"uint8 \[R, 2\]; got uint8 \[2, 1\]"):
        packed_bits.unpack(np.zeros((2, 1), dtype=np.uint8), 9)
    packed = packed_bits.pack(np.ones((4, 9), dtype=bool))
    with pytest.raises(ValueError, match="equally many runs"):
        count_bits(packed, packed[:3], 9)
    with pytest.raises(ValueError, match=r"runs must be bool \[4\]"):
        count_bits(packed, packed, 9, np.ones(3, dtype=bool))


def test_counts_are_those_of_loops(monkeypatch):
    monkeypatch.setattr(packed_bits, "_BLOCK", 100)  # three rows at a time
    included, correct, _ = sample(20, 30, 4)
    chosen = np.arange(20) % 5 != 0
    counts = count_bits(packed_bits.pack(correct), packed_bits.pack(included), 30, chosen)
    for i in range(30):
        inside = [bool(correct[r, i]) for r in range(20) if chosen[r] and included[r, i]]
        outside = [bool(correct[r, i]) for r in range(20) if chosen[r] and not included[r, i]]
        found = tuple(int(column[i]) for column in counts)
        assert found == (len(inside), len(outside), sum(inside), sum(outside))
    there = counts.estimable
    assert there.sum() > 20
    expected = memorization_scores(correct[chosen][:, there], included[chosen][:, there])
    assert scores_of(counts.of(there)).score == pytest.approx(expected.score)
    assert scores_of(counts.of(there)).standard_error == pytest.approx(expected.standard_error)


def test_scores_are_the_formula_of_the_papers_code():
    included, correct, _ = sample(40, 25, 4)
    counts = count_bits(packed_bits.pack(correct), packed_bits.pack(included), 25)
    assert scores_of(counts).score == pytest.approx(np.diag(formula(correct, included)), abs=1e-12)


def test_an_example_that_is_always_in_has_no_score():
    included, correct, _ = sample(12, 6, 4)
    included[:, 0], included[:, 1], included[:, 2] = True, False, np.arange(12) == 3
    counts = count_bits(packed_bits.pack(correct), packed_bits.pack(included), 6)
    assert counts.estimable.tolist()[:3] == [False, False, False]
    with pytest.raises(ValueError, match="at least two"):
        scores_of(counts)
    found = scores_of(counts.of(counts.estimable))
    assert len(found.score) == counts.estimable.sum()
    assert np.isfinite(found.standard_error).all()


def one_nearest_neighbor(points: np.ndarray, labels: np.ndarray, mask: np.ndarray, queries: np.ndarray) -> np.ndarray:
    distances = np.abs(queries[:, None] - points[mask][None])
    return labels[mask][distances.argmin(1)]


def all_subsets(n: int, size: int) -> np.ndarray:
    rows = np.zeros((math.comb(n, size), n), dtype=bool)
    for row, chosen in enumerate(itertools.combinations(range(n), size)):
        rows[row, list(chosen)] = True
    return rows


def chance_of_label(points: np.ndarray, labels: np.ndarray, query: float, wanted: int, size: int) -> float:
    """P[the nearest of `size` points drawn without replacement has a label], by counting subsets: the k-th nearest is
    the nearest drawn one if it is drawn and the k nearer ones are not."""
    order = np.argsort(np.abs(points - query), kind="stable")
    n = len(points)
    return sum(math.comb(n - k - 1, size - 1) / math.comb(n, size) for k, p in enumerate(order) if labels[p] == wanted)


def test_a_nearest_neighbor_is_scored_exactly():
    generator = np.random.default_rng(4)
    points, tests = generator.random(10), generator.random(7)
    labels, test_labels = generator.integers(0, 3, 10), generator.integers(0, 3, 7)
    included = all_subsets(10, 7)
    correct = np.stack([one_nearest_neighbor(points, labels, mask, points) == labels for mask in included])
    answers = np.stack([one_nearest_neighbor(points, labels, mask, tests) == test_labels for mask in included])
    packed = packed_bits.pack(included)
    found = scores_of(count_bits(packed_bits.pack(correct), packed, 10)).score
    pairs, opposite = influence_pairs(
        packed_bits.pack(answers), packed, test_examples=7, train_examples=10, of=np.arange(10), least=1e-9
    )
    exact = np.zeros((10, 7))
    for i in range(10):
        others = np.arange(10) != i
        # Trained on it, a nearest neighbor knows it; without it seven of the nine others are drawn.
        assert found[i] == pytest.approx(1 - chance_of_label(points[others], labels[others], points[i], labels[i], 7))
        for j in range(7):
            without = chance_of_label(points[others], labels[others], tests[j], test_labels[j], 7)
            nearer = np.abs(points[others] - tests[j]) < abs(points[i] - tests[j])
            # With it six of the others are drawn: one nearer than it decides, or it does itself.
            own = math.comb(int((~nearer).sum()), 6) / math.comb(9, 6)
            order = np.argsort(np.abs(points[others] - tests[j]))[: int(nearer.sum())]
            by_others = sum(
                math.comb(9 - k - 1, 5) / math.comb(9, 6)
                for k, p in enumerate(order)
                if labels[others][p] == test_labels[j]
            )
            exact[i, j] = by_others + own * (labels[i] == test_labels[j]) - without
    dense = np.zeros((10, 7))
    dense[pairs.train, pairs.test] = pairs.influence
    assert dense == pytest.approx(np.where(exact >= 1e-9, exact, 0.0))
    assert opposite == (exact <= -1e-9).sum()


@pytest.mark.parametrize("chunks", [(1 << 22, 4096), (40, 8)])
def test_pairs_are_the_formula_of_the_papers_code(monkeypatch, chunks):
    monkeypatch.setattr("rote.metrics.influence._PAIRS", chunks[0])
    monkeypatch.setattr("rote.metrics.influence._TRAIN", chunks[1])
    included, _, answers = sample(50, 40, 33, seed=2)
    of = np.array([3, 0, 17, 39, 21, 8, 9, 10, 11, 12, 13])
    pairs, opposite = influence_pairs(
        packed_bits.pack(answers), packed_bits.pack(included), test_examples=33, train_examples=40, of=of, least=0.2
    )
    dense = formula(answers, included)
    wanted = {(i, j) for j in range(33) for i in of if dense[j, i] >= 0.2}
    assert set(zip(pairs.train, pairs.test, strict=True)) == wanted
    assert len(wanted) == len(pairs.train) > 5
    assert opposite == (dense[:, of] <= -0.2).sum()
    assert (np.diff(pairs.influence) <= 0).all()
    for i, j, influence, error in zip(*pairs, strict=True):
        inside, outside = answers[included[:, i], j].astype(float), answers[~included[:, i], j].astype(float)
        assert influence == pytest.approx(dense[j, i])
        assert error == pytest.approx(np.sqrt(inside.var(ddof=1) / len(inside) + outside.var(ddof=1) / len(outside)))


def test_thresholds_belong_to_the_pairs():
    """Two networks with the example and two without; shares are halves, so that influences are exactly +-1/2."""
    included = np.array([[1], [1], [0], [0]], dtype=bool)
    answers = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1]], dtype=bool)
    pairs, opposite = influence_pairs(
        *(packed_bits.pack(answers), packed_bits.pack(included)),
        test_examples=3,
        train_examples=1,
        of=np.array([0]),
        least=0.5,
    )
    assert (pairs.test.tolist(), pairs.influence.tolist(), opposite) == ([0], [0.5], 1)


def test_no_pairs_and_bad_pairs():
    included, _, answers = sample(12, 9, 5)
    included[:, 4] = True
    packed, right = packed_bits.pack(included), packed_bits.pack(answers)
    sizes = {"test_examples": 5, "train_examples": 9, "least": 0.1}
    none, opposite = influence_pairs(right, packed, of=np.empty(0, dtype=int), **sizes)
    assert (len(none.train), opposite, none.influence.dtype) == (0, 0, np.float64)
    with pytest.raises(ValueError, match="at least two of the training sets"):
        influence_pairs(right, packed, of=np.array([4]), **sizes)
    with pytest.raises(ValueError, match=r"rows in \[0, 9\)"):
        influence_pairs(right, packed, of=np.array([9]), **sizes)
    with pytest.raises(ValueError, match="equally many runs"):
        influence_pairs(right[:3], packed, of=np.array([1]), **sizes)


def test_counts_can_be_cut():
    counts = Counts(*np.arange(12).reshape(4, 3))
    assert [column.tolist() for column in counts.of(np.array([2, 0]))] == [[2, 0], [5, 3], [8, 6], [11, 9]]
