"""What all tests share: the instruction-set levels this CPU can be forced to, and the devices to test on."""

from __future__ import annotations

import os

import pytest
import torch

from rote import _native

from . import two_ranks
from .emulated_cuda import EMULATED, emulated


def simd_levels() -> list[str]:
    """Every level from the baseline up to what this CPU supports."""
    levels = _native.compiled_simd_levels()
    return levels[: levels.index(_native.detected_simd_level()) + 1]


@pytest.fixture(params=simd_levels())
def level(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(
    params=[
        "cpu",
        pytest.param(
            "cuda",
            marks=[
                pytest.mark.gpu,
                pytest.mark.skipif(
                    not (torch.cuda.is_available() and _native.build_info()["cuda"]),
                    reason="needs a CUDA device and a build with CUDA",
                ),
            ],
        ),
    ]
)
def device(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def saved_by_two_ranks():
    """saved_by_two_ranks(script, folder, ...): see tests/two_ranks.py."""
    return two_ranks.saved_by_two_ranks


@pytest.fixture
def float32_precision():
    """float32_precision("ieee" or "tf32"): what CUDA takes convolutions and products of float32 in, for one test."""
    places = (torch.backends.cudnn.conv, torch.backends.cuda.matmul)
    before = [place.fp32_precision for place in places]

    def choose(precision: str) -> None:
        for place in places:
            place.fp32_precision = precision

    yield choose
    for place, precision in zip(places, before, strict=True):
        place.fp32_precision = precision


_CUDA = torch.cuda.is_available() and _native.build_info()["cuda"]


@pytest.fixture(
    params=[
        pytest.param(
            "emulated",
            marks=pytest.mark.skipif(
                EMULATED not in os.environ, reason="runs in a process of its own (tests/test_emulated_device.py)"
            ),
        ),
        pytest.param(
            "cuda",
            marks=[
                pytest.mark.gpu,
                pytest.mark.skipif(not _CUDA, reason="needs a CUDA device and a build with CUDA"),
            ],
        ),
    ]
)
def second_device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, float32_precision):
    """ "cuda" beside the CPU: the real one, or the emulation of tests/emulated_cuda.py where there is none.

    Yields what counts the emulation's waits; None on a real device, which computes without TF32 in these tests.
    """
    if request.param == "cuda":
        float32_precision("ieee")
        yield None
    else:
        with emulated(monkeypatch) as operations:
            yield operations
