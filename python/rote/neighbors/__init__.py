"""Exact k-nearest neighbours and what is judged by them.

`knn` and `Index` search; `knn_streamed` searches references that do not fit the device, `distributed_knn` references
that lie on several ranks, `merge` puts searches of parts together; `KNNProbe` and the two accuracies judge embeddings;
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

if TYPE_CHECKING:
    from rote.neighbors.estimator import NearestNeighbors
    from rote.neighbors.probe import KNNProbe

__all__ = [
    "Index",
    "KNNProbe",
    "NearestNeighbors",
    "distances_from_keys",
    "distributed_knn",
    "knn",
    "knn_accuracy",
    "knn_keys",
    "knn_streamed",
    "leave_one_out_accuracy",
    "merge",
]

# scikit-learn's base classes are loaded by the first look at an estimator, not by `import rote`.
_ESTIMATORS = {"KNNProbe": "rote.neighbors.probe", "NearestNeighbors": "rote.neighbors.estimator"}


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(importlib.import_module(_ESTIMATORS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
