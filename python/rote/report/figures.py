"""The figures, one panel each: `plot_x(data, ax=None) -> Axes`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from rote.report.conditions import Condition, Estimate, Study, mean_curve
from rote.report.reading import Curve
from rote.report.style import (
    BLUE,
    FONT,
    GREEN,
    INK,
    MUTED,
    PAPER,
    PURPLE,
    SHADE,
    VERMILION,
    EndLabel,
    label_ends,
    name_y,
    panel,
    percent_axis,
)
from rote.report.views import ViewSamples

LABEL_COLORS = {"random": BLUE, "true": GREEN, "fresh": PURPLE}


def plot_curves(condition: Condition, ax: Axes | None = None) -> Axes:
    """Training accuracy on the labels given, and the probe on true labels, along training."""
    ax = panel() if ax is None else ax
    percent_axis(ax, "accuracy", high=1.02)
    labels: list[EndLabel] = []
    _probe_baselines(ax, condition, labels)
    given = f"{condition.labels} labels"
    series = [
        ("train", "accuracy_clean", None, VERMILION, "-", f"{given},\ntraining images"),
        ("train", "accuracy_fresh_views", None, VERMILION, (0, (3, 2)), f"{given},\nnew views"),
        ("test", "probe_accuracy", "encoder", BLUE, "-", "probe,\ntrue classes"),
    ]
    for split, metric, layer, color, dashes, text in series:
        curve = _seed_lines(ax, condition.curves(split, metric, layer), color, dashes)
        if curve:
            labels.append(EndLabel(curve.values[-1], text, color, strong=color == BLUE))
    _step_axis(ax, condition.steps)
    label_ends(ax, labels)
    return ax


def plot_probe_along_training(study: Study, ax: Axes | None = None) -> Axes:
    """The probe of every condition along training: colour is the kind of labels, dashed is unaugmented."""
    ax = panel() if ax is None else ax
    percent_axis(ax, "probe accuracy, encoder", high=1.02)
    labels: list[EndLabel] = []
    for condition in study.conditions:
        color = LABEL_COLORS.get(condition.labels, INK)
        curve = _seed_lines(
            ax,
            condition.curves("test", "probe_accuracy", "encoder"),
            color,
            "-" if condition.augmented else (0, (3, 2)),
            faint=False,
        )
        if curve:
            text = f"{condition.labels}, {'augm.' if condition.augmented else 'plain'}"
            labels.append(EndLabel(curve.values[-1], text, color, strong=condition.augmented))
    raw = next((c.raw_probe() for c in study.conditions if c.raw_probe()), None)
    if raw is not None:
        _level(ax, raw.mean, "--", MUTED)
        labels.append(EndLabel(raw.mean, "raw pixels", MUTED))
    _step_axis(ax, max((c.steps or 0 for c in study.conditions), default=0))
    label_ends(ax, labels)
    return ax


def plot_controls(study: Study, ax: Axes | None = None) -> Axes:
    """Where the probe starts and ends in every condition, against the raw-pixel line."""
    rows = [(c, c.layer_probe("encoder", "init"), _final(c)) for c in study.conditions]
    rows = [(c, start, end) for c, start, end in rows if end is not None]
    ax = panel(height=70 + 40 * max(len(rows), 1), left=12, right=44, top=20) if ax is None else ax
    for row, (condition, start, end) in enumerate(rows):
        y = len(rows) - 1 - row
        color = LABEL_COLORS.get(condition.labels, INK)
        ax.axhline(y, color=SHADE, linewidth=7, zorder=0, solid_capstyle="butt")
        if start is not None:
            ax.plot([start.mean, end.mean], [y, y], color=color, linewidth=2)
            ax.plot(
                [start.mean], [y], "o", markersize=7, markerfacecolor=PAPER, markeredgecolor=color, mew=1.6
            )
        interval = _probe_interval(condition, end)
        if interval is not None:
            ax.plot(interval, [y, y], color=color, linewidth=6, alpha=0.3, solid_capstyle="butt")
        for value in end.values if len(end.values) > 1 else ():
            ax.plot([value], [y], "|", color=color, markersize=9)
        ax.plot([end.mean], [y], "o", markersize=8, color=color)
        ax.text(0.0, y + 0.3, study.name_of(condition), fontsize=FONT - 0.5, color=color, va="bottom")
        ax.text(
            1.02,
            y,
            f"{100 * end.mean:.1f} %",
            fontsize=FONT - 0.5,
            color=color,
            va="center",
            fontweight="bold",
        )
    raw = next((c.raw_probe() for c in study.conditions if c.raw_probe()), None)
    if raw is not None:
        ax.axvline(raw.mean, color=MUTED, linestyle="--", linewidth=1.2)
        ax.text(
            raw.mean,
            len(rows) - 0.28,
            f"raw pixels {100 * raw.mean:.1f} %",
            color=MUTED,
            fontsize=FONT - 0.5,
            ha="center",
            va="bottom",
        )
    ax.set_ylim(-0.5, len(rows) - 0.35)
    ax.set_xlim(0, 1)
    ax.yaxis.set_major_locator(NullLocator())
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel("probe accuracy on true classes, encoder")
    return ax


def plot_layers(condition: Condition, ax: Axes | None = None) -> Axes:
    """The probe at every depth before and after training, with the border between encoder and projector."""
    ax = panel(bottom=56 if len(condition.layers) > 6 else 38) if ax is None else ax
    layers = condition.layers
    percent_axis(ax, "probe accuracy by layer", high=1.02)
    labels: list[EndLabel] = []
    _probe_baselines(ax, condition, labels, init=False)
    border = next((i for i, layer in enumerate(layers) if in_projector(layer)), len(layers))
    if border < len(layers):
        ax.axvspan(border - 0.5, len(layers) - 0.5, color=SHADE, zorder=0, linewidth=0)
        ax.text(
            (border + len(layers) - 1) / 2, 0.035, "projector", color=MUTED, fontsize=FONT - 0.5, ha="center"
        )
    ax.text((border - 1) / 2, 0.035, "encoder", color=MUTED, fontsize=FONT - 0.5, ha="center")
    for when, color, text in (("init", MUTED, "before\ntraining"), ("final", BLUE, "after\ntraining")):
        points = [(i, condition.layer_probe(layer, when)) for i, layer in enumerate(layers)]
        points = [(i, found) for i, found in points if found is not None]
        if not points:
            continue
        x, means = [i for i, _ in points], [found.mean for _, found in points]
        ax.plot(
            x,
            means,
            "-o",
            color=color,
            markersize=6,
            markerfacecolor=PAPER if when == "init" else color,
            mew=1.6,
        )
        for i, found in points:
            if len(found.values) > 1:
                ax.plot([i] * len(found.values), found.values, "_", color=color, markersize=9)
        labels.append(EndLabel(means[-1], text, color, strong=when == "final"))
    ax.set_xlim(-0.5, len(layers) - 0.5)
    crowded = len(layers) > 6
    ax.set_xticks(
        range(len(layers)),
        [short_layer(layer) for layer in layers],
        fontsize=FONT - (2.0 if crowded else 1.0),
        rotation=30 if crowded else 0,
    )
    ax.set_xlabel("depth →")
    label_ends(ax, labels)
    return ax


def plot_capacity(condition: Condition, ax: Axes | None = None) -> Axes:
    """Accuracy on exactly the pool of N x B views, against the views per image B."""
    ax = panel() if ax is None else ax
    percent_axis(ax, "accuracy on the pool", high=1.04)
    labels: list[EndLabel] = []
    for mode, color, text in (
        ("same", BLUE, "one label\nper image"),
        ("random", VERMILION, "own label\nper view"),
    ):
        table = capacity_table(condition, mode, "accuracy_pool")
        if table:
            _capacity_line(ax, table, color, limited=budget_limited(condition, mode))
            labels.append(EndLabel(table[max(table)].mean, text, color, strong=True))
    chance = condition.chance()
    if chance is not None:
        _level(ax, chance, ":", MUTED)
        labels.append(EndLabel(chance, "chance", MUTED))
    _views_axis(ax, condition)
    label_ends(ax, labels)
    return ax


def plot_bits(condition: Condition, ax: Axes | None = None) -> Axes:
    """Bits of label information held per parameter, against B, beside those of perfect memory."""
    ax = panel() if ax is None else ax
    ax.set_yscale("log", base=2)
    labels: list[EndLabel] = []
    lowest, highest = math.inf, 0.0
    for mode, color, text in (
        ("same", BLUE, "one label\nper image"),
        ("random", VERMILION, "own label\nper view"),
    ):
        table = {b: e for b, e in capacity_table(condition, mode, "bits_per_parameter").items() if e.mean > 0}
        if not table:
            continue
        _capacity_line(ax, table, color, limited=budget_limited(condition, mode))
        labels.append(EndLabel(math.log2(table[max(table)].mean), text, color, strong=True))
        values = [found.mean for found in table.values()]
        lowest, highest = min(lowest, *values), max(highest, *values)
    asked = asked_bits_per_parameter(condition)
    if asked:
        ax.plot(list(asked), list(asked.values()), color=MUTED, linestyle="--", linewidth=1.2, zorder=1)
        labels.append(EndLabel(math.log2(asked[max(asked)]), "all labels of\nthe pool", MUTED))
        lowest, highest = min(lowest, *asked.values()), max(highest, *asked.values())
    if not labels:
        return ax
    bottom, top = math.floor(math.log2(lowest) - 0.3), math.ceil(math.log2(highest) + 0.3)
    ax.set_ylim(2.0**bottom, 2.0**top)
    stride = max(1, (top - bottom) // 6)
    ticks = [2.0**power for power in range(bottom, top + 1, stride)]
    ax.set_yticks(ticks, [f"{tick:g}" if tick >= 1 else f"1/{round(1 / tick)}" for tick in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    name_y(ax, "bits per parameter")
    _views_axis(ax, condition)
    label_ends(ax, [replace(label, y=_on_linear_scale(label.y, ax)) for label in labels])
    return ax


def plot_views(samples: ViewSamples, ax: Axes | None = None) -> Axes:
    """A contact sheet: one row per training image (the original, then its views), with its labels."""
    sheet = contact_sheet(samples)
    rows, columns = samples.originals.shape[0], samples.views.shape[1] + 1
    ax = (
        panel(height=WIDTH_OF_SHEET * rows / columns + 40, left=114, right=8, bottom=8, top=28)
        if ax is None
        else ax
    )
    ax.imshow(sheet, interpolation="nearest", aspect="auto")
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    cell_h, cell_w = sheet.shape[0] / rows, sheet.shape[1] / columns
    names = [
        f"given: {samples.class_name(int(used))}\nreally: {samples.class_name(int(true))}"
        for used, true in zip(samples.label_used, samples.label_true, strict=True)
    ]
    ax.set_yticks([(row + 0.5) * cell_h for row in range(rows)], names, fontsize=FONT - 1)
    ax.set_xticks(
        [0.5 * cell_w, (1 + (columns - 1) / 2) * cell_w], ["image", "views of it"], fontsize=FONT - 1
    )
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    return ax


WIDTH_OF_SHEET = 238.0  # points left for the images in a contact sheet


def contact_sheet(samples: ViewSamples) -> np.ndarray:
    """uint8 [rows, columns, 3]: originals in the first column, views in the others, white lines between."""
    rows = []
    for cells in sample_cells(samples):
        padded = [np.pad(cell, ((0, 1), (0, 1), (0, 0)), constant_values=255) for cell in cells]
        rows.append(np.concatenate(padded, axis=1))
    return np.concatenate(rows, axis=0)[:-1, :-1]


def sample_cells(samples: ViewSamples) -> list[list[np.ndarray]]:
    """For every image the pictures of its row, uint8 [h, w, 3] each: the original, then its views."""
    height, width = samples.views.shape[-2:]
    return [
        [_resized(_rgb(original), height, width), *(_rgb(view) for view in views)]
        for original, views in zip(samples.originals, samples.views, strict=True)
    ]


def capacity_table(condition: Condition, mode: str, name: str) -> dict[int, Estimate]:
    """{views B: estimate over seeds} of one number of the rows with one label mode, B ascending."""
    found: dict[int, list[float]] = {}
    for run in condition.runs:
        for row in run.rows:
            value = row.get(name)
            if row["label_mode"] == mode and isinstance(value, (int, float)) and math.isfinite(value):
                found.setdefault(int(row["views"]), []).append(float(value))
    return {views: Estimate(tuple(found[views])) for views in sorted(found)}


def budget_limited(condition: Condition, mode: str) -> set[int]:
    """The views B at which a seed had not finished learning."""
    return {
        int(row["views"])
        for run in condition.runs
        for row in run.rows
        if row["label_mode"] == mode and row.get("budget_limited") is True
    }


def asked_bits_per_parameter(condition: Condition) -> dict[int, float]:
    """{B: N B log2(C) / parameters}: what a network would hold that knew every label of the pool."""
    classes = condition.first.num_classes
    if not classes:
        return {}
    asked = {
        int(row["views"]): row["pool"] * math.log2(classes) / row["parameters"]
        for run in condition.runs
        for row in run.rows
        if row["label_mode"] == "random" and row.get("pool") and row.get("parameters")
    }
    return dict(sorted(asked.items()))


def in_projector(layer: str) -> bool:
    """Whether a layer lies behind the encoder."""
    return layer.startswith("projector") or layer == "logits"


def short_layer(layer: str) -> str:
    """A layer's name on at most two short lines."""
    return {"encoder": "output", "projector.hidden": "hidden"}.get(layer, layer.removeprefix("projector."))


