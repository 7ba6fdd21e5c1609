"""More than ten thousand random searches: every executor gives the exact answer, and all of them the same bits."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from . import knn_oracle
from .knn_executors import LEVELS, PATHS, Found, definition, same_bits, search
from .knn_problems import INTEGERS, REALS, Problem

#: Problems of one run, and how many of them a test takes. ROTE_KNN_PROBLEMS asks for more.
PROBLEMS = int(os.environ.get("ROTE_KNN_PROBLEMS", "1800"))
BLOCKS = 20
THREADS = (1, 1, 1, 1, 1, 1, 2, 3, 7)


@dataclasses.dataclass(frozen=True)
class Call:
    """How one search is made; `batch` is the number of queries given at a time."""

    level: str
    path: str
    threads: int
    batch: int
    values: torch.dtype


def calls_of(problem: Problem) -> Iterator[Call]:
    """Every level with every path, then two searches in batches."""
    rng = np.random.default_rng([problem.number, 4])

    def call(level: str, path: str, batch: int) -> Call:
        values = torch.float64 if rng.random() < 0.5 else torch.float32
        return Call(level, path, THREADS[rng.integers(len(THREADS))], batch, values)

    for level in LEVELS:
        for path in PATHS:
            yield call(level, path, problem.rows)
    for _ in range(2):
        level, path = LEVELS[rng.integers(len(LEVELS))], PATHS[rng.integers(len(PATHS))]
        yield call(level, path, int(rng.integers(max(1, problem.rows // 8), problem.rows + 1)))


def made(call: Call, problem: Problem, queries, references, restrictions) -> Found:
    parts = []
    for begin in range(0, problem.rows, call.batch):
        batch = slice(begin, begin + call.batch)
        given = {n: v[batch] if n in ("exclude", "query_groups") else v for n, v in restrictions.items()}
        parts.append(search(queries[batch], references, problem.k, problem.metric, level=call.level, path=call.path,
                            threads=call.threads, values=call.values, **given))  # fmt: skip
    return Found(torch.cat([p.values for p in parts]), torch.cat([p.indices for p in parts]), parts[0].stats)


def wanted_from_integers(problem: Problem, queries, references, restrictions) -> dict[torch.dtype, Found]:
    keys = knn_oracle.integer_keys(*problem.arrays(), problem.metric)
    if problem.metric != "cosine":
        keys = keys * problem.scale**2 * problem.query_scale
    admissible, finite = problem.admissible(references, restrictions), queries.isfinite().all(1).numpy()
    keys, indices = knn_oracle.nearest(keys, admissible, finite, problem.k)
    distances = knn_oracle.distances_of(keys, problem.metric)
    found = torch.from_numpy(indices)
    return {
        torch.float64: Found(torch.from_numpy(keys), found, {}),
        torch.float32: Found(torch.from_numpy(distances), found, {}),
    }


def wanted_from_reals(problem: Problem, queries, references, restrictions) -> dict[torch.dtype, Found]:
    """The definition's bits, after one row of them was compared with correctly rounded sums."""
    wanted = {
        values: definition(queries, references, problem.k, problem.metric, values=values, **restrictions)
        for values in (torch.float32, torch.float64)
    }
    finite = queries.isfinite().all(1)
    if finite.any():
        row = int(finite.nonzero()[problem.number % int(finite.sum())])
        distances, indices = (tensor[row].numpy() for tensor in wanted[torch.float32][:2])
        pair = queries[row].double().numpy(), references.double().numpy()
        admissible = problem.admissible(references, restrictions)[row]
        faults = list(knn_oracle.faults(*pair, problem.metric, admissible, distances, indices))
        assert not faults, f"{faults[0]} for query {row} of {problem}"
    return wanted


def equal_values(found: Found, wanted: Found) -> bool:
    """Equal as numbers: the oracle has no opinion on the sign of zero."""
    return torch.equal(found.indices, wanted.indices) and torch.equal(
        found.values.nan_to_num(nan=7.5e300), wanted.values.nan_to_num(nan=7.5e300)
    )


