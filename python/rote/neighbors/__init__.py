"""Exact k-nearest neighbours and what is judged by them: `knn`, `Index`, `knn_vote`, `KNNProbe`, two accuracies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rote.neighbors.accuracy import knn_accuracy, leave_one_out_accuracy
from rote.neighbors.index import Index
from rote.neighbors.search import knn
from rote.neighbors.votes import knn_vote

if TYPE_CHECKING:
    from rote.neighbors.probe import KNNProbe

__all__ = ["Index", "KNNProbe", "knn", "knn_accuracy", "knn_vote", "leave_one_out_accuracy"]


def __getattr__(name: str) -> Any:
    # scikit-learn's base classes are loaded by the first look at the probe, not by `import rote`.
    if name == "KNNProbe":
        from rote.neighbors.probe import KNNProbe

        return KNNProbe
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
