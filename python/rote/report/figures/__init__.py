"""The figures: every `plot_*(table, ax=None) -> Axes` draws one panel from one table (see docs/figures.md)."""

from __future__ import annotations

from rote.report.figures.capacity import plot_bits, plot_capacity
from rote.report.figures.conditions import plot_controls, plot_ideal
from rote.report.figures.corruption import plot_corruption, plot_regularizers
from rote.report.figures.depth import plot_depth
from rote.report.figures.diversity import plot_tradeoff
from rote.report.figures.easy import plot_easy
from rote.report.figures.frontier import plot_capacity_by_size, plot_frontier
from rote.report.figures.invariance import plot_invariance, plot_invariance_by_operation
from rote.report.figures.layers import plot_layers
from rote.report.figures.noise import plot_fitting_order, plot_noise_curves
from rote.report.figures.pool import plot_probe_against_views
from rote.report.figures.robustness import plot_robustness
from rote.report.figures.samples import plot_views
from rote.report.figures.size import plot_size
from rote.report.figures.training import plot_curves, plot_probe_along_training
from rote.report.figures.trajectories import plot_fitting, plot_trajectories
from rote.report.figures.transfer import plot_alignment, plot_transfer

__all__ = [
    "plot_alignment",
    "plot_bits",
    "plot_capacity",
    "plot_capacity_by_size",
    "plot_controls",
    "plot_corruption",
    "plot_curves",
    "plot_depth",
    "plot_easy",
    "plot_fitting",
    "plot_fitting_order",
    "plot_frontier",
    "plot_ideal",
    "plot_invariance",
    "plot_invariance_by_operation",
    "plot_layers",
    "plot_noise_curves",
    "plot_probe_against_views",
    "plot_probe_along_training",
    "plot_regularizers",
    "plot_robustness",
    "plot_size",
    "plot_tradeoff",
    "plot_trajectories",
    "plot_transfer",
    "plot_views",
]
