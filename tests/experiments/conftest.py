"""Experiments in seconds: a narrow network, few images, few epochs."""

from __future__ import annotations

import pytest

TIMES = ("seconds", "images_per_second")


@pytest.fixture
def tiny(tmp_path):
    """Options of a `benign` run that takes a second or two."""
    return {
        "data": "digits",
        "images": 64,
        "augment": "digits",
        "width": 4,
        "projector_width": 16,
        "epochs": 4,
        "batch_size": 32,
        "lr": 1e-2,
        "evaluations": 2,
        "device": "cpu",
        "out": tmp_path / "runs",
    }


@pytest.fixture
def without_times():
    """Takes what depends on the clock out of a summary."""

    def strip(summary: dict) -> dict:
        return {key: value for key, value in summary.items() if key not in TIMES}

    return strip
