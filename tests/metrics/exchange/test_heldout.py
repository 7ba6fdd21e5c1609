"""Feldman and Zhang's files: written by another hand, round trips, and what is wrong with bad ones."""

from __future__ import annotations

import numpy as np
import pytest

from rote.metrics import memorization_scores
from rote.metrics.exchange import (
    ExchangeError,
    read_heldout_estimates,
    read_heldout_runs,
    write_heldout_estimates,
    write_heldout_run,
)


@pytest.fixture
def runs():
    """(included [10, 10], correct [10, 10], correct on test [10, 4]); every example is left out by three runs."""
    rng = np.random.default_rng(3)
    included = (np.arange(10) + 3 * np.arange(10)[:, None]) % 10 < 7
    return included, rng.random((10, 10)) < np.where(included, 0.9, 0.4), rng.random((10, 4)) < 0.5


def save(folder, included, correct, test, rng, *, integers=False):
    """A run as the authors describe it: subsets in any order, each evaluated in an order of its own."""
    folder.mkdir(parents=True)
    inside, outside, asked = (rng.permutation(ids) for ids in (np.where(included)[0], np.where(~included)[0], range(4)))
    kind = np.int64 if integers else bool
    np.savez(
        folder / "aux_arrays.npz",
        subsample_idx=rng.permutation(inside),
        index_train=inside,
        correctness_train=correct[inside].astype(kind),
        index_removed=outside,
        correctness_removed=correct[outside].astype(kind),
        index_test=asked,
        correctness_test=test[asked].astype(kind),
    )


@pytest.mark.parametrize("integers", [False, True])
def test_the_authors_files_are_read(tmp_path, runs, integers):
    rng = np.random.default_rng(4)
    for number, row in enumerate(zip(*runs, strict=True), 3):
        save(tmp_path / "cifar10-inception" / "0.7" / str(number), *row, rng, integers=integers)
    found = read_heldout_runs(tmp_path / "cifar10-inception")
    assert found.names == tuple(f"0.7/{number}" for number in range(3, 13))  # 10 after 9
    for mine, theirs in zip((found.included, found.correct, found.correct_test), runs, strict=True):
        assert mine.dtype == bool
        np.testing.assert_array_equal(mine, theirs)
    one = read_heldout_runs(tmp_path / "cifar10-inception" / "0.7" / "4")
    np.testing.assert_array_equal(one.correct, runs[1][1:2])


def test_runs_come_back_and_score_alike(tmp_path, runs):
    for number, row in enumerate(zip(*runs, strict=True)):
        path = write_heldout_run(tmp_path / "0.7" / str(number), *row)
        with np.load(path) as file:
            names = ("train", "removed", "test")
            expected = {"subsample_idx", *(f"{kind}_{n}" for n in names for kind in ("index", "correctness"))}
            assert set(file.files) == expected
            assert set(file["index_train"]) | set(file["index_removed"]) == set(range(10))
    found = read_heldout_runs(tmp_path)
    np.testing.assert_array_equal(found.included, runs[0])
    ours = memorization_scores(found.correct, found.included)
    np.testing.assert_array_equal(ours.score, memorization_scores(runs[1], runs[0]).score)


def test_runs_without_test_examples(tmp_path, runs):
    write_heldout_run(tmp_path / "0", runs[0][0], runs[1][0])
    assert read_heldout_runs(tmp_path).correct_test.shape == (1, 0)


def estimate(included, correct, test):
    """The authors' estimator: masked means with a floor under the denominators, in float32."""

    def mean(x, mask):
        return ((x * mask).sum(0) / np.maximum(mask.sum(0), 1e-10)).astype(np.float32)

    def dot(x, mask):
        return (x.T.astype(np.float32) @ mask / np.maximum(mask.sum(0, keepdims=True), 1e-10)).astype(np.float32)

    return mean(correct, included) - mean(correct, ~included), dot(test, included) - dot(test, ~included)


