"""What a network has memorized and what it has learnt: accuracies, probes and bits.

Everything runs in batches, in eval mode and without gradients, and leaves the network as it was.
"""

from __future__ import annotations

from rote.metrics import bits
from rote.metrics.accuracy import PoolScore, clean_accuracy, clean_correct, fresh_view_accuracy, pool_accuracy
from rote.metrics.batch_norm import recalibrated
from rote.metrics.critical_radius import critical_radius
from rote.metrics.embedding import embed
from rote.metrics.folding import folded
from rote.metrics.inequality import gini
from rote.metrics.lass import CriticalSamples, critical_samples
from rote.metrics.memorization import Memorization, memorization_scores, split_half_reliability
from rote.metrics.probe import knn_probe, knn_probe_correct, pixel_probe, pixel_probe_correct
from rote.metrics.sensitivity import LossSensitivity, class_matrix, diagonal_ratio, loss_sensitivity
from rote.metrics.unrolled_sgd import UnrolledSGD

__all__ = [
    "CriticalSamples",
    "LossSensitivity",
    "Memorization",
    "PoolScore",
    "UnrolledSGD",
    "bits",
    "class_matrix",
    "clean_accuracy",
    "clean_correct",
    "critical_radius",
    "critical_samples",
    "diagonal_ratio",
    "embed",
    "folded",
    "fresh_view_accuracy",
    "gini",
    "knn_probe",
    "knn_probe_correct",
    "loss_sensitivity",
    "memorization_scores",
    "pixel_probe",
    "pixel_probe_correct",
    "pool_accuracy",
    "recalibrated",
    "split_half_reliability",
]
