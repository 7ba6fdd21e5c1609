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
from rote.experiments.csr import CSRConfig, csr
from rote.experiments.depth import DepthConfig, depth
from rote.experiments.diversity import DiversityConfig, diversity
from rote.experiments.easy import EasyConfig, easy
from rote.experiments.ideal import IdealConfig, ideal
from rote.experiments.invariance import InvarianceConfig, invariance
from rote.experiments.layers import LayersConfig, layers
from rote.experiments.location import LocationConfig, location
from rote.experiments.memorization import MemorizationConfig, memorization
from rote.experiments.noise import NoiseConfig, noise
from rote.experiments.presets import PRESETS, preset
from rote.experiments.probing.headline import headline
from rote.experiments.regularize import RegularizeConfig, regularize
from rote.experiments.sensitivity import SensitivityConfig, sensitivity
from rote.experiments.size import SizeConfig, size
from rote.experiments.trajectories import TrajectoriesConfig, trajectories
from rote.experiments.transfer import TransferConfig, transfer
from rote.runs import Run

CONFIGS: dict[str, type[ExperimentConfig]] = {
    "benign": BenignConfig,
    "capacity": CapacityConfig,
    "csr": CSRConfig,
    "depth": DepthConfig,
    "diversity": DiversityConfig,
    "easy": EasyConfig,
    "ideal": IdealConfig,
    "invariance": InvarianceConfig,
    "layers": LayersConfig,
    "location": LocationConfig,
    "memorization": MemorizationConfig,
    "noise": NoiseConfig,
    "regularize": RegularizeConfig,
    "sensitivity": SensitivityConfig,
    "size": SizeConfig,
    "trajectories": TrajectoriesConfig,
    "transfer": TransferConfig,
}
EXPERIMENTS = {
    "benign": benign,
    "capacity": capacity,
    "csr": csr,
    "depth": depth,
    "diversity": diversity,
    "easy": easy,
    "ideal": ideal,
    "invariance": invariance,
    "layers": layers,
    "location": location,
    "memorization": memorization,
    "noise": noise,
    "regularize": regularize,
    "sensitivity": sensitivity,
    "size": size,
    "trajectories": trajectories,
    "transfer": transfer,
}

__all__ = [
    "CONFIGS",
    "EXPERIMENTS",
    "PRESETS",
    "BenignConfig",
    "CSRConfig",
    "CapacityConfig",
    "DepthConfig",
    "DiversityConfig",
    "EasyConfig",
    "ExperimentConfig",
    "IdealConfig",
    "InvarianceConfig",
    "LayersConfig",
    "LocationConfig",
    "MemorizationConfig",
    "NoiseConfig",
    "RegularizeConfig",
    "Run",
    "SensitivityConfig",
    "SizeConfig",
    "Stopped",
    "TrajectoriesConfig",
    "TransferConfig",
    "benign",
    "capacity",
    "csr",
    "depth",
    "diversity",
    "easy",
    "headline",
    "ideal",
    "invariance",
    "layers",
    "location",
    "memorization",
    "noise",
    "preset",
    "regularize",
    "sensitivity",
    "size",
    "trajectories",
    "transfer",
]
