"""What benchmarks call exact: `Truth` must accept the right answer and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from benchmarks.knn.datasets import KINDS, queries_and_references
from benchmarks.knn.engine import certificates
from benchmarks.knn.peers import installed_peers
from benchmarks.knn.truth import Truth
from scipy.spatial.distance import cdist

ROWS, COUNT, DIM, K = 40, 700, 24, 10


def brute_force(queries, references, k, metric):
    """Indices in the order of (float64 key, index) by scipy and a stable sort."""
    theirs = {"l2": "sqeuclidean", "cosine": "cosine"}.get(metric)
    q, r = queries.double().numpy(), references.double().numpy()
    keys = -(q @ r.T) if theirs is None else cdist(q, r, theirs)
    return np.argsort(keys, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_right_answer_passes(kind, metric):
    queries, references = queries_and_references(kind, ROWS, COUNT, DIM)
    truth = Truth(queries, references, K, metric, sample=16)
    answer = brute_force(queries, references, K, metric)
    truth.check(answer)
    assert truth.recall(answer) == 1


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
def test_wrong_answers_do_not(metric):
    queries, references = queries_and_references("Gaussian", ROWS, COUNT, DIM)
    truth = Truth(queries, references, K, metric, sample=ROWS)
    longer = brute_force(queries, references, K + 1, metric)
    missing = np.delete(longer, 3, axis=1)
    assert truth.recall(missing) == pytest.approx(1 - 1 / K)
    with pytest.raises(AssertionError, match="lack a true neighbour"):
        truth.check(missing)
    swapped = longer[:, :K].copy()
    swapped[:, [2, 3]] = swapped[:, [3, 2]]
    assert truth.recall(swapped) == 1
    with pytest.raises(AssertionError, match="out of order"):
        truth.check(swapped)
    repeated = longer[:, :K].copy()
    repeated[:, 1] = repeated[:, 0]
    assert truth.recall(repeated) == pytest.approx(1 - 1 / K)
    absent = longer[:, :K].copy()
    absent[:, -1] = -1
    assert truth.recall(absent) == pytest.approx(1 - 1 / K)


def test_leave_one_out_drops_the_query_by_identity():
    references = queries_and_references("Gaussian", 1, COUNT, DIM)[1]
    references[5] = references[0]  # a duplicate: position says nothing about which of the two is the query
    queries = references[:ROWS]
    truth = Truth(queries, references, K, "l2", leave_one_out=True, sample=ROWS)
    with_own = brute_force(queries, references, K + 1, "l2")
    assert truth.recall(with_own) == 1
    keys = cdist(queries.double(), references.double(), "sqeuclidean")
    keys[np.arange(ROWS), np.arange(ROWS)] = np.inf
    without = np.argsort(keys, axis=1, kind="stable")[:, :K]
    truth.check(without)
    with pytest.raises(AssertionError):
        truth.check(with_own[:, :K])


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
def test_peers_find_nearly_everything(metric):
    queries, references = queries_and_references("Gaussian", ROWS, COUNT, DIM)
    truth = Truth(queries, references, K, metric, sample=ROWS)
    peers = installed_peers(queries, references, K, metric)
    assert "torch mm + topk" in peers
    for name, peer in peers.items():
        assert truth.recall(peer.indices(peer.call())) > 0.99, name


def test_certificates_read_the_statistics():
    stats = {"rows_int16": 90, "rows_float32": 10, "rows_float64": 0, "exact_keys": 2500, "scored_pairs": 25_000}
    found = certificates(stats | {"uncertified_rows": 0, "executor": "avx2"}, rows=100, references=500)
    assert (found.share("int16"), found.share("float64"), found.candidates, found.scored) == (0.9, 0.0, 25.0, 0.5)
    assert found.notes() == ["rows settled by int16 90.00%, float32 10.00%", "25.0 keys a row", "50.0% of pairs scored"]
    assert certificates(None, rows=4, references=5).notes() == []


def test_datasets_depend_on_their_arguments_only():
    for kind, make in KINDS.items():
        once, again, other = make(200, 16, 3), make(200, 16, 3), make(200, 16, 4)
        assert once.dtype == torch.float32
        assert once.shape == (200, 16)
        assert torch.isfinite(once).all()
        assert torch.equal(once, again), kind
        assert not torch.equal(once, other), kind
