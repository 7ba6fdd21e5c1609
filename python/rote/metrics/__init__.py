"""What a network has memorized and what it has learnt: accuracies, probes and bits.

Everything runs in batches, in eval mode and without gradients, and leaves the network as it was.
"""

from __future__ import annotations

from rote.metrics import bits
from rote.metrics.accuracy import PoolScore, clean_accuracy, clean_correct, fresh_view_accuracy, pool_accuracy
from rote.metrics.batch_norm import recalibrated
from rote.metrics.critical_radius import critical_radius
from rote.metrics.curvature import CurvatureScores, input_curvature
from rote.metrics.embedding import embed
from rote.metrics.folding import folded
from rote.metrics.gradient_norm import gradient_norms, last_layer_gradient_norms
from rote.metrics.inequality import gini
from rote.metrics.label_disagreement import Disagreement, knn_disagreement
from rote.metrics.lass import CriticalSamples, critical_samples
from rote.metrics.memorization import Memorization, memorization_scores, split_half_reliability
from rote.metrics.prediction_depth import PredictionDepth, depth_of, prediction_depth
from rote.metrics.probe import knn_probe, knn_probe_correct, pixel_probe, pixel_probe_correct
from rote.metrics.sensitivity import LossSensitivity, class_matrix, diagonal_ratio, loss_sensitivity
from rote.metrics.unrolled_sgd import UnrolledSGD

__all__ = [
    "CriticalSamples",
    "CurvatureScores",
    "Disagreement",
    "LossSensitivity",
    "Memorization",
    "PoolScore",
    "PredictionDepth",
    "UnrolledSGD",
    "bits",
    "class_matrix",
    "clean_accuracy",
    "clean_correct",
    "critical_radius",
    "critical_samples",
    "depth_of",
    "diagonal_ratio",
    "embed",
    "folded",
    "fresh_view_accuracy",
    "gini",
    "gradient_norms",
    "input_curvature",
    "knn_disagreement",
    "knn_probe",
    "knn_probe_correct",
    "last_layer_gradient_norms",
    "loss_sensitivity",
    "memorization_scores",
    "pixel_probe",
    "pixel_probe_correct",
    "pool_accuracy",
    "prediction_depth",
    "recalibrated",
    "split_half_reliability",
]
