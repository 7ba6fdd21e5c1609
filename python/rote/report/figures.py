"""The figures, one panel each: `plot_x(data, ax=None) -> Axes`."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from rote.report.conditions import Condition, Estimate, Study, mean_curve
from rote.report.records import Curve, in_projector
from rote.report.style import (
    BLUE,
    FONT,
    GREEN,
    HEIGHT,
    INK,
    MUTED,
    PAPER,
    PURPLE,
    SHADE,
    VERMILION,
    EndLabel,
    label_ends,
    level,
    panel,
    percent_axis,
)

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
        ("test", "probe_accuracy", condition.headline_layer, BLUE, "-", "probe,\ntrue classes"),
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
            condition.curves("test", "probe_accuracy", condition.headline_layer),
            color,
            "-" if condition.augmented else (0, (3, 2)),
            faint=False,
        )
        if curve:
            text = f"{condition.labels}, {'augm.' if condition.augmented else 'plain'}"
            labels.append(EndLabel(curve.values[-1], text, color))
    raw = next((c.raw_probe() for c in study.conditions if c.raw_probe()), None)
    if raw is not None:
        level(ax, raw.mean, "--", MUTED)
        labels.append(EndLabel(raw.mean, "raw pixels", MUTED))
    _step_axis(ax, max((c.steps or 0 for c in study.conditions), default=0))
    label_ends(ax, labels)
    return ax


def plot_controls(study: Study, ax: Axes | None = None) -> Axes:
    """Where the probe starts and ends in every condition, against the raw-pixel line."""
    rows = [(c, c.layer_probe(c.headline_layer, "init"), _final(c)) for c in study.conditions]
    rows = [(c, start, end) for c, start, end in rows if end is not None]
    ax = panel(height=70 + 40 * max(len(rows), 1), left=12, right=56, top=20) if ax is None else ax
    for row, (condition, start, end) in enumerate(rows):
        y = len(rows) - 1 - row
        color = LABEL_COLORS.get(condition.labels, INK)
        ax.axhline(y, color=SHADE, linewidth=7, zorder=0, solid_capstyle="butt")
        if start is not None:
            ax.plot([start.mean, end.mean], [y, y], color=color, linewidth=2)
            ax.plot([start.mean], [y], "o", markersize=7, markerfacecolor=PAPER, markeredgecolor=color, mew=1.6)
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
    crowded = len(condition.layers) > 6
    ax = panel(right=84, bottom=72 if crowded else 42, height=HEIGHT + 30 * crowded) if ax is None else ax
    layers = condition.layers
    percent_axis(ax, "probe accuracy by layer", high=1.02)
    labels: list[EndLabel] = []
    _probe_baselines(ax, condition, labels, init=False)
    border = next((i for i, layer in enumerate(layers) if in_projector(layer)), len(layers))
    if border < len(layers):
        ax.axvspan(border - 0.5, len(layers) - 0.5, color=SHADE, zorder=0, linewidth=0)
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
    ax.set_xticks(
        range(len(layers)),
        [short_layer(layer) for layer in layers],
        fontsize=FONT - (2.0 if crowded else 1.0),
        rotation=30 if crowded else 0,
    )
    _name_part(ax, "encoder", 0, border - 1, below=52 if crowded else 22)
    _name_part(ax, "projector", border, len(layers) - 1, below=52 if crowded else 22)
    label_ends(ax, labels)
    return ax


def _name_part(ax: Axes, name: str, first: int, last: int, *, below: float) -> None:
    """A line with a name under the layers first..last, `below` points under the axis."""
    if last < first:
        return
    shifted = ax.get_xaxis_transform() + ScaledTranslation(0, -below / 72, ax.figure.dpi_scale_trans)
    ax.plot([first - 0.36, last + 0.36], [0, 0], transform=shifted, color=MUTED, linewidth=0.8, clip_on=False)
    lower = shifted + ScaledTranslation(0, -3 / 72, ax.figure.dpi_scale_trans)
    middle = (first + last) / 2
    ax.text(middle, 0, name, transform=lower, color=MUTED, fontsize=FONT - 0.5, ha="center", va="top")


def short_layer(layer: str) -> str:
    """A layer's name on at most two short lines."""
    return {"encoder": "output", "projector.hidden": "hidden"}.get(layer, layer.removeprefix("projector."))


def _final(condition: Condition) -> Estimate | None:
    return condition.number("probe_accuracy") or condition.layer_probe(condition.headline_layer, "final")


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
        lines.append((condition.number("probe_accuracy_init"), ":", "untrained"))
    for found, dashes, text in lines:
        if found is not None:
            level(ax, found.mean, dashes, MUTED)
            labels.append(EndLabel(found.mean, text, MUTED))


def _seed_lines(ax: Axes, curves: Sequence[Curve], color: str, dashes: object, *, faint: bool = True) -> Curve:
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