def _final(condition: Condition) -> Estimate | None:
    return condition.number("probe_accuracy") or condition.layer_probe("encoder", "final")


def _probe_interval(condition: Condition, end: Estimate) -> tuple[float, float] | None:
    """Interval of the final probe: between seeds, else the stored one of the gain set upon its baseline."""
    if end.interval is not None:
        return end.interval
    gain, interval = condition.number("probe_gain"), condition.gain_interval()
    if gain is None or interval is None:
        return None
    return end.mean + interval[0] - gain.mean, end.mean + interval[1] - gain.mean


def _probe_baselines(ax: Axes, condition: Condition, labels: list[EndLabel], *, init: bool = True) -> None:
    """The raw-pixel line, the line of the untrained network, and chance."""
    lines = [(condition.raw_probe(), "--", "raw pixels")]
    if init:
        lines.append((condition.number("probe_accuracy_init"), ":", "before training"))
    for found, dashes, text in lines:
        if found is not None:
            _level(ax, found.mean, dashes, MUTED)
            labels.append(EndLabel(found.mean, text, MUTED))


def _level(ax: Axes, y: float, dashes: str, color: str) -> None:
    ax.axhline(y, color=color, linestyle=dashes, linewidth=1.2, zorder=1)


def _seed_lines(
    ax: Axes, curves: Sequence[Curve], color: str, dashes: object, *, faint: bool = True
) -> Curve:
    """Draws every seed faintly and their mean boldly; returns the mean."""
    if faint and len(curves) > 1:
        for curve in curves:
            ax.plot(curve.steps, curve.values, color=color, linewidth=0.8, alpha=0.35)
    mean = mean_curve(curves)
    if len(mean.steps) == 1:
        ax.plot(mean.steps, mean.values, "o", color=color, markersize=5)
    elif mean:
        ax.plot(mean.steps, mean.values, color=color, linestyle=dashes)
    return mean


