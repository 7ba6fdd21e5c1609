"""`sensitivity`: how much of a training hangs on each pixel of each example, on real and on random inputs."""

from __future__ import annotations

from rote.experiments.sensitivity.experiment import SensitivityConfig, sensitivity

__all__ = ["SensitivityConfig", "sensitivity"]
