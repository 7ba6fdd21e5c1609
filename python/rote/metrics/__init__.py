"""What a network has memorized and what it has learnt: accuracies, probes and bits.

Everything runs in batches, in eval mode and without gradients, and leaves the network as it was.
"""

from __future__ import annotations

from rote.metrics import bits
from rote.metrics.accuracy import PoolScore, clean_accuracy, clean_correct, fresh_view_accuracy, pool_accuracy
from rote.metrics.batch_norm import recalibrated
from rote.metrics.embedding import embed
from rote.metrics.folding import folded
from rote.metrics.manifolds import ManifoldGeometry, manifold_geometry
from rote.metrics.memorization import Memorization, memorization_scores, split_half_reliability
from rote.metrics.probe import knn_probe, knn_probe_correct, pixel_probe, pixel_probe_correct

__all__ = [
    "ManifoldGeometry",
    "Memorization",
    "PoolScore",
    "bits",
    "clean_accuracy",
    "clean_correct",
    "embed",
    "folded",
    "fresh_view_accuracy",
    "knn_probe",
    "knn_probe_correct",
    "manifold_geometry",
    "memorization_scores",
    "pixel_probe",
    "pixel_probe_correct",
    "pool_accuracy",
    "recalibrated",
    "split_half_reliability",
]
