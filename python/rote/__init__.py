"""Rote measures what neural networks learn by rote.

Two engines stand on their own: exact k-NN (`rote.knn`, `rote.Index`, `rote.KNNProbe`, ...) and fused, addressable
augmentation (`rote.augment`). On them rest the data banks (`rote.data`), the trainer (`rote.train`) and the
experiments (`rote.experiments`), which need the extra `rote[lab]`.

Importing `rote` loads torch and numpy, nothing else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import torch as _torch  # noqa: F401  (loaded first, so that the native core shares its OpenMP pool)

from rote import _native

if TYPE_CHECKING:
    from rote.neighbors import (
        Index,
        KNNAccuracy,
        KNNProbe,
        NearestNeighbors,
        distributed_knn,
        knn,
        knn_accuracy,
        knn_streamed,
        knn_vote,
        leave_one_out_accuracy,
    )
    from rote.neighbors import KNNProbeCallback as KNNProbeCallback  # not in __all__: a star import needs no Lightning

__version__: str = _native.build_info()["version"]

_EXPORTS = {
    "Index": "rote.neighbors",
    "KNNAccuracy": "rote.neighbors",
    "KNNProbe": "rote.neighbors",
    "KNNProbeCallback": "rote.neighbors",
    "NearestNeighbors": "rote.neighbors",
    "distributed_knn": "rote.neighbors",
    "knn": "rote.neighbors",
    "knn_accuracy": "rote.neighbors",
    "knn_streamed": "rote.neighbors",
    "knn_vote": "rote.neighbors",
    "leave_one_out_accuracy": "rote.neighbors",
    "load_run": "rote.runs",
}
_MODULES = (
    "address",
    "augment",
    "claims",
    "data",
    "experiments",
    "metrics",
    "models",
    "neighbors",
    "report",
    "runs",
    "train",
)

__all__ = [
    "Index",
    "KNNAccuracy",
    "KNNProbe",
    "NearestNeighbors",
    "__version__",
    "distributed_knn",
    "knn",
    "knn_accuracy",
    "knn_streamed",
    "knn_vote",
    "leave_one_out_accuracy",
    "load_run",
]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        value = getattr(importlib.import_module(_EXPORTS[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(f"rote.{name}")
    else:
        raise AttributeError(f"module 'rote' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS, *_MODULES})
