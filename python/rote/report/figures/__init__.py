"""The figures: every `plot_*(table, ax=None) -> Axes` draws one panel from one table (see docs/figures.md)."""

from __future__ import annotations

from rote.report.figures.capacity import plot_bits, plot_capacity
from rote.report.figures.conditions import plot_controls, plot_ideal
from rote.report.figures.corruption import plot_corruption, plot_regularizers
from rote.report.figures.csr import plot_csr, plot_csr_against_noise
from rote.report.figures.depth import plot_depth
from rote.report.figures.diversity import plot_tradeoff
from rote.report.figures.easy import plot_easy
from rote.report.figures.examples import plot_aum, plot_data_map, plot_forgetting
from rote.report.figures.filters import plot_filters
from rote.report.figures.frontier import plot_capacity_by_size, plot_frontier
from rote.report.figures.invariance import plot_invariance, plot_invariance_by_operation
from rote.report.figures.layers import plot_layers
from rote.report.figures.location import plot_gradients, plot_retraining, plot_rewinding, plot_tied
from rote.report.figures.location_layers import plot_geometry, plot_latent, plot_neuron_layers, plot_neurons
from rote.report.figures.noise import plot_fitting_order, plot_noise_curves
from rote.report.figures.pool import plot_probe_against_views
from rote.report.figures.regularize import plot_regularizer_losses, plot_regularizer_tradeoff
from rote.report.figures.robustness import plot_robustness
from rote.report.figures.samples import plot_views
from rote.report.figures.score_correlations import plot_score_correlations
from rote.report.figures.sensitivity import plot_class_matrix, plot_gini
from rote.report.figures.size import plot_size
from rote.report.figures.size_under_noise import plot_convergence, plot_noise_capacity
from rote.report.figures.sorted_losses import plot_loss_bands, plot_sorted_losses
from rote.report.figures.subsets import plot_halves, plot_influence, plot_memorization
from rote.report.figures.training import plot_curves, plot_probe_along_training
from rote.report.figures.trajectories import plot_fitting, plot_trajectories
from rote.report.figures.transfer import plot_alignment, plot_transfer

__all__ = [
    "plot_alignment",
    "plot_aum",
    "plot_bits",
    "plot_capacity",
    "plot_capacity_by_size",
    "plot_class_matrix",
    "plot_controls",
    "plot_convergence",
    "plot_corruption",
    "plot_csr",
    "plot_csr_against_noise",
    "plot_curves",
    "plot_data_map",
    "plot_depth",
    "plot_easy",
    "plot_filters",
    "plot_fitting",
    "plot_fitting_order",
    "plot_forgetting",
    "plot_frontier",
    "plot_geometry",
    "plot_gini",
    "plot_gradients",
    "plot_halves",
    "plot_ideal",
    "plot_influence",
    "plot_invariance",
    "plot_invariance_by_operation",
    "plot_latent",
    "plot_layers",
    "plot_loss_bands",
    "plot_memorization",
    "plot_neuron_layers",
    "plot_neurons",
    "plot_noise_capacity",
    "plot_noise_curves",
    "plot_probe_against_views",
    "plot_probe_along_training",
    "plot_regularizer_losses",
    "plot_regularizer_tradeoff",
    "plot_regularizers",
    "plot_retraining",
    "plot_rewinding",
    "plot_robustness",
    "plot_score_correlations",
    "plot_size",
    "plot_sorted_losses",
    "plot_tied",
    "plot_tradeoff",
    "plot_trajectories",
    "plot_transfer",
    "plot_views",
]
