"""Distinct hashes counted on the disk, against numpy in memory."""

from __future__ import annotations

import numpy as np
import pytest

from rote.runs import hash_partitions
from rote.runs.hash_partitions import HashPartitions


def hashes(count: int, different: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    kinds = generator.integers(0, 2**64, different, dtype=np.uint64)
    return kinds[generator.integers(0, different, count)]


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(hash_partitions, "_BUFFER", 1000)
    monkeypatch.setattr(hash_partitions, "_PER_FILE", 1000)


@pytest.mark.parametrize("expected", [1, 900, 5000, 10**7])
def test_counts_what_numpy_counts(tmp_path, small, expected):
    values = hashes(20_000, 7000)
    partitions = HashPartitions(tmp_path, expected)
    for piece in np.array_split(values, 17):
        partitions.add(piece)
    assert partitions.distinct() == len(np.unique(values))
    assert sum(path.stat().st_size for path in partitions.files) == 8 * len(values)
    assert sorted(np.concatenate([np.fromfile(path, "<u8") for path in partitions.files])) == sorted(values)
    partitions.remove()
    assert not list(tmp_path.iterdir())


def test_the_largest_and_smallest_hash(tmp_path, small):
    partitions = HashPartitions(tmp_path, 10**6)
    partitions.add(np.array([0, 2**64 - 1, 0, 2**63, 2**64 - 1], dtype=np.uint64))
    assert partitions.distinct() == 3


def test_goes_back_to_a_sync(tmp_path, small):
    values = hashes(9000, 3000)
    partitions = HashPartitions(tmp_path, 9000)
    partitions.add(values[:4000])
    lengths = partitions.sync()
    partitions.add(values[4000:8000])  # what a killed process wrote after it
    partitions.sync()
    again = HashPartitions(tmp_path, 9000)
    again.restore(lengths)
    again.add(values[4000:])
    assert again.distinct() == len(np.unique(values))
    assert sum(path.stat().st_size for path in again.files) == 8 * len(values)


def test_an_empty_count(tmp_path):
    assert HashPartitions(tmp_path, 0).distinct() == 0


def test_bad_arguments(tmp_path, small):
    partitions = HashPartitions(tmp_path, 5000)
    with pytest.raises(ValueError, match="uint64"):
        partitions.add(np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match="files"):
        partitions.restore([0])
    with pytest.raises(ValueError, match="must hold 5 hashes"):
        partitions.restore([5] * len(partitions.files))
