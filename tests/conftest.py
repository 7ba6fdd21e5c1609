"""What all tests share: the instruction-set levels this CPU can be forced to, and the device to test on."""

from __future__ import annotations

import pytest
import torch

from rote import _native


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
