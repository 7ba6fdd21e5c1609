"""Experiments of the papers: each takes a frozen config and leaves a run folder of tables.

Example:
    >>> result = rote.experiments.benign(data="digits", images=512, augment="digits", epochs=60)
    >>> result.summary["verdict"]
"""

from __future__ import annotations

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.stopping import Stopped
from rote.experiments.benign import BenignConfig, benign
from rote.experiments.capacity import CapacityConfig, capacity
from rote.experiments.diversity import DiversityConfig, diversity
from rote.experiments.ideal import IdealConfig, ideal
from rote.experiments.invariance import InvarianceConfig, invariance
from rote.experiments.layers import LayersConfig, layers
from rote.experiments.presets import PRESETS, preset
from rote.experiments.probing.headline import headline
from rote.experiments.sensitivity import SensitivityConfig, sensitivity
from rote.experiments.size import SizeConfig, size
from rote.experiments.transfer import TransferConfig, transfer
from rote.runs import Run

CONFIGS: dict[str, type[ExperimentConfig]] = {
    "benign": BenignConfig,
    "capacity": CapacityConfig,
    "diversity": DiversityConfig,
    "ideal": IdealConfig,
    "invariance": InvarianceConfig,
    "layers": LayersConfig,
    "sensitivity": SensitivityConfig,
    "size": SizeConfig,
    "transfer": TransferConfig,
}
EXPERIMENTS = {
    "benign": benign,
    "capacity": capacity,
    "diversity": diversity,
    "ideal": ideal,
    "invariance": invariance,
    "layers": layers,
    "sensitivity": sensitivity,
    "size": size,
    "transfer": transfer,
}

__all__ = [
    "CONFIGS",
    "EXPERIMENTS",
    "PRESETS",
    "BenignConfig",
    "CapacityConfig",
    "DiversityConfig",
    "ExperimentConfig",
    "IdealConfig",
    "InvarianceConfig",
    "LayersConfig",
    "Run",
    "SensitivityConfig",
    "SizeConfig",
    "Stopped",
    "TransferConfig",
    "benign",
    "capacity",
    "diversity",
    "headline",
    "ideal",
    "invariance",
    "layers",
    "preset",
    "sensitivity",
    "size",
    "transfer",
]
