"""What a network has memorized and what it has learnt: accuracies, probes and bits.

Everything runs in batches, in eval mode and without gradients, and leaves the network as it was.
"""

from __future__ import annotations

from rote.metrics import bits
from rote.metrics.accuracy import PoolScore, clean_accuracy, clean_correct, fresh_view_accuracy, pool_accuracy
from rote.metrics.aum import CombinedAum, ThresholdLabels, combined_aum, flagged_by_threshold, threshold_labels
from rote.metrics.batch_norm import recalibrated
from rote.metrics.critical_radius import critical_radius
from rote.metrics.curvature import CurvatureScores, input_curvature
from rote.metrics.detection import Detection, detection
from rote.metrics.dynamics_files import Trajectories, epoch_values, read_dynamics, trajectories
from rote.metrics.embedding import embed
from rote.metrics.folding import folded
from rote.metrics.gradient_norm import gradient_norms, last_layer_gradient_norms
from rote.metrics.inequality import gini
from rote.metrics.label_disagreement import Disagreement, knn_disagreement
from rote.metrics.label_errors import LabelErrors, label_errors
from rote.metrics.lass import CriticalSamples, critical_samples
from rote.metrics.manifolds import ManifoldGeometry, manifold_geometry
from rote.metrics.memorization import Memorization, memorization_scores, split_half_reliability
from rote.metrics.prediction_depth import PredictionDepth, depth_of, prediction_depth
from rote.metrics.probe import knn_probe, knn_probe_correct, pixel_probe, pixel_probe_correct
from rote.metrics.record_epochs import RecordEpochs
from rote.metrics.recorder import Recorder
from rote.metrics.sensitivity import LossSensitivity, class_matrix, diagonal_ratio, loss_sensitivity
from rote.metrics.split_half import Reliability, reliabilities, reliability
from rote.metrics.training_dynamics import (
    Cartography,
    Forgetting,
    LearningOrder,
    Regions,
    area_under_margin,
    bias_corrected_variability,
    cartography,
    el2n,
    forgetting,
    learning_order,
    order_ranks,
    regions,
    with_never_learned_as,
)
from rote.metrics.unrolled_sgd import UnrolledSGD

__all__ = [
    "Cartography",
    "CombinedAum",
    "CriticalSamples",
    "CurvatureScores",
    "Detection",
    "Disagreement",
    "Forgetting",
    "LabelErrors",
    "LearningOrder",
    "LossSensitivity",
    "ManifoldGeometry",
    "Memorization",
    "PoolScore",
    "PredictionDepth",
    "RecordEpochs",
    "Recorder",
    "Regions",
    "Reliability",
    "ThresholdLabels",
    "Trajectories",
    "UnrolledSGD",
    "area_under_margin",
    "bias_corrected_variability",
    "bits",
    "cartography",
    "class_matrix",
    "clean_accuracy",
    "clean_correct",
    "combined_aum",
    "critical_radius",
    "critical_samples",
    "depth_of",
    "detection",
    "diagonal_ratio",
    "el2n",
    "embed",
    "epoch_values",
    "flagged_by_threshold",
    "folded",
    "forgetting",
    "fresh_view_accuracy",
    "gini",
    "gradient_norms",
    "input_curvature",
    "knn_disagreement",
    "knn_probe",
    "knn_probe_correct",
    "label_errors",
    "last_layer_gradient_norms",
    "learning_order",
    "loss_sensitivity",
    "manifold_geometry",
    "memorization_scores",
    "order_ranks",
    "pixel_probe",
    "pixel_probe_correct",
    "pool_accuracy",
    "prediction_depth",
    "read_dynamics",
    "recalibrated",
    "regions",
    "reliabilities",
    "reliability",
    "split_half_reliability",
    "threshold_labels",
    "trajectories",
    "with_never_learned_as",
]
