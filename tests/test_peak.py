"""The measured peaks of the machine: what there is to measure, and that a measurement is a plausible number."""

from __future__ import annotations

import pytest

from rote import _native

LEVELS = _native.compiled_simd_levels()
USABLE = LEVELS[: LEVELS.index(_native.detected_simd_level()) + 1]


@pytest.mark.parametrize("level", USABLE)
def test_every_kind_of_a_level_can_be_measured(level):
    kinds = _native.peak_kinds(level)
    assert kinds[0] == "fma"
    assert kinds[-1] == "read"
    assert ("madd" in kinds) == (level != "baseline")
    for kind in kinds:
        for threads in (1, 2):
            assert 1e8 < _native.measure_peak(kind, threads, level) < 1e14, kind


@pytest.mark.parametrize(
    ("kind", "threads", "level", "message"),
    [
        ("flops", 1, "auto", r"kind: this CPU has fma, .*read at level \w+, got 'flops'"),
        ("madd", 1, "baseline", "kind: this CPU has fma, read at level baseline, got 'madd'"),
        ("fma", 0, "auto", "num_threads: wanted at least 1, got 0"),
        ("fma", 1, "sse9", "SIMD level: wanted baseline, avx2 or avx512, got 'sse9'"),
    ],
)
def test_what_cannot_be_measured_is_an_error(kind, threads, level, message):
    with pytest.raises(ValueError, match=message):
        _native.measure_peak(kind, threads, level)
