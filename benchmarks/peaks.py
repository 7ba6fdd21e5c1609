"""The machine's measured peaks, of which rates are quoted as a share; csrc/runtime/peak.h says how that is done."""

from __future__ import annotations

import torch

from rote import _native

#: What tables call the kinds.
WORDS = {
    "fma": "FMA peak",
    "madd": "vpmaddwd + vpaddd peak",
    "dpwssd": "vpdpwssd peak",
    "dpbf16": "vdpbf16ps peak",
    "read": "read bandwidth",
}
SIXTEEN_BIT = ("madd", "dpwssd", "dpbf16")


def measure(kind: str, level: str = "auto", threads: int | None = None) -> float:
    """Operations (read: bytes) per second of `threads` threads, torch's own number by default."""
    return _native.measure_peak(kind, threads or torch.get_num_threads(), level)


def sixteen_bit_kinds(level: str = "auto") -> list[str]:
    """The ways this CPU has to multiply 16-bit numbers at a level, slowest first as a rule."""
    return [kind for kind in _native.peak_kinds(level) if kind in SIXTEEN_BIT]


def describe_peaks() -> dict[str, float]:
    """Every kind at every level this CPU has, by one thread and by all: {"avx2 fma, 2 threads": rate}."""
    levels = _native.compiled_simd_levels()
    usable = levels[: levels.index(_native.detected_simd_level()) + 1]
    counts = sorted({1, torch.get_num_threads()})
    return {
        f"{level} {kind}, {threads} thread{'s' if threads > 1 else ''}": measure(kind, level, threads)
        for level in usable
        for kind in _native.peak_kinds(level)
        for threads in counts
    }
