"""The shapes of the bar on Gaussian rows: few and many queries, narrow and wide rows, small and large k.

Short names serve `-k` (`rote bench -k d512-k20`); `-k reduced` is the same on a fifth of the queries.
"""

from __future__ import annotations

import pytest

from benchmarks.knn.datasets import queries_and_references

# queries, references, width, k, metric
CASES = {
    "10k-50k-d512-k20": (10_000, 50_000, 512, 20, "l2"),
    "10k-50k-d128-k20": (10_000, 50_000, 128, 20, "l2"),
    "10k-50k-d512-k200": (10_000, 50_000, 512, 200, "l2"),
    "10k-50k-d64-k10": (10_000, 50_000, 64, 10, "l2"),
    "10k-50k-d2048-k20": (10_000, 50_000, 2048, 20, "l2"),
    "10k-50k-d512-k20-cosine": (10_000, 50_000, 512, 20, "cosine"),
    "10k-50k-d512-k20-ip": (10_000, 50_000, 512, 20, "ip"),
    "1-1M-d128-k20": (1, 1_000_000, 128, 20, "l2"),
    "100-1M-d128-k20": (100, 1_000_000, 128, 20, "l2"),
}
REDUCED = {
    f"reduced-{name.replace('10k', '2k')}": (2000, *shape[1:]) for name, shape in CASES.items() if shape[0] == 10_000
}


def words(rows: int, count: int, dim: int, k: int, metric: str) -> str:
    """How a table names a shape."""
    short = {1_000_000: "1M", 50_000: "50k", 10_000: "10k", 2000: "2k"}
    return f"{metric}: {short.get(rows, rows)} x {short.get(count, count)}, d = {dim}, k = {k}"


@pytest.mark.parametrize("case", {**CASES, **REDUCED})
def test_gaussian(knn_race, quick, case):
    rows, count, dim, k, metric = {**CASES, **REDUCED}[case]
    if quick:
        rows, count, dim = min(rows, 50), min(count // 50, 2000), min(dim, 256)
    queries, references = queries_and_references("Gaussian", rows, count, dim)
    knn_race(queries, references, k, metric, case=words(rows, count, dim, k, metric))
