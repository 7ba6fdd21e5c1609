"""Memory that one-shot `rote.knn` needs beyond its inputs and outputs, measured in a process of its own.

    python -m benchmarks.knn.memory QUERIES REFERENCES DIM K [--metric cosine] [--dtype float16]

The process makes its inputs, searches a few rows once (libraries, thread pool), resets the kernel's record of its peak
resident size, searches, and prints as JSON how far the peak rose above what was resident before, less the outputs.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import subprocess
import sys
from pathlib import Path

import torch

import rote
from benchmarks.knn.datasets import KINDS

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def extra_bytes(rows: int, count: int, dim: int, k: int, metric: str, dtype: str, kind: str) -> dict:
    """Measures one search in this process: `extra_bytes`, `output_bytes`, `input_bytes`."""
    make = KINDS[kind]
    queries, references = (make(n, dim, seed).to(getattr(torch, dtype)) for n, seed in ((rows, 11), (count, 12)))
    warm = references[: max(64, k)]
    rote.knn(queries[:64], warm, min(k, len(warm)), metric)
    _return_free_memory()
    CLEAR.write_text("5")  # proc(5): the peak becomes what is resident now
    before = _resident("VmRSS")
    distances, indices = rote.knn(queries, references, k, metric)
    peak = _resident("VmHWM")
    outputs = distances.nbytes + indices.nbytes
    return {
        "extra_bytes": max(0, peak - before - outputs),
        "output_bytes": outputs,
        "input_bytes": queries.nbytes + references.nbytes,
    }


def measured_apart(
    rows: int, count: int, dim: int, k: int, *, metric: str, dtype: str, kind: str, threads: int
) -> dict:
    """`extra_bytes` in a fresh process.

    Raises:
        RuntimeError: the process failed; the message holds what it printed.
    """
    words = [str(number) for number in (rows, count, dim, k)]
    options = ["--metric", metric, "--dtype", dtype, "--kind", kind, "--threads", str(threads)]
    command = [sys.executable, "-m", "benchmarks.knn.memory", *words, *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr}")
    return json.loads(result.stdout)


def _return_free_memory() -> None:
    """What making the inputs left in the heap would otherwise serve the search and go uncounted."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc
        trim(0)


def _resident(field: str) -> int:
    for line in STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{STATUS} has no {field}: wanted Linux")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("rows", "count", "dim", "k"):
        parser.add_argument(name, type=int)
    parser.add_argument("--metric", default="l2")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--kind", default="Gaussian", choices=KINDS)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = vars(parser.parse_args())
    torch.set_num_threads(arguments.pop("threads"))
    print(json.dumps(extra_bytes(**arguments)))


if __name__ == "__main__":
    main()
