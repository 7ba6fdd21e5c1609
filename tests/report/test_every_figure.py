"""Every figure: text stays on the canvas and apart, the numbers are those of the table, bad tables are refused."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

from rote.report import export, figures, gather, plotted, style

from . import (
    synthetic,
    synthetic_capacity,
    synthetic_learning,
    synthetic_location,
    synthetic_noise,
    synthetic_noise_fitting,
    synthetic_series,
    synthetic_sizes,
    synthetic_subsets,
    synthetic_tables,
)

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """{name: rows} of everything there is to draw, in three seeds."""
    root = tmp_path_factory.mktemp("runs")
    benign = [folder for folder in synthetic.demo(root / "demo", SEEDS) if "benign" in folder.name]
    made = {name: [getattr(module, name)(root, seed) for seed in SEEDS] for name, module in MADE.items()}
    pools = [folder for seed in SEEDS for folder in synthetic_series.pools(root / "pools", seed)]
    grid = [folder for seed in SEEDS for folder in synthetic_series.conventions(root / "grid", seed)]
    random = [folder for folder in benign if folder.name.startswith("benign-random-digits")]
    one_size = [row for row in gather(made["sizes"], "capacity.csv") if row["width"] == 8]
    return {
        "metrics": gather(random, "metrics.jsonl"),
        "all metrics": gather(benign, "metrics.jsonl"),
        "summaries": gather(benign, "summary.json"),
        "pools": gather(pools + random, "summary.json"),
        "grid": gather(grid, "summary.json"),
        "one size": one_size,
        "frontier": gather(made["sizes"], "frontier.csv"),
        "classes": gather(made["sensitivity"], "sensitivity_classes.csv"),
        "noise metrics": gather(made["noise"], "metrics.jsonl"),
        "regularizer losses": gather(made["regularize"], "loss_curves.csv"),
        "heat map": gather(made["trajectories"], "trajectories_heatmap.parquet"),
        "alignment": gather(made["transfer"], "alignment.csv"),
        **{part: gather(made["location"], f"location_{part}.csv") for part in LOCATION},
        **{name: gather(folders, TABLES.get(name, f"{name}.csv")) for name, folders in made.items()},
    }


MADE = {
    **dict.fromkeys(("layers", "invariance", "diversity", "ideal"), synthetic_tables),
    **dict.fromkeys(("sizes", "transfer", "size"), synthetic_sizes),
    **dict.fromkeys(("easy", "trajectories", "depth"), synthetic_learning),
    "location": synthetic_location,
    "noise": synthetic_noise,
    **dict.fromkeys(("sensitivity", "csr"), synthetic_noise_fitting),
    "memorization": synthetic_subsets,
    **dict.fromkeys(("regularize", "convergence", "noise_capacity"), synthetic_capacity),
}
TABLES = {"sizes": "capacity.csv", "easy": "easy_curve.csv", "location": "location_rewinding.csv"}
LOCATION = ("rewinding", "retraining", "gradients", "tied", "neurons", "zeroed", "geometry", "latent")
# Drawn from arrays of pictures, not from a table.
PICTURES = ("plot_views", "plot_influence", "plot_filters")
# (function, table, options): everything the page draws from tables
DRAWINGS = [
    ("plot_curves", "metrics", {}),
    ("plot_probe_along_training", "all metrics", {}),
    ("plot_controls", "summaries", {}),
    ("plot_layers", "layers", {}),
    ("plot_layers", "layers", {"method": "linear"}),
    ("plot_invariance", "invariance", {}),
    ("plot_invariance", "invariance", {"value": "retrieval", "operation": "grayscale"}),
    ("plot_invariance_by_operation", "invariance", {}),
    ("plot_probe_against_views", "pools", {}),
    ("plot_tradeoff", "diversity", {}),
    ("plot_tradeoff", "diversity", {"x": "view_distance", "y": "probe_at_matched"}),
    ("plot_tradeoff", "diversity", {"x": "train_accuracy_fresh_views"}),
    ("plot_ideal", "ideal", {}),
    ("plot_capacity", "one size", {"chance": 0.1}),
    ("plot_bits", "one size", {}),
    ("plot_capacity_by_size", "sizes", {}),
    ("plot_capacity_by_size", "sizes", {"against": "width", "label_mode": "same"}),
    ("plot_frontier", "frontier", {}),
    ("plot_frontier", "frontier", {"against": "width", "value": "bits"}),
    ("plot_robustness", "grid", {}),
    ("plot_transfer", "transfer", {}),
    ("plot_transfer", "transfer", {"labels": "random", "value": "train_accuracy"}),
    ("plot_alignment", "alignment", {}),
    ("plot_memorization", "memorization", {}),
    ("plot_size", "size", {}),
    ("plot_size", "size", {"against": "parameters"}),
    ("plot_gini", "sensitivity", {}),
    ("plot_gini", "sensitivity", {"value": "gini_now"}),
    ("plot_class_matrix", "classes", {}),
    ("plot_class_matrix", "classes", {"inputs": "random"}),
    ("plot_csr", "csr", {}),
    ("plot_csr", "csr", {"against": "train_accuracy"}),
    ("plot_csr_against_noise", "csr", {}),
    ("plot_csr_against_noise", "csr", {"value": "test_accuracy"}),
    ("plot_noise_curves", "noise metrics", {}),
    ("plot_fitting_order", "noise", {}),
    ("plot_fitting_order", "noise", {"value": "steps_to_99"}),
    ("plot_corruption", "noise", {}),
    ("plot_corruption", "noise", {"value": "relative_time"}),
    ("plot_corruption", "noise", {"value": "epochs_to_99"}),
    ("plot_regularizers", "noise", {}),
    ("plot_easy", "easy", {}),
    ("plot_easy", "easy", {"sorted_by": "itself"}),
    ("plot_trajectories", "trajectories", {"noise": 0.4}),
    ("plot_trajectories", "trajectories", {"noise": 1.0}),
    ("plot_fitting", "trajectories", {}),
    ("plot_loss_bands", "heat map", {"noise": 0.4}),
    ("plot_regularizer_tradeoff", "regularize", {}),
    ("plot_regularizer_tradeoff", "regularize", {"allowed_cost": None}),
    ("plot_regularizer_losses", "regularizer losses", {}),
    ("plot_regularizer_losses", "regularizer losses", {"labels": "true"}),
    ("plot_convergence", "convergence", {}),
    ("plot_convergence", "convergence", {"sweep": "images"}),
    ("plot_convergence", "convergence", {"sweep": "images", "value": "ratio"}),
    ("plot_noise_capacity", "noise_capacity", {}),
    ("plot_noise_capacity", "noise_capacity", {"kind": "labels"}),
    ("plot_depth", "depth", {}),
    ("plot_depth", "depth", {"value": "test_accuracy"}),
    ("plot_rewinding", "rewinding", {"epoch": 15}),
    ("plot_rewinding", "rewinding", {"kind": "layer", "replaced": "and later"}),
    ("plot_retraining", "retraining", {}),
    ("plot_tied", "tied", {}),
    *(("plot_gradients", "gradients", {"value": v}) for v in ("cosine", "ratio", "norm_permuted", "norm_unpermuted")),
    ("plot_neurons", "neurons", {}),
    ("plot_neuron_layers", "zeroed", {}),
    *(("plot_geometry", "geometry", {"value": value}) for value in ("capacity", "radius", "dimension")),
    ("plot_geometry", "geometry", {"value": "centre_correlation", "epoch": 0}),
    ("plot_latent", "latent", {}),
    ("plot_latent", "latent", {"method": "knn", "labels": "true"}),
]


def named(drawing):
    return "-".join([drawing[0], *map(str, drawing[2].values())])


@pytest.mark.parametrize("drawing", DRAWINGS, ids=named)
def test_text_stays_on_the_canvas_and_apart(tables, drawing):
    function, table, options = drawing
    ax = getattr(figures, function)(tables[table], **options)
    figure = ax.figure
    figure.canvas.draw()
    box = figure.bbox
    texts = [*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label]
    low, high = sorted(ax.get_xlim())
    hidden = [t for t, at in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True) if not low <= at <= high]
    low, high = sorted(ax.get_ylim())
    hidden += [t for t, at in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True) if not low <= at <= high]
    extents = [(t.get_text(), t.get_window_extent()) for t in texts if t.get_text() and t not in hidden]
    for text, extent in extents:
        assert extent.x0 >= box.x0 - 1, text
        assert extent.x1 <= box.x1 + 1, text
        assert extent.y0 >= box.y0 - 1, text
        assert extent.y1 <= box.y1 + 1, text
    for i, (text, one) in enumerate(extents):
        for other_text, other in extents[i + 1 :]:
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert width < 2 or height < 2, (text, other_text)


@pytest.mark.parametrize("drawing", DRAWINGS, ids=named)
def test_every_figure_has_its_numbers_and_takes_columns(tables, drawing, tmp_path):
    function, table, options = drawing
    rows = tables[table]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    ax = getattr(figures, function)(columns, **options)
    assert plotted(ax) == plotted(getattr(figures, function)(rows, **options))
    networks = 2 if table in ("transfer", "trajectories") else 1
    assert max(row.get("seeds") or 0 for row in plotted(ax)) == 3 * networks
    assert [path.name for path in export(ax, tmp_path, "it", ("svg", "csv", "tex"))] == ["it.svg", "it.csv", "it.tex"]
    colors = {light for light, _ in style.THEME.values()}
    drawn = {word.lower() for word in _colors((tmp_path / "it.svg").read_text())}
    assert drawn <= colors, "a colour without a name does not follow the theme"


def _colors(document: str) -> set[str]:
    return set(re.findall(r"#[0-9a-fA-F]{6}\b", document))


@pytest.mark.parametrize("function", [name for name in figures.__all__ if name not in PICTURES])
def test_missing_columns_are_named(function):
    plot = getattr(figures, function)
    with pytest.raises(ValueError, match="table must have the columns"):
        plot([{"nothing": 1}])
    with pytest.raises(ValueError, match="at least one row"):
        plot([])
    assert "table" in inspect.signature(plot).parameters


@pytest.mark.parametrize(
    ("function", "table", "options", "message"),
    [
        ("plot_layers", "layers", {"method": "svm"}, r"method must be one of the table's \(knn, linear\), got 'svm'"),
        ("plot_invariance", "invariance", {"value": "loss"}, "value must be one of invariance, retrieval"),
        ("plot_invariance", "invariance", {"operation": "blur"}, "operation must be one of the table's"),
        ("plot_invariance_by_operation", "invariance", {"layer": "x"}, "layer must be one of the table's"),
        ("plot_tradeoff", "diversity", {"x": "loss"}, "x must be one of steps_to_90"),
        ("plot_tradeoff", "diversity", {"y": "loss"}, "y must be one of probe_accuracy"),
        ("plot_capacity", "sizes", {}, "table must have one width"),
        ("plot_capacity_by_size", "sizes", {"against": "loss"}, "against must be one of parameters, width, depth"),
        ("plot_frontier", "frontier", {"against": "loss"}, "against must be one of"),
        ("plot_transfer", "transfer", {"labels": "fresh"}, r"labels must be one of the table's \(true, random\)"),
        ("plot_size", "size", {"against": "depth"}, "against must be width or parameters"),
        ("plot_convergence", "convergence", {"sweep": "depth"}, "sweep must be one of width, images"),
        ("plot_convergence", "convergence", {"value": "steps"}, "value must be one of epochs, ratio"),
        ("plot_noise_capacity", "noise_capacity", {"kind": "order"}, r"kind must be one of the table's"),
        ("plot_regularizer_losses", "regularizer losses", {"labels": "fresh"}, "labels must be one of the table's"),
        ("plot_easy", "easy", {"sorted_by": "luck"}, "sorted_by must be one of other half, itself"),
        ("plot_gini", "sensitivity", {"value": "loss"}, "value must be gini or gini_now"),
        ("plot_class_matrix", "classes", {"inputs": "x"}, r"inputs must be one of the table's"),
        ("plot_csr", "csr", {"against": "loss"}, "against must be one of epoch, train_accuracy"),
        ("plot_csr_against_noise", "csr", {"value": "loss"}, "value must be one of csr"),
        ("plot_trajectories", "trajectories", {}, "table must have one noise"),
        ("plot_trajectories", "trajectories", {"noise": 0.2}, "noise must be one of the table's"),
        ("plot_depth", "depth", {"value": "lr"}, "value must be one of epochs_to_99, test_accuracy"),
        ("plot_rewinding", "rewinding", {"epoch": 7}, r"epoch must be one of the table's \(0, 5, 15, 30, 60\), got 7"),
        ("plot_rewinding", "rewinding", {"kind": "neuron"}, "kind must be one of the table's"),
        ("plot_gradients", "gradients", {"value": "sum"}, "value must be one of cosine, ratio"),
        ("plot_geometry", "geometry", {"value": "volume"}, "value must be one of capacity, radius"),
        ("plot_latent", "latent", {"method": "svm"}, "method must be one of the table's"),
    ],
)
def test_wrong_options_are_refused(tables, function, table, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(figures, function)(tables[table], **options)


def test_layers_draw_both_kinds_of_labels(tables):
    rows = plotted(figures.plot_layers(tables["layers"]))
    asked = {(row["labels"], row["moment"], row["queries"]) for row in rows if row.get("moment")}
    used = {("used", moment, "train-loo") for moment in ("init", "final")}
    assert asked == used | {("true", moment, "test") for moment in ("init", "final")}
    assert {row["layer"] for row in rows if "moment" not in row} == {"pixels", "chance"}
    for row in rows:
        if row.get("moment") == "final":
            own = [
                r["accuracy"]
                for r in tables["layers"]
                if all(r[name] == row[name] for name in ("layer", "labels", "queries", "moment", "method"))
            ]
            assert row["accuracy"] == pytest.approx(np.mean(own))


def test_tradeoff_leaves_out_seeds_without_both_numbers(tables):
    rows = {row["recipe"]: row for row in plotted(figures.plot_tradeoff(tables["diversity"]))}
    assert rows["strength-1"]["seeds"] == 2  # seed 0 never reached 90 %
    assert rows["strength-0.5"]["seeds"] == 3
    assert rows["raw pixels"]["probe_accuracy"] == pytest.approx(synthetic.RAW)


def test_networks_of_a_run_are_repetitions_of_transfer(tables):
    row = plotted(figures.plot_transfer(tables["transfer"]))[-1]
    own = [
        r["test_accuracy"]
        for r in tables["transfer"]
        if (r["start"], r["labels"], r["epoch"]) == (row["start"], "true", row["epoch"])
    ]
    assert row["seeds"] == len(own) == 6
    assert row["test_accuracy"] == pytest.approx(np.mean(own))


def test_invariance_is_that_of_test_images_unless_asked(tables):
    rows = tables["invariance"]
    train = [{**row, "split": "train", "invariance": 0.9} for row in rows]
    both = figures.plot_invariance(rows + train)
    assert plotted(both) == plotted(figures.plot_invariance(rows))
    assert {row["invariance"] for row in plotted(figures.plot_invariance(rows + train, split="train"))} == {0.9}
    assert plotted(figures.plot_invariance(rows, value="retrieval"))[-1]["retrieval"] == pytest.approx(1 / 360)
