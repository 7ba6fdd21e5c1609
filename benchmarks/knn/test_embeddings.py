"""Leave-one-out neighbours among the embeddings of a trained encoder, the probe's own work.

`--embeddings FILE.npz or RUN` (or ROTE_BENCH_EMBEDDINGS) gives the real ones; see benchmarks/knn/embeddings.py.
"""

from __future__ import annotations

import pytest

from benchmarks.knn.embeddings import load_embeddings

COUNT, DIM, K = 50_000, 512, 20


@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize(
    "rows", [pytest.param(10_000, id="10k"), pytest.param(COUNT, id="all", marks=pytest.mark.full)]
)
def test_embeddings(knn_race, request, quick, rows, metric):
    rows, count, dim = (rows // 100, 2000, 64) if quick else (rows, COUNT, DIM)
    references, source = load_embeddings(request.config.getoption("--embeddings"), count, dim)
    rows = min(rows, len(references))
    case = f"{metric}: leave-one-out, {rows} of {len(references)}, d = {references.shape[1]}, k = {K}, {source}"
    knn_race(references[:rows], references, K, metric, case=case, leave_one_out=True)
