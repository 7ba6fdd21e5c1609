"""What figures draw beside their data: direct labels, axes of percentages, reference lines, intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import NullLocator

from rote.report.rows import Mean
from rote.report.style import FONT, MUTED, PAPER


@dataclass(frozen=True)
class EndLabel:
    """A word beside the right end of a line, at data height `y`."""

    y: float
    text: str
    color: str
    strong: bool = False


def label_ends(ax: Axes, labels: Sequence[EndLabel], *, gap: float = 3.0) -> None:
    """Writes labels right of the axes at the height of their lines, moved apart where they would overlap.

    Lines need no legend then: the eye follows the line to its name. A hair line leads from the true height
    to a label that had to move.
    """
    if not labels:
        return
    size = FONT - 0.5
    height = ax.get_window_extent().height * 72.0 / ax.figure.dpi
    low, high = ax.get_ylim()
    points = [(axis_height(ax, label.y) - low) / (high - low) * height for label in labels]
    extents = [(label.text.count("\n") + 1) * size * 1.22 for label in labels]
    order = sorted(range(len(labels)), key=lambda i: points[i])
    placed = [points[i] for i in order]
    sizes = [extents[i] for i in order]
    for _ in range(200):  # relax overlaps symmetrically; converges in a few rounds for a handful of labels
        moved = False
        for i in range(len(placed) - 1):
            overlap = (sizes[i] + sizes[i + 1]) / 2 + gap - (placed[i + 1] - placed[i])
            if overlap > 0.05:
                placed[i] -= overlap / 2
                placed[i + 1] += overlap / 2
                moved = True
        shift = max(0.0, sizes[0] / 2 - 6 - placed[0])
        placed = [p + shift if i == 0 else p for i, p in enumerate(placed)]
        top = placed[-1] + sizes[-1] / 2 - (height + 14)
        if top > 0:
            placed[-1] -= top
        if not moved:
            break
    width = ax.get_window_extent().width * 72.0 / ax.figure.dpi
    for position, index in zip(placed, order, strict=True):
        label = labels[index]
        x0, x1 = 1 + 3 / width, 1 + 13 / width
        ax.plot(
            [x0, x1],
            [points[index] / height, position / height],
            transform=ax.transAxes,
            color=label.color,
            linewidth=0.8,
            clip_on=False,
        )
        ax.text(
            1 + 16 / width,
            position / height,
            label.text,
            transform=ax.transAxes,
            color=label.color,
            fontsize=size,
            fontweight="bold" if label.strong else "normal",
            va="center",
            linespacing=1.1,
        )


def percent_axis(ax: Axes, what: str, *, low: float = 0.0, high: float = 1.0) -> None:
    """A y axis of accuracies; its name stands above it, upright."""
    ax.set_ylim(low, high)
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    ax.set_yticks(ticks, [f"{round(100 * tick)} %" for tick in ticks])
    name_y(ax, what)


def name_y(ax: Axes, what: str) -> None:
    """The name of the y axis, above its upper end."""
    ax.annotate(
        what,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-38, 11),
        textcoords="offset points",
        color=MUTED,
        fontsize=FONT - 0.5,
        va="bottom",
    )


def level(ax: Axes, y: float, dashes: str, color: str) -> None:
    """A horizontal reference line behind the data."""
    ax.axhline(y, color=color, linestyle=dashes, linewidth=1.2, zorder=1)


def line_with_band(ax: Axes, x: Sequence[float], means: Sequence[Mean], color: str, dashes: object = "-", **line: Any):
    """Means joined by a line, and the band of their 95 % intervals where there are three seeds or more."""
    heights = [mean.mean for mean in means]
    if len(means) == 1:
        ax.plot(x, heights, "o", color=color, markersize=5)
    elif means:
        ax.plot(x, heights, color=color, linestyle=dashes, **line)
    banded = [(at, mean.interval) for at, mean in zip(x, means, strict=True) if mean.interval is not None]
    if len(banded) > 1:
        lows, highs = zip(*(interval for _, interval in banded), strict=True)
        ax.fill_between([at for at, _ in banded], lows, highs, color=color, alpha=0.16, linewidth=0, zorder=1)


def points_with_intervals(
    ax: Axes,
    x: Sequence[float],
    means: Sequence[Mean],
    color: str,
    *,
    hollow: Sequence[bool] | bool = False,
    **line: Any,
) -> None:
    """Points joined by a line, each with the bar of its 95 % interval; hollow ones are filled with paper."""
    flags = [hollow] * len(means) if isinstance(hollow, bool) else list(hollow)
    ax.plot(x, [mean.mean for mean in means], color=color, **{"linewidth": 2.0, **line})
    for at, mean, empty in zip(x, means, flags, strict=True):
        if mean.interval is not None:
            ax.plot([at, at], mean.interval, color=color, linewidth=1.2, zorder=2)
        fill = PAPER if empty else color
        ax.plot([at], [mean.mean], "o", markersize=6.5, markerfacecolor=fill, markeredgecolor=color, mew=1.6, zorder=3)


def share_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a share of 1 as percentages, at round steps that leave room."""
    span = high - low
    stride = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if span / s <= 6.5), 0.25)
    first = math.ceil(low / stride - 1e-9)
    ticks = [i * stride for i in range(first, math.floor(high / stride + 1e-9) + 1)]
    axis.set_ticks(ticks, [f"{round(100 * tick)} %".replace("-", "\u2212") for tick in ticks])


def log_ticks(axis: Axis, values: Sequence[float], *, base: float = 2.0, most: int = 6) -> None:
    """Ticks of a logarithmic axis at the powers of `base` about the values, or at the values where they are few."""
    there = sorted(set(values))
    if len(there) > most or not all(float(value).is_integer() for value in there):
        low, high = math.floor(math.log(there[0], base)), math.ceil(math.log(there[-1], base))
        stride = max(1, math.ceil((high - low) / most))
        there = [base**power for power in range(low, high + 1, stride)]
    axis.set_ticks(there, [short_number(value) for value in there])
    axis.set_minor_locator(NullLocator())


def short_number(value: float) -> str:
    """64 -> "64", 3802 -> "3.8k", 1649402 -> "1.6M", 0.125 -> "1/8"."""
    if 0 < value < 1 and math.log2(value).is_integer():
        return f"1/{round(1 / value)}"
    for unit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            scaled = value / unit
            return f"{scaled:.1f}".rstrip("0").rstrip(".") + sign if scaled < 99.95 else f"{scaled:.0f}{sign}"
    return f"{value:g}"


def axis_height(ax: Axes, y: float) -> float:
    """Where a value stands on a linear scale of the same limits: direct labels are placed linearly on log axes too."""
    if ax.get_yscale() != "log":
        return y
    low, high = ax.get_ylim()
    share = (math.log(max(y, low * 1e-9)) - math.log(low)) / (math.log(high) - math.log(low))
    return low + max(share, 0.0) * (high - low)
