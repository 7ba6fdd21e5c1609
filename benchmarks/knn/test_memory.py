"""Memory beyond inputs and outputs of one-shot `rote.knn`; the limit is a contract, so exceeding it fails."""

from __future__ import annotations

import os

import pytest
import torch

from benchmarks.knn.memory import CLEAR, measured_apart

LIMIT = 128 * 2**20  # bytes, for any N, Q, d and k <= 256

# queries, references, width, k, metric, dtype, kind of data
CASES = {
    "10k-50k-d512-k20": (10_000, 50_000, 512, 20, "l2", "float32", "Gaussian"),
    "10k-50k-d512-k20-cosine": (10_000, 50_000, 512, 20, "cosine", "float32", "Gaussian"),
    "10k-50k-d512-k256": (10_000, 50_000, 512, 256, "l2", "float32", "Gaussian"),
    "2k-50k-d2048-k256": (2000, 50_000, 2048, 256, "l2", "float32", "Gaussian"),
    "1-1M-d128-k20": (1, 1_000_000, 128, 20, "l2", "float32", "Gaussian"),
    "100-1M-d128-k256": (100, 1_000_000, 128, 256, "l2", "float32", "Gaussian"),
    "100k-10k-d64-k256": (100_000, 10_000, 64, 256, "l2", "float32", "Gaussian"),
    "500-5k-d16384-k20": (500, 5000, 16_384, 20, "l2", "float32", "Gaussian"),
    "2k-50k-d512-k20-float64": (2000, 50_000, 512, 20, "l2", "float64", "Gaussian"),
    "2k-50k-d512-k20-bfloat16": (2000, 50_000, 512, 20, "l2", "bfloat16", "Gaussian"),
    "2k-50k-d512-k256-duplicates": (2000, 50_000, 512, 256, "l2", "float32", "5,000 duplicates"),
    "2k-50k-d512-k20-lognormal": (2000, 50_000, 512, 20, "l2", "float32", "lognormal norms"),
}


@pytest.mark.parametrize("case", CASES)
def test_extra_memory(benchmark, device, quick, case):
    if device != "cpu":
        pytest.skip("resident memory is the CPU's; device workspace is a function of the shapes")
    if not os.access(CLEAR, os.W_OK):
        pytest.skip(f"{CLEAR} cannot be written here, so the peak cannot be reset")
    rows, count, dim, k, metric, dtype, kind = CASES[case]
    if quick and case not in list(CASES)[:3]:
        pytest.skip("a process of its own for every case takes a while")
    if quick:
        rows, count = min(rows, 100), min(count, 2000)
    threads = torch.get_num_threads()
    measured = benchmark.pedantic(
        lambda: measured_apart(rows, count, dim, k, metric=metric, dtype=dtype, kind=kind, threads=threads),
        rounds=1,
        iterations=1,
    )
    extra = measured["extra_bytes"]
    benchmark.extra_info.update(
        case=f"extra memory, {metric}: {rows} x {count}, d = {dim}, k = {k}, {dtype}, {kind}",
        unit="MiB",
        rate=extra / 2**20,
        device=device,
        peers={},
        notes=[f"{extra / LIMIT:.0%} of the 128 MiB allowed", f"outputs {measured['output_bytes'] / 2**20:.0f} MiB"],
        **measured,
    )
    assert extra <= LIMIT, f"{case}: {extra / 2**20:.0f} MiB beyond inputs and outputs; allowed are 128"
