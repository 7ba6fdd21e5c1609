"""The shapes of the bar on Gaussian rows: few and many queries, narrow and wide rows, small and large k.

Short names serve `-k` (`rote bench --full -k 10k-50k-d512-k20`). Without `--full`, 10,000 queries become 2,000.
"""

from __future__ import annotations

import pytest

from benchmarks.knn.datasets import queries_and_references

# references, width, k, metric; each with 2,000 and 10,000 queries
SHAPES = {
    "50k-d512-k20": (50_000, 512, 20, "l2"),
    "50k-d128-k20": (50_000, 128, 20, "l2"),
    "50k-d512-k200": (50_000, 512, 200, "l2"),
    "50k-d64-k10": (50_000, 64, 10, "l2"),
    "50k-d2048-k20": (50_000, 2048, 20, "l2"),
    "50k-d512-k20-cosine": (50_000, 512, 20, "cosine"),
    "50k-d512-k20-ip": (50_000, 512, 20, "ip"),
}
CASES = [
    *(pytest.param(2000, *shape, id=f"2k-{name}") for name, shape in SHAPES.items()),
    *(pytest.param(10_000, *shape, id=f"10k-{name}", marks=pytest.mark.full) for name, shape in SHAPES.items()),
    pytest.param(1, 1_000_000, 128, 20, "l2", id="1-1M-d128-k20"),
    pytest.param(16, 1_000_000, 128, 20, "l2", id="16-1M-d128-k20"),
    pytest.param(100, 1_000_000, 128, 20, "l2", id="100-1M-d128-k20"),
]


def words(rows: int, count: int, dim: int, k: int, metric: str) -> str:
    """How a table names a shape."""
    short = {1_000_000: "1M", 50_000: "50k", 10_000: "10k", 2000: "2k"}
    return f"{metric}: {short.get(rows, rows)} x {short.get(count, count)}, d = {dim}, k = {k}"


@pytest.mark.parametrize(("rows", "count", "dim", "k", "metric"), CASES)
def test_gaussian(knn_race, quick, rows, count, dim, k, metric):
    if quick:
        rows, count, dim = min(rows, 100), min(count // 50, 2000), min(dim, 256)
    queries, references = queries_and_references("Gaussian", rows, count, dim)
    knn_race(queries, references, k, metric, case=words(rows, count, dim, k, metric))