def check(problem: Problem) -> int:
    """Every call of a problem; returns how many there were."""
    tensors = problem.tensors()
    wanted = (wanted_from_integers if problem.is_integer else wanted_from_reals)(problem, *tensors)
    first: dict[torch.dtype, Found] = {}
    calls = list(calls_of(problem))
    for call in calls:
        try:
            found = made(call, problem, *tensors)
        except Exception as error:
            raise AssertionError(f"{call} raised for {problem}") from error
        assert equal_values(found, wanted[call.values]), f"{call} is wrong for {problem}"
        assert same_bits(found, first.setdefault(call.values, found)), f"{call} has bits of its own for {problem}"
    return len(calls)


@pytest.fixture(autouse=True)
def threads_restored() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_searches(block: int):
    numbers = range(block, PROBLEMS, BLOCKS)
    calls = sum(check(Problem.draw(number)) for number in numbers)
    assert calls >= 10_000 / BLOCKS


def test_the_problems_cover_what_they_should():
    """Every kind of data, dtype, metric, layout and restriction, alone and together, in every run."""
    problems = [Problem.draw(number) for number in range(PROBLEMS)]
    assert {p.data for p in problems} == {*INTEGERS, *REALS}
    assert len({(p.metric, p.dtype, p.data) for p in problems}) == 4 * 4 * 10
    assert len({(p.layouts, p.dtype) for p in problems}) == 6 * 7 * 4
    assert len({(p.exclude, p.groups > 0, p.mask, p.spoiled[0] > 0, p.spoiled[1] > 0) for p in problems}) >= 80
    assert sum(p.dim % 2 and p.rows % 6 and p.count % 16 for p in problems) > PROBLEMS / 4
    assert sum(p.k == p.count for p in problems) > PROBLEMS / 10
    assert sum(p.count > 2048 for p in problems) > 30
    assert sum(p.rows > 256 for p in problems) > 30
    assert sum(p.own_rows == "all" for p in problems) > PROBLEMS / 8
    assert sum(p.query_scale != 1 for p in problems) > 30


class TestTheOracleItself:
    """It must see what it is there to see."""

    QUERY = np.array([1.0, 2.0, 2.0])
    REFERENCES = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 2.0], [9.0, 9.0, 9.0], [1.0, 2.0, 4.0]])
    ALL = np.ones(4, dtype=bool)

    def faults(self, distances, indices, admissible=ALL, metric="sqeuclidean") -> list[str]:
        arguments = np.array(distances, np.float32), np.array(indices)
        return list(knn_oracle.faults(self.QUERY, self.REFERENCES, metric, admissible, *arguments))

    def test_right(self):
        assert not self.faults([0, 1, 4], [1, 0, 3])
        assert not self.faults([0, 1, 2], [1, 0, 3], metric="l2")
        assert not self.faults([0, np.nextafter(np.float32(1), np.float32(2))], [1, 0])
        assert not self.faults([45, 13, 11, 9], [2, 3, 0, 1], metric="ip")
        assert not self.faults([0, np.inf], [1, -1], admissible=np.array([False, True, False, False]))

    @pytest.mark.parametrize(
        ("distances", "indices", "fault"),
        [
            ([1, 0], [0, 1], "out of order"),
            ([0, 4], [1, 3], "nearer reference was left out"),
            ([0, 0], [1, 1], "twice"),
            ([0, 1 + 2**-22], [1, 0], "ulp"),
            ([0, np.inf], [1, -1], "tail"),
        ],
    )
    def test_wrong(self, distances, indices, fault):
        assert fault in self.faults(distances, indices)[0]

    def test_not_admissible(self):
        assert "not admissible" in self.faults([0], [1], admissible=np.array([True, False, True, True]))[0]
