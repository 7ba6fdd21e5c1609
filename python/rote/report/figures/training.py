"""Curves along training: what is memorized, and what the probe reads from the encoder."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, level, line_with_band, percent_axis
from rote.report.records import headline_layer
from rote.report.rows import Mean, Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, GREEN, INK, MUTED, PURPLE, VERMILION, figure, panel

COLUMNS = ("step", "split", "metric", "layer", "value")
LABEL_COLORS = {"random": BLUE, "true": GREEN, "fresh": PURPLE, "exemplar": VERMILION}
DASHED = (0, (3, 2))


@figure
def plot_curves(table: Table, ax: Axes | None = None) -> Axes:
    """Accuracy on the labels given and the probe on true labels along training, of one condition.

    Args:
        table: measurements of one condition, in one seed or several: the columns of metrics.jsonl, as
            `load_run(folder).metrics` or `gather(folders, "metrics.jsonl")`.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, or the table holds several conditions.
    """
    rows = rows_of(table, *COLUMNS)
    for name in ("labels", "augment"):
        only(rows, name, None)
    kind = next(iter(distinct(rows, "labels")), "given")
    plain = distinct(rows, "augment") == ["none"]
    ax = panel() if ax is None else ax
    percent_axis(ax, "accuracy", high=1.02)
    marks, drawn = _baselines(ax, rows)
    probed = encoder_of(rows)
    series = [
        ("train", "accuracy_clean", None, VERMILION, "-", f"{kind} labels,\ntraining images"),
        ("train", "accuracy_fresh_views", None, VERMILION, DASHED, f"{kind} labels,\nnew views"),
        ("test", "probe_accuracy", probed, BLUE, "-", "probe,\ntrue classes"),
    ]
    if plain:
        del series[1]  # without augmentation the views are the images themselves
    for split, metric, layer, color, dashes, text in series:
        means = curve(rows, split, metric, layer)
        if means:
            line_with_band(ax, [mean.at["step"] for mean in means], means, color, dashes)
            marks.append(EndLabel(means[-1].mean, text, color, strong=color == BLUE))
            drawn += numbers(means, "value", split=split, metric=metric, layer=layer)
    step_axis(ax, rows)
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_probe_along_training(table: Table, ax: Axes | None = None) -> Axes:
    """The encoder's probe of several conditions along training: colour is the kind of labels, dashed is unaugmented.

    Args:
        table: measurements of several conditions: the columns of metrics.jsonl, and `labels` and `augment`, as
            `gather(folders, "metrics.jsonl")` gives them.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing.
    """
    rows = rows_of(table, *COLUMNS, "labels", "augment")
    ax = panel() if ax is None else ax
    percent_axis(ax, "probe accuracy, encoder", high=1.02)
    marks, drawn = _baselines(ax, rows, untrained=False)
    probed = encoder_of(rows)
    for kind, recipe in dict.fromkeys((row["labels"], row["augment"]) for row in rows):
        own = [row for row in rows if (row["labels"], row["augment"]) == (kind, recipe)]
        means = curve(own, "test", "probe_accuracy", probed)
        if not means:
            continue
        color, plain = LABEL_COLORS.get(kind, INK), recipe == "none"
        line_with_band(ax, [mean.at["step"] for mean in means], means, color, DASHED if plain else "-")
        marks.append(EndLabel(means[-1].mean, f"{kind}, {'plain' if plain else 'augm.'}", color))
        drawn += numbers(means, "value", labels=kind, augment=recipe, metric="probe_accuracy", layer=probed)
    step_axis(ax, rows)
    label_ends(ax, marks)
    return remember(ax, drawn)


def curve(rows: Sequence[Row], split: str, metric: str, layer: str | None = None) -> list[Mean]:
    """The mean over seeds of one quantity at the steps that every seed has measured, steps ascending.

    Probes are those of the headline reference set; lines with other `references` are left out.
    """
    found = [
        row
        for row in rows
        if row["split"] == split
        and row["metric"] == metric
        and (layer is None or row["layer"] == layer)
        and row.get("references") in (None, "all")
    ]
    means = over_seeds(found, ("step",), "value")
    seeds = max((len(mean.estimate.values) for mean in means), default=0)
    whole = [mean for mean in means if len(mean.estimate.values) == seeds]
    return sorted(whole, key=lambda mean: mean.at["step"])


def encoder_of(rows: Sequence[Row]) -> str:
    """The probed layer that stands for the encoder."""
    probed = (row["layer"] for row in rows if row["metric"] == "probe_accuracy")
    return headline_layer([name for name in dict.fromkeys(probed) if name not in (None, "pixels")])


def step_axis(ax: Axes, rows: Sequence[Row], name: str = "step", text: str = "update steps") -> None:
    """The axis of training, from 0 to the last measurement."""
    last = max((row[name] for row in rows if row.get(name) is not None), default=0)
    if last:
        ax.set_xlim(0, last)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_xlabel(text)


def _baselines(ax: Axes, rows: Sequence[Row], *, untrained: bool = True) -> tuple[list[EndLabel], list[dict]]:
    """The lines of raw pixels and of the untrained network: their labels, and their numbers."""
    marks, drawn = [], []
    lines = [("pixels", "--", "raw pixels")] + ([(encoder_of(rows), ":", "untrained")] if untrained else [])
    for layer, dashes, text in lines:
        means = curve(_one_a_seed(rows, layer), "test", "probe_accuracy", layer)
        if means:
            level(ax, means[0].mean, dashes, MUTED)
            marks.append(EndLabel(means[0].mean, text, MUTED))
            drawn += numbers(means[:1], "value", split="test", metric="probe_accuracy", layer=layer)
    return marks, drawn


def _one_a_seed(rows: Sequence[Row], layer: str) -> list[Row]:
    """The first probe of a layer at step 0, once a seed: conditions that share a seed share it."""
    found = {}
    for row in rows:
        here = row["metric"] == "probe_accuracy" and row["layer"] == layer and row["step"] == 0
        if here and row.get("references") in (None, "all"):
            found.setdefault(row.get("seed"), row)
    return list(found.values())
