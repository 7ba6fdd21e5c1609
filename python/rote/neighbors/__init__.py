"""Exact k-nearest neighbours and what is judged by them.

`knn` and `Index` search; `knn_streamed` searches references that do not fit the device, `distributed_knn` references
that lie on several ranks, `merge` puts searches of parts together; `knn_vote` gives class scores; `KNNProbe`,
`KNNAccuracy` and two functions for accuracies judge embeddings, `KNNProbeCallback` does in Lightning;
`NearestNeighbors` brings the search to scikit-learn, UMAP and t-SNE.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rote.neighbors.accuracy import knn_accuracy, leave_one_out_accuracy
from rote.neighbors.index import Index
from rote.neighbors.parts import distances_from_keys, merge
from rote.neighbors.search import knn, knn_keys
from rote.neighbors.sharded import distributed_knn
from rote.neighbors.streamed import knn_streamed
from rote.neighbors.votes import knn_vote

if TYPE_CHECKING:
    from rote.neighbors.estimator import NearestNeighbors
    from rote.neighbors.lightning import KNNProbeCallback as KNNProbeCallback  # not in __all__, see rote
    from rote.neighbors.metric import KNNAccuracy
    from rote.neighbors.probe import KNNProbe

__all__ = [
    "Index",
    "KNNAccuracy",
    "KNNProbe",
    "NearestNeighbors",
    "distances_from_keys",
    "distributed_knn",
    "knn",
    "knn_accuracy",
    "knn_keys",
    "knn_streamed",
    "knn_vote",
    "leave_one_out_accuracy",
    "merge",
]

# What needs scikit-learn or Lightning is loaded by the first look at it, not by `import rote`.
_LAZY = {
    "KNNAccuracy": "rote.neighbors.metric",
    "KNNProbe": "rote.neighbors.probe",
    "KNNProbeCallback": "rote.neighbors.lightning",
    "NearestNeighbors": "rote.neighbors.estimator",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
