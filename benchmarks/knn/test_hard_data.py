"""Data that defeats a bound for all rows at once: what each kind costs, with the share certified by the first pass."""

from __future__ import annotations

import pytest

from benchmarks.knn.datasets import queries_and_references

# Name for `-k`, kind, metric.
CASES = {
    "collapsed-0.03": ("collapsed 0.03", "l2"),
    "collapsed-0.003": ("collapsed 0.003", "l2"),
    "collapsed-0.03-cosine": ("collapsed 0.03", "cosine"),
    "one-hot": ("one-hot rows", "l2"),
    "duplicates": ("5,000 duplicates", "l2"),
    "lognormal": ("lognormal norms", "l2"),
    "lognormal-ip": ("lognormal norms", "ip"),
    "outlier": ("one row 1,000 x", "l2"),
    "encoder-surrogate": ("trained encoder (surrogate)", "l2"),
}


@pytest.mark.parametrize("rows", [pytest.param(2000, id="2k"), pytest.param(10_000, id="10k", marks=pytest.mark.full)])
@pytest.mark.parametrize("case", CASES)
def test_hard_data(knn_race, quick, case, rows):
    kind, metric = CASES[case]
    rows, count, dim = (100, 2000, 64) if quick else (rows, 50_000, 512)
    queries, references = queries_and_references(kind, rows, count, dim)
    knn_race(queries, references, 20, metric, case=f"{metric}: {rows} x {count}, d = {dim}, k = 20, {kind}")
