"""Every instruction set and every first pass, forced, beside the search that chooses for itself."""

from __future__ import annotations

import pytest

import rote
from benchmarks import peaks as machine_peaks
from benchmarks.knn.datasets import queries_and_references
from benchmarks.knn.engine import certificates, forced, levels


@pytest.mark.parametrize("path", ["int16", "float32"])
@pytest.mark.parametrize("level", levels())
def test_level(race, device, quick, level, path):
    if device != "cpu":
        pytest.skip("instruction sets are the CPU's")
    rows, count, dim = (100, 2000, 64) if quick else (2000, 50_000, 512)
    queries, references = queries_and_references("Gaussian", rows, count, dim)
    work = 2.0 * rows * count * dim

    def look(name, result):
        if name:
            return {}
        stats = result[2]
        executor = stats["executor"]
        assert executor.startswith(level), f"forced {level}, but {executor} ran"
        return {"notes": certificates(stats, rows, count).notes()}

    race(
        lambda: forced(queries, references, 20, "l2", level=level, path=path),
        {"Rote's own choice": lambda: rote.knn(queries, references, 20)},
        work=work / 1e9,
        unit="GFLOP/s",
        peaks={(kind, level): work for kind in ("fma", *machine_peaks.sixteen_bit_kinds(level))},
        look=look,
        case=f"l2: {rows} x {count}, d = {dim}, k = 20, forced {level}, {path} pass",
    )