def _step_axis(ax: Axes, steps: int | None) -> None:
    if steps:
        ax.set_xlim(0, steps)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.set_xlabel("update steps")


def _views_axis(ax: Axes, condition: Condition) -> None:
    counts = sorted({int(row["views"]) for run in condition.runs for row in run.rows})
    ax.set_xscale("log", base=2)
    shown = counts if len(counts) <= 9 else counts[::2]
    ax.set_xticks(shown, [str(count) for count in shown])
    ax.xaxis.set_minor_locator(NullLocator())
    if counts:
        ax.set_xlim(counts[0] / 1.25, counts[-1] * 1.25)
    ax.set_xlabel("views per image, B")


def _on_linear_scale(log2_value: float, ax: Axes) -> float:
    """Where a log2 value stands on a linear scale of the same limits; labels are placed linearly."""
    low, high = ax.get_ylim()
    share = (log2_value - math.log2(low)) / (math.log2(high) - math.log2(low))
    return low + share * (high - low)


def _capacity_line(ax: Axes, table: dict[int, Estimate], color: str, *, limited: set[int]) -> None:
    ax.plot(list(table), [found.mean for found in table.values()], color=color)
    for views, found in table.items():
        fill = PAPER if views in limited else color
        ax.plot(
            [views], [found.mean], "o", markersize=6.5, markerfacecolor=fill, markeredgecolor=color, mew=1.6
        )
        if found.interval is not None:
            ax.plot([views, views], found.interval, color=color, linewidth=1)


def _rgb(image: np.ndarray) -> np.ndarray:
    """[C, H, W] -> [H, W, 3]"""
    return np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest-neighbour resize, for originals whose size differs from that of the views."""
    rows = np.arange(height) * image.shape[0] // height
    columns = np.arange(width) * image.shape[1] // width
    return image[rows][:, columns]
