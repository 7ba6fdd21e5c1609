"""`noise`: networks fitted to true, corrupted and random data."""

from __future__ import annotations

from rote.experiments.noise.experiment import NoiseConfig, noise

__all__ = ["NoiseConfig", "noise"]
