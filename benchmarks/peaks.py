"""The machine's measured peaks, of which rates are quoted as a share; csrc/runtime/peak.h says how that is done."""

from __future__ import annotations

import ctypes
import functools
import time
from concurrent.futures import ThreadPoolExecutor

import torch

from rote import _native

#: What tables call the kinds.
WORDS = {
    "fma": "FMA peak",
    "madd": "vpmaddwd + vpaddd peak",
    "dpwssd": "vpdpwssd peak",
    "dpbf16": "vdpbf16ps peak",
    "read": "read bandwidth",
    "copy": "copy bandwidth",
    "matmul": "bf16 matrix peak",
}
COPY_BYTES = 256 << 20
SIXTEEN_BIT = ("madd", "dpwssd", "dpbf16")


def measure(kind: str, level: str = "auto", threads: int | None = None, device: str = "cpu") -> float:
    """Operations (read, copy: bytes) per second of `threads` threads, torch's own number by default."""
    if kind == "matmul":
        return measure_matmul(device)
    if kind == "copy":
        return measure_copy(threads or torch.get_num_threads(), device)
    return _native.measure_peak(kind, threads or torch.get_num_threads(), level)


def measure_copy(threads: int, device: str = "cpu") -> float:
    """Bytes read plus bytes written per second by a plain copy of 256 MiB, the best of five.

    On the CPU each thread copies its part by the C library's memmove, which writes past the caches at such sizes.
    """
    source, target = _copy_buffers(device)
    if device != "cpu":
        return 2 * COPY_BYTES / min(_seconds_on_device(source, target) for _ in range(5))
    part = COPY_BYTES // threads
    places = [(target.data_ptr() + i * part, source.data_ptr() + i * part, part) for i in range(threads)]

    def run() -> float:
        begin = time.perf_counter()
        list(pool.map(lambda place: ctypes.memmove(*place), places))  # ctypes lets go of the interpreter
        return time.perf_counter() - begin

    with ThreadPoolExecutor(threads) as pool:
        return 2 * part * threads / min(run() for _ in range(5))


def measure_matmul(device: str) -> float:
    """Floating-point operations per second of torch's bfloat16 product of two square matrices, the best of five."""
    side = 8192 if device != "cpu" else 512
    a, b = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))
    out = torch.empty_like(a)
    best = float("inf")
    for _ in range(6):  # the first one warms up
        begin = time.perf_counter()
        torch.mm(a, b, out=out)
        if device != "cpu":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begin)
    return 2 * side**3 / best


@functools.cache
def _copy_buffers(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.ones(COPY_BYTES, dtype=torch.uint8, device=device) for _ in range(2))


def _seconds_on_device(source: torch.Tensor, target: torch.Tensor) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    target.copy_(source)
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3


def sixteen_bit_kinds(level: str = "auto") -> list[str]:
    """The ways this CPU has to multiply 16-bit numbers at a level, slowest first as a rule."""
    return [kind for kind in _native.peak_kinds(level) if kind in SIXTEEN_BIT]


def describe_peaks() -> dict[str, float]:
    """Every kind at every level this CPU has, by one thread and by all: {"avx2 fma, 2 threads": rate}."""
    levels = _native.compiled_simd_levels()
    usable = levels[: levels.index(_native.detected_simd_level()) + 1]
    counts = sorted({1, torch.get_num_threads()})
    described = {
        f"{level} {kind}, {threads} thread{'s' if threads > 1 else ''}": measure(kind, level, threads)
        for level in usable
        for kind in _native.peak_kinds(level)
        for threads in counts
    }
    for threads in counts:
        described[f"copy, {threads} thread{'s' if threads > 1 else ''}"] = measure("copy", threads=threads)
    return described
