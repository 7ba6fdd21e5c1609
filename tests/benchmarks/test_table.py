"""Rows and tables from pytest-benchmark's files."""

from __future__ import annotations

import json

import pytest
from benchmarks.table import markdown, read_rows

MACHINE = {
    "cpu": "C",
    "threads": 2,
    "simd_level": "avx2",
    "gpu": None,
    "torch": "2",
    "commit": "abc",
    "peers": {"p": "1"},
}


def write(path, name, seconds, **machine):
    share = {"peak": "fma", "level": "auto", "rate": 2e11, "share": 0.75}
    sixteen = [{"peak": kind, "level": "auto", "rate": rate, "share": 0.5} for kind, rate in (("madd", 3e11), ("x", 1))]
    extra = {
        "unit": "GFLOP/s",
        "rate": 150.0,
        "shares": [share, *sixteen],
        "notes": ["rows settled by int16 99.00%"],
        "peers": {"faiss-cpu": {"median": 3 * seconds, "rate": 50.0, "recall": 0.9999, "speedup": 3.0}},
        "also": {"Index": {"median": seconds / 2, "rate": 300.0, "shares": [], "notes": []}},
    }
    stats = {"median": seconds, "iqr": 0.0, "rounds": 3}
    entry = {"param": name, "name": "n", "fullname": f"benchmarks/knn/t.py::t[{name}]", "group": None, "stats": stats}
    data = {
        "machine_info": {**MACHINE, **machine},
        "datetime": "2026-01-02T00:00",
        "benchmarks": [{**entry, "extra_info": extra}],
    }
    path.write_text(json.dumps(data))
    return path


def test_pieces_join_and_keep_the_best_peaks(tmp_path):
    first = write(tmp_path / "a.json", "a", 2.0, peaks={"avx2 fma": 1e9, "avx2 read": 5e9})
    second = write(tmp_path / "b.json", "b", 4.0, peaks={"avx2 fma": 2e9, "avx2 read": 4e9})
    machine, rows = read_rows([first, second])
    assert [row["case"] for row in rows] == ["a", "b"]
    assert machine["peaks"] == {"avx2 fma": 2e9, "avx2 read": 5e9}


def test_pieces_of_other_machines_are_refused(tmp_path):
    first = write(tmp_path / "a.json", "a", 2.0)
    with pytest.raises(ValueError, match=r"wanted commit 'abc' as in .*a\.json, got 'def'"):
        read_rows([first, write(tmp_path / "b.json", "b", 2.0, commit="def")])


def test_markdown_shows_ratios_shares_and_recall(tmp_path):
    machine, rows = read_rows([write(tmp_path / "a.json", "a", 2.0)])
    table = markdown(machine, rows).splitlines()
    assert table[2] == (
        "| a | 150 GFLOP/s | 75% of FMA peak, 50% of vpmaddwd + vpaddd peak | faiss-cpu 3.00x (recall 0.9999) | "
        "rows settled by int16 99.00% |"
    )
    assert table[3].startswith("| a: Index | 300 GFLOP/s |  | faiss-cpu 6.00x (recall 0.9999) |")
