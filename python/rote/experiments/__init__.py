"""Experiments of the papers: each takes a frozen config and leaves a run folder of tables.

Example:
    >>> result = rote.experiments.benign(data="digits", images=512, augment="digits", epochs=60)
    >>> result.summary["verdict"]
"""

from __future__ import annotations

from rote.experiments.benign import BenignConfig, benign
from rote.experiments.capacity import CapacityConfig, capacity
from rote.experiments.config import ExperimentConfig
from rote.experiments.headline import headline
from rote.experiments.invariance import InvarianceConfig, invariance
from rote.experiments.layers import LayersConfig, layers
from rote.experiments.stopping import Stopped
from rote.experiments.transfer import TransferConfig, transfer
from rote.runs import Run

CONFIGS: dict[str, type[ExperimentConfig]] = {
    "benign": BenignConfig,
    "capacity": CapacityConfig,
    "invariance": InvarianceConfig,
    "layers": LayersConfig,
    "transfer": TransferConfig,
}
EXPERIMENTS = {
    "benign": benign,
    "capacity": capacity,
    "invariance": invariance,
    "layers": layers,
    "transfer": transfer,
}

__all__ = [
    "CONFIGS",
    "EXPERIMENTS",
    "BenignConfig",
    "CapacityConfig",
    "ExperimentConfig",
    "InvarianceConfig",
    "LayersConfig",
    "Run",
    "Stopped",
    "TransferConfig",
    "benign",
    "capacity",
    "headline",
    "invariance",
    "layers",
    "transfer",
]
