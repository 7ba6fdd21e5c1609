"""Leave-one-out neighbours among the embeddings of a trained encoder, the probe's own work.

`--embeddings FILE.npz or RUN` (or ROTE_BENCH_EMBEDDINGS) gives the real ones; see benchmarks/knn/embeddings.py.
"""

from __future__ import annotations

import pytest

from benchmarks.knn.embeddings import load_embeddings

COUNT, DIM, K = 50_000, 512, 20
QUERIES = {"all": COUNT, "10k": 10_000}


@pytest.mark.parametrize("metric", ["l2", "cosine"])
@pytest.mark.parametrize("queries", QUERIES)
def test_embeddings(knn_race, request, quick, queries, metric):
    count, dim = (2000, 64) if quick else (COUNT, DIM)
    references, source = load_embeddings(request.config.getoption("--embeddings"), count, dim)
    rows = min(len(references), QUERIES[queries]) if not quick else {"all": count, "10k": 100}[queries]
    case = f"{metric}: leave-one-out, {rows} of {len(references)}, d = {references.shape[1]}, k = {K}, {source}"
    knn_race(references[:rows], references, K, metric, case=case, leave_one_out=True)
