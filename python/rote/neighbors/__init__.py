"""Exact k-nearest neighbours and what is judged by them: `knn`, `Index`, `KNNProbe` and accuracies."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rote.neighbors.accuracy import knn_accuracy, leave_one_out_accuracy
from rote.neighbors.index import Index
from rote.neighbors.search import knn

if TYPE_CHECKING:
    from rote.neighbors.lightning import KNNProbeCallback as KNNProbeCallback  # not in __all__, see rote
    from rote.neighbors.metric import KNNAccuracy
    from rote.neighbors.probe import KNNProbe

__all__ = ["Index", "KNNAccuracy", "KNNProbe", "knn", "knn_accuracy", "leave_one_out_accuracy"]

# What loads more than torch and numpy (scikit-learn, Lightning, torch.distributed) is loaded by the first look at it.
_LAZY = {
    "KNNAccuracy": "rote.neighbors.metric",
    "KNNProbe": "rote.neighbors.probe",
    "KNNProbeCallback": "rote.neighbors.lightning",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
