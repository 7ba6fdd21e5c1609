"""The `race` fixture: ours and its peers, interleaved round by round in one process.

pytest-benchmark times ours; before each of its rounds every peer runs once, timed on its own, and so do our other ways
to do the same work and the machine's peaks. A neighbour that steals the machine for a while then hits all of them
alike, and the quoted ratios stay meaningful.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import pytest
import torch

from benchmarks import peaks as machine_peaks
from benchmarks.machine import describe_machine
from benchmarks.table import markdown, row_of

Call = Callable[[], object]
#: The peaks that can be measured on a GPU.
ON_GPU = ("copy", "matmul")


def pytest_addoption(parser):
    parser.addoption("--rounds", type=int, default=7, help="rounds per case (each runs every contender once)")
    parser.addoption(
        "--case-seconds",
        type=float,
        default=60,
        help="aim per case: fewer rounds, though at least 2, where calls take long",
    )
    parser.addoption("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.addoption("--full", action="store_true", help="the largest sizes as well, minutes per case on a CPU")
    parser.addoption("--quick", action="store_true", help="small shapes: checks that the benchmarks run")
    parser.addoption(
        "--embeddings",
        default=os.environ.get("ROTE_BENCH_EMBEDDINGS"),
        help="embeddings of a trained encoder: .npz or run folder (benchmarks/knn/embeddings.py); default: "
        "ROTE_BENCH_EMBEDDINGS, else a surrogate",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes minutes on a CPU; runs with --full, --quick or on a GPU")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--full") or config.getoption("--quick") or config.getoption("--device") != "cpu":
        return
    full = [item for item in items if item.get_closest_marker("full")]
    if full:
        config.hook.pytest_deselected(items=full)
        items[:] = [item for item in items if item not in full]


@pytest.fixture
def device(request) -> str:
    return request.config.getoption("--device")


@pytest.fixture
def quick(request) -> bool:
    return request.config.getoption("--quick")


@pytest.fixture
def race(request, benchmark, device):
    """Times `ours()`, each `also[name]()` and each `peers[name]()`; records medians and ratios in extra_info.

    Args of the function it gives:
        ours, peers: the call that pytest-benchmark times, and what it is compared with.
        work, unit: what one call does; the rate is work / median seconds, in `unit`.
        also: other calls of ours that do the same work, compared with the same peers.
        peaks: {(kind, level): amount}: quote amount / seconds as a share of that measured peak (ON_GPU only on a GPU).
        look: called once with every contender's name and first result, gives facts to record with it.
        case: how tables name the case; the test's parameter by default.
    """

    def run(
        ours: Call,
        peers: dict[str, Call],
        *,
        work: float,
        unit: str,
        also: dict[str, Call] | None = None,
        peaks: dict[tuple[str, str], float] | None = None,
        look: Callable[[str, object], dict] | None = None,
        case: str | None = None,
    ) -> None:
        also = also or {}
        peaks = {peak: amount for peak, amount in (peaks or {}).items() if device == "cpu" or peak[0] in ON_GPU}
        others = {**{f"also {name}": call for name, call in also.items()}, **peers}
        times: dict[str, list[float]] = {name: [] for name in others}
        best = dict.fromkeys(peaks, 0.0)

        def timed(call: Call) -> tuple[float, object]:
            begin = time.perf_counter()
            result = call()
            if device == "cuda":
                torch.cuda.synchronize()
            return time.perf_counter() - begin, result

        def run_others():
            for kind, level in peaks:
                best[kind, level] = max(best[kind, level], machine_peaks.measure(kind, level, device=device))
            for name, call in others.items():
                times[name].append(timed(call)[0])

        facts, warm_up = {}, 0.0
        for name, call in {"": ours, **others}.items():  # warm up: page faults, thread pools, compilation
            seconds, result = timed(call)
            warm_up += seconds
            facts[name] = look(name.removeprefix("also "), result) if look else {}
            del result
        rounds = request.config.getoption("--rounds")
        rounds = max(2, min(rounds, int(request.config.getoption("--case-seconds") / warm_up)))
        if request.config.getoption("--quick"):
            rounds = 2
        benchmark.pedantic(lambda: timed(ours), setup=run_others, rounds=rounds, iterations=1)

        def record(seconds: float, name: str) -> dict:
            shares = [
                {"peak": kind, "level": level, "rate": best[kind, level], "share": amount / seconds / best[kind, level]}
                for (kind, level), amount in peaks.items()
            ]
            return {"median": seconds, "rate": work / seconds, "shares": shares, **facts[name]}

        median = benchmark.stats.stats.median
        medians = {name: statistics.median(values) for name, values in times.items()}
        benchmark.extra_info.update(record(median, ""), unit=unit, device=device)
        if case:
            benchmark.extra_info["case"] = case
        if also:
            benchmark.extra_info["also"] = {name: record(medians[f"also {name}"], f"also {name}") for name in also}
        benchmark.extra_info["peers"] = {
            name: {**record(medians[name], name), "speedup": medians[name] / median} for name in peers
        }

    return run


def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info.clear()
    machine_info.update(describe_machine(), ci=bool(os.environ.get("CI")))
    if config.getoption("--device") == "cpu" and not config.getoption("--quick"):
        machine_info["peaks"] = machine_peaks.describe_peaks()


def pytest_terminal_summary(terminalreporter, config):
    """The table of this run, with shares of the machine's peaks, which pytest-benchmark's own does not know."""
    session = getattr(config, "_benchmarksession", None)
    finished = [bench for bench in session.benchmarks if bench and "rate" in bench.extra_info] if session else []
    if finished:
        rows = [row_of(bench.as_dict(include_data=False, flat=False)) for bench in finished]
        terminalreporter.write_line("\n" + markdown(describe_machine(), rows))
