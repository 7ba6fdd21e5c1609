"""One rung of docs/knn-ladder.md: the shapes the kernels were tuned on, in GFLOP/s and as a share of the FMA peak.

    python -m benchmarks.knn.ladder [--threads 1] [--level avx2] [--path float32]

Prints a row of the page's table: GFLOP/s (share of the FMA peak; float64 keys a row). Best of several calls and best of
the peaks measured between them, one thread in CPU time: a rung compares kernels, not neighbours on a shared machine
(the benchmarks proper quote medians of wall time).
"""

from __future__ import annotations

import argparse
import time

import torch

from benchmarks.knn.datasets import queries_and_references
from benchmarks.knn.engine import certificates, forced
from benchmarks.peaks import measure

# queries, references, width, k: about a second each on one core; few queries show what packing costs
SHAPES = {
    "d = 512": (500, 50_000, 512, 20),
    "d = 128": (1000, 50_000, 128, 20),
    "d = 64, k = 10": (1000, 50_000, 64, 10),
    "d = 2048": (200, 50_000, 2048, 20),
    "k = 200": (500, 50_000, 512, 200),
    "d = 512, 2k queries": (2000, 50_000, 512, 20),
}


def rung(shape: tuple[int, int, int, int], kind: str, level: str, path: str, rounds: int) -> str:
    """A cell: the best rate, its share of the peak, and the keys a row took."""
    rows, count, dim, k = shape
    queries, references = queries_and_references(kind, rows, count, dim)
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    best, peak, stats = float("inf"), 0.0, {}
    for _ in range(rounds):
        peak = max(peak, measure("fma", level))
        begin = clock()
        stats = forced(queries, references, k, "l2", level=level, path=path)[2]
        best = min(best, clock() - begin)
    rate = 2.0 * rows * count * dim / best
    keys = certificates(stats, rows, count).candidates
    return f"{rate / 1e9:.1f} ({rate / peak:.0%}; {keys:,.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--level", default="auto", help="baseline, avx2 or avx512")
    parser.add_argument("--path", default="auto", help="first pass: int16, float32 or float64")
    parser.add_argument("--kind", default="Gaussian", help="kind of data (benchmarks/knn/datasets.py)")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print("| " + " | ".join(SHAPES) + " |\n" + "|---" * len(SHAPES) + "|")
    cells = [rung(s, arguments.kind, arguments.level, arguments.path, arguments.rounds) for s in SHAPES.values()]
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
