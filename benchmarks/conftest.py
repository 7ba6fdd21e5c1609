"""The `race` fixture: ours and its peers, interleaved round by round in one process.

pytest-benchmark times ours; before each of its rounds every peer runs once, timed on its own. A neighbour that steals
the machine for a while then hits all contenders alike, and the quoted ratios stay meaningful.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import pytest
import torch

from benchmarks.machine import describe_machine


def pytest_addoption(parser):
    parser.addoption("--rounds", type=int, default=7, help="rounds per case (each runs every contender once)")
    parser.addoption("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.addoption("--quick", action="store_true", help="small shapes: checks that the benchmarks run")


@pytest.fixture
def device(request) -> str:
    return request.config.getoption("--device")


@pytest.fixture
def quick(request) -> bool:
    return request.config.getoption("--quick")


@pytest.fixture
def race(request, benchmark, device):
    """race(ours, peers, work=..., unit=...): times `ours()` and each `peers[name]()`; records medians and ratios."""

    def run(ours: Callable[[], object], peers: dict[str, Callable[[], object]], *, work: float, unit: str) -> None:
        rounds = 2 if request.config.getoption("--quick") else request.config.getoption("--rounds")
        times: dict[str, list[float]] = {name: [] for name in peers}

        def synchronized(call):
            result = call()
            if device == "cuda":
                torch.cuda.synchronize()
            return result

        def run_peers():
            for name, call in peers.items():
                begin = time.perf_counter()
                synchronized(call)
                times[name].append(time.perf_counter() - begin)

        for call in (ours, *peers.values()):  # warm up: page faults, thread pools, compilation
            synchronized(call)
        benchmark.pedantic(lambda: synchronized(ours), setup=run_peers, rounds=rounds, iterations=1)
        median = benchmark.stats.stats.median
        benchmark.extra_info.update(
            unit=unit,
            rate=work / median,
            device=device,
            peers={
                name: {
                    "median": statistics.median(values),
                    "rate": work / statistics.median(values),
                    "speedup": statistics.median(values) / median,
                }
                for name, values in times.items()
            },
        )

    return run


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info.clear()
    machine_info.update(describe_machine(), ci=bool(os.environ.get("CI")))
