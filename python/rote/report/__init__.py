"""The report: run folders in; figures, their numbers as tables, and one self-contained HTML page out.

    from rote.report import export, gather, plot_layers
    export(plot_layers(gather(["runs/layers-1", "runs/layers-2"], "layers.csv")), "figures", "layers")

Imported lazily, because experiments only need `rote.report.views` (numpy) and should not pay for matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rote.extras import wanted_for

if TYPE_CHECKING:
    from rote.report.exporting import export, plotted
    from rote.report.figures import (
        plot_alignment,
        plot_aum,
        plot_bits,
        plot_capacity,
        plot_capacity_by_size,
        plot_class_matrix,
        plot_controls,
        plot_convergence,
        plot_corruption,
        plot_csr,
        plot_csr_against_noise,
        plot_curves,
        plot_data_map,
        plot_depth,
        plot_easy,
        plot_filters,
        plot_fitting,
        plot_fitting_order,
        plot_forgetting,
        plot_frontier,
        plot_geometry,
        plot_gini,
        plot_gradients,
        plot_halves,
        plot_ideal,
        plot_influence,
        plot_invariance,
        plot_invariance_by_operation,
        plot_latent,
        plot_layers,
        plot_loss_bands,
        plot_memorization,
        plot_neuron_layers,
        plot_neurons,
        plot_noise_capacity,
        plot_noise_curves,
        plot_probe_against_views,
        plot_probe_along_training,
        plot_regularizer_losses,
        plot_regularizer_tradeoff,
        plot_regularizers,
        plot_retraining,
        plot_rewinding,
        plot_robustness,
        plot_score_correlations,
        plot_size,
        plot_sorted_losses,
        plot_tied,
        plot_tradeoff,
        plot_trajectories,
        plot_transfer,
        plot_views,
    )
    from rote.report.gathering import gather
    from rote.report.page import write_page
    from rote.report.reading import RunFolderError, read_run

__all__ = [
    "RunFolderError",
    "export",
    "gather",
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
    "plotted",
    "read_run",
    "write_page",
]

_HOME = {
    "RunFolderError": "reading",
    "export": "exporting",
    "gather": "gathering",
    "plotted": "exporting",
    "read_run": "reading",
    "write_page": "page",
    **{name: "figures" for name in __all__ if name.startswith("plot_")},
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with wanted_for("the report"):
        home = import_module(f"{__name__}.{_HOME[name]}")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
