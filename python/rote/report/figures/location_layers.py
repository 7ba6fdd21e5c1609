"""Neurons that hold single answers, and the layers between them: geometry and latent generalization."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.figures.layers import short_layer
from rote.report.figures.location import EXAMPLES, bars, epoch_lines, epoch_ticks, key_above
from rote.report.marks import EndLabel, label_ends, line_with_band, name_y, points_with_intervals, share_ticks
from rote.report.rows import Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import FONT, MUTED, VERMILION, figure, panel, shades

# Upper ends of the bins of numbers of neurons.
BINS = (1, 2, 4, 8, 16, 32)
GEOMETRY = {
    "capacity": "capacity of the classes",
    "radius": "radius of the classes",
    "dimension": "dimension of the classes",
    "centre_correlation": "correlation of the centres",
    "capacity_large_dimension": "(1 + 1 / R²) / D",
}
PAIR = ("unpermuted", "permuted")


@figure
def plot_neurons(table: Table, ax: Axes | None = None) -> Axes:
    """How many neurons have to go until the network gives another answer: shares of the examples.

    Args:
        table: the columns of location_neurons.csv; with several seeds `seed`, too. An example whose answer stayed is
            counted beyond the last bin.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing.
    """
    rows = rows_of(table, "kind", "neurons", "flipped")
    names = ["1", *(f"{low + 1}–{high}" if high > low + 1 else str(high) for low, high in pairwise(BINS))]
    names.append("more")
    shares = []
    for kind in PAIR:
        for seed in dict.fromkeys((row.get("seed"), row.get("run")) for row in rows):
            own = [row for row in rows if row["kind"] == kind and (row.get("seed"), row.get("run")) == seed]
            counted = Counter(_bin(row, names) for row in own)
            shares += [
                {"kind": kind, "neurons": name, "share": counted[name] / len(own), "seed": seed[0], "run": seed[1]}
                for name in names
                if own
            ]
    ax = _paired_bars(ax, shares, "neurons", names, "share", "share of the examples")
    ax.set_xlabel("neurons until the answer changes")
    return ax


@figure
def plot_neuron_layers(table: Table, ax: Axes | None = None) -> Axes:
    """In which layers the neurons lie that changed an answer.

    Args:
        table: the columns of location_zeroed.csv, a row for every neuron; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing.
    """
    rows = rows_of(table, "kind", "layer")
    layers = sorted(distinct(rows, "layer"))  # encoder.* before projector.*, stages by number
    shares = []
    for kind in PAIR:
        for seed in dict.fromkeys((row.get("seed"), row.get("run")) for row in rows):
            own = [r["layer"] for r in rows if r["kind"] == kind and (r.get("seed"), r.get("run")) == seed]
            shares += [
                {"kind": kind, "layer": n, "share": own.count(n) / len(own), "seed": seed[0], "run": seed[1]}
                for n in layers
                if own
            ]
    return _paired_bars(ax, shares, "layer", layers, "share", "share of the neurons zeroed")


@figure
def plot_geometry(table: Table, ax: Axes | None = None, *, value: str = "capacity", epoch: int | None = None) -> Axes:
    """The geometry of the classes layer by layer, for every kind of examples.

    Args:
        table: the columns of location_geometry.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "capacity", "radius", "dimension", "centre_correlation" or "capacity_large_dimension".
        epoch: of the network; the last one by default.

    Raises:
        ValueError: a column is missing, no row is of the epoch, or value is none of these.
    """
    if value not in GEOMETRY:
        raise ValueError(f"value must be one of {', '.join(GEOMETRY)}; got {value!r}")
    rows = rows_of(table, "epoch", "layer", "depth", "examples", value)
    rows = only(rows, "epoch", max(distinct(rows, "epoch")) if epoch is None else epoch)
    depth = {row["layer"]: row["depth"] for row in rows}
    layers = sorted(depth, key=lambda layer: depth[layer])
    crowded = len(layers) > 6
    ax = panel(left=46, right=102, bottom=52 if crowded else 28) if ax is None else ax
    marks, drawn = [], []
    for kind, (color, text) in EXAMPLES.items():
        means = over_seeds([row for row in rows if row["examples"] == kind], ("layer",), value)
        means.sort(key=lambda mean: layers.index(mean.at["layer"]))
        if means:
            points_with_intervals(ax, [layers.index(mean.at["layer"]) for mean in means], means, color)
            marks.append(EndLabel(means[-1].mean, text.replace("true ", "true\n"), color, strong=kind == "permuted"))
            drawn += numbers(means, value, examples=kind)
    ax.set_ylim(0, ax.get_ylim()[1])
    name_y(ax, GEOMETRY[value])
    size = FONT - (2.0 if len(layers) > 4 else 1.0)
    ax.set_xticks(range(len(layers)), [short_layer(n) for n in layers], fontsize=size, rotation=30 if crowded else 0)
    ax.set_xlim(-0.4, len(layers) - 0.6)
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_latent(table: Table, ax: Axes | None = None, *, method: str = "linear", labels: str = "used") -> Axes:
    """Along training, test accuracy of a probe of every layer beside that of the network itself.

    Args:
        table: the columns of location_latent.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        method: "linear" or "knn".
        labels: that the probes were given of the images trained on: "used" or "true".

    Raises:
        ValueError: a column is missing, or no row is of the choice.
    """
    rows = rows_of(table, "epoch", "layer", "depth", "method", "labels", "accuracy", "own_accuracy")
    rows = only(only(rows, "method", method), "labels", labels)
    ax = panel(right=98) if ax is None else ax
    drawn = epoch_lines(ax, rows, "layer", "accuracy")
    ends = {row["layer"]: row["value"] for row in drawn}
    marks = [
        EndLabel(height, short_layer(layer), color)
        for (layer, height), color in zip(ends.items(), shades(len(ends)), strict=True)
    ]
    epochs = sorted(distinct(rows, "epoch"))
    first = rows[0]["layer"]
    own = over_seeds([row for row in rows if row["layer"] == first], ("epoch",), "own_accuracy")
    own.sort(key=lambda mean: mean.at["epoch"])
    line_with_band(ax, [epochs.index(mean.at["epoch"]) for mean in own], own, VERMILION, (0, (3, 2)))
    marks.append(EndLabel(own[-1].mean, "the network\nitself", VERMILION, strong=True))
    chances = distinct(rows, "chance")
    if chances:
        ax.axhline(min(chances), color=MUTED, linestyle=":", linewidth=1.2, zorder=1)
    top = max([*(row["value"] for row in drawn), *(mean.mean for mean in own)])
    name = {"linear": "linear probe", "knn": "k-NN probe"}[method]
    share_axis(ax, f"test accuracy, {name}s", min(1.02, top * 1.15 + 0.03))
    epoch_ticks(ax, epochs)
    label_ends(ax, marks)
    return remember(ax, [*drawn, *numbers(own, "value", layer="the network itself")])


def share_axis(ax: Axes, what: str, high: float) -> None:
    """A y axis of shares from 0 to `high`, with its name above."""
    share_ticks(ax.yaxis, 0.0, high)
    ax.set_ylim(0.0, high)
    name_y(ax, what)


def _bin(row: Row, names: list[str]) -> str:
    if not row["flipped"]:
        return names[-1]
    return next((name for name, end in zip(names[:-1], BINS, strict=True) if row["neurons"] <= end), names[-1])


def _paired_bars(ax: Axes | None, shares: list[dict], by: str, order: list[str], value: str, what: str) -> Axes:
    crowded = by == "layer" and len(order) > 4
    ax = panel(left=42, right=12, bottom=64 if crowded else 46, top=52) if ax is None else ax
    found = {kind: over_seeds([r for r in shares if r["kind"] == kind], (by,), value) for kind in PAIR}
    top = max(end for means in found.values() for mean in means for end in (mean.interval or (mean.mean,)))
    share_axis(ax, what, min(1.02, top * 1.1 + 0.02))
    drawn, words = [], []
    for number, (kind, means) in enumerate(found.items()):
        color, text = EXAMPLES[kind]
        bars(ax, means, [order.index(mean.at[by]) for mean in means], number, len(found), 0.4, color)
        words.append((f"examples with {text}", color))
        drawn += numbers(means, value, examples=kind)
    key_above(ax, words)
    names = [_layer_name(name) if by == "layer" else name for name in order]
    ax.set_xticks(range(len(order)), names, fontsize=FONT - (2.0 if crowded else 1.0), rotation=25 if crowded else 0)
    ax.set_xlim(-0.6, len(order) - 0.4)
    return remember(ax, drawn)


def _layer_name(name: str) -> str:
    """encoder.stage2.0 -> stage2, as the other figures have it."""
    return short_layer(name.removeprefix("encoder.").removesuffix(".0"))