def test_estimates_under_either_name(tmp_path, runs):
    memorization, influence = estimate(*runs)
    np.savez(tmp_path / "infl_mem.npz", memorization=memorization, influence=influence)
    found = read_heldout_estimates(tmp_path)
    np.testing.assert_array_equal(found.memorization, memorization)
    np.testing.assert_array_equal(found.influence, influence)
    assert found.influence.shape == (4, 10)
    np.savez(tmp_path / "published.npz", tr_mem=memorization, infl=influence, tr_labels=np.arange(10))
    again = read_heldout_estimates(tmp_path / "published.npz")
    np.testing.assert_array_equal(again.memorization, memorization)
    np.testing.assert_array_equal(again.influence, influence)
    ours = memorization_scores(runs[1], runs[0]).score
    np.testing.assert_allclose(memorization, ours, atol=1e-6)
    path = write_heldout_estimates(tmp_path / "ours", ours)
    assert path.name == "infl_mem.npz"
    back = read_heldout_estimates(tmp_path / "ours")
    assert back.influence is None
    np.testing.assert_array_equal(back.memorization, ours.astype(np.float32))
    with np.load(write_heldout_estimates(tmp_path / "both.npz", memorization, influence)) as file:
        assert set(file.files) == {"memorization", "influence"}


BAD_RUNS = [
    (lambda a: a.pop("index_removed"), "wanted both index_removed and correctness_removed"),
    (lambda a: [a.pop("index_removed"), a.pop("correctness_removed")], "wanted the parts train and removed"),
    (lambda a: a.update(index_train=a["index_train"] + 1), "indices of training examples must be 0 to 9, each once"),
    (lambda a: a.update(index_test=a["index_test"] * 0), "indices of test examples must be 0 to 3, each once"),
    (lambda a: a.update(correctness_train=a["correctness_train"][1:]), "wanted index_train int"),
    (lambda a: a.update(correctness_test=np.full(4, 0.5)), "wanted 0 and 1 in correctness_test"),
    (lambda a: a.update(subsample_idx=a["subsample_idx"][1:]), "subsample_idx and index_train must name the same"),
]


@pytest.mark.parametrize(("change", "message"), BAD_RUNS, ids=[message for _, message in BAD_RUNS])
def test_bad_runs_are_named(tmp_path, runs, change, message):
    path = write_heldout_run(tmp_path / "0", runs[0][0], runs[1][0], runs[2][0])
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(ExchangeError, match=message):
        read_heldout_runs(tmp_path)


def test_other_bad_files_are_named(tmp_path, runs):
    with pytest.raises(FileNotFoundError):
        read_heldout_runs(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_heldout_estimates(tmp_path)
    write_heldout_run(tmp_path / "0", runs[0][0], runs[1][0])
    write_heldout_run(tmp_path / "1", runs[0][1][:9], runs[1][1][:9])
    with pytest.raises(ExchangeError, match=r"wanted 10 training examples as in .*0/aux_arrays.npz, got 9"):
        read_heldout_runs(tmp_path)
    (tmp_path / "1" / "aux_arrays.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ExchangeError, match="not an npz file of plain arrays"):
        read_heldout_runs(tmp_path)
    np.savez(tmp_path / "pickled.npz", memorization=np.array([{}], dtype=object))
    with pytest.raises(ExchangeError, match="not an npz file of plain arrays"):  # a pickle is never loaded
        read_heldout_estimates(tmp_path / "pickled.npz")
    np.savez(tmp_path / "other.npz", mem=np.zeros(3))
    with pytest.raises(ExchangeError, match="wanted the key memorization or tr_mem; has mem"):
        read_heldout_estimates(tmp_path / "other.npz")
    np.savez(tmp_path / "shapes.npz", tr_mem=np.zeros(3), infl=np.zeros((3, 4)))
    with pytest.raises(ExchangeError, match=r"influence float \[M, N\]"):
        read_heldout_estimates(tmp_path / "shapes.npz")
    with pytest.raises(ValueError, match="included and correct must be bool"):
        write_heldout_run(tmp_path / "2", runs[0][0], runs[1][0][:4])
    with pytest.raises(ValueError, match="at least one example"):
        write_heldout_run(tmp_path / "2", np.zeros(3, dtype=bool), np.zeros(3, dtype=bool))
    with pytest.raises(ValueError, match="memorization must be float"):
        write_heldout_estimates(tmp_path, np.zeros((2, 2)))
