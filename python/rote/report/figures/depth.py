"""Depth against the speed of memorizing and against generalization."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, log_ticks, name_y, percent_axis, points_with_intervals, share_ticks
from rote.report.rows import Row, Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import BLUE, GREEN, INK, PURPLE, VERMILION, figure, panel

SERIES = {
    ("width", "batch"): (BLUE, "-", "equal width,\nbatch norm"),
    ("width", "none"): (VERMILION, "-", "equal width,\nno norm"),
    ("parameters", "batch"): (GREEN, (0, (3, 2)), "equal size,\nbatch norm"),
    ("parameters", "none"): (PURPLE, (0, (3, 2)), "equal size,\nno norm"),
}
VALUES = ("epochs_to_99", "test_accuracy")


@figure
def plot_depth(table: Table, ax: Axes | None = None, *, value: str = "epochs_to_99") -> Axes:
    """Epochs to know 99 % of random labels, or test accuracy under true ones, against depth at its best learning rate.

    Depths that never knew 99 % have no point.

    Args:
        table: the columns of depth.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "epochs_to_99" or "test_accuracy".

    Raises:
        ValueError: a column is missing, or `value` is neither.
    """
    if value not in VALUES:
        raise ValueError(f"value must be one of {', '.join(VALUES)}; got {value!r}")
    rows = rows_of(table, "equal", "norm", "depth", value)
    ax = panel(right=102) if ax is None else ax
    marks, drawn = [], []
    heights: list[float] = []
    series = [(equal, norm) for equal in distinct(rows, "equal") for norm in distinct(rows, "norm")]
    for place, key in enumerate(series):
        color, dashes, text = SERIES.get(key, (INK, ":", f"equal {key[0]},\n{key[1]}"))
        own = [row for row in rows if (row["equal"], row["norm"]) == key]
        means = sorted(over_seeds(own, ("depth",), value), key=lambda mean: mean.at["depth"])
        if not means:
            continue
        x = [mean.at["depth"] for mean in means]
        points_with_intervals(ax, x, means, color, hollow=key[0] == "parameters", linestyle=dashes)
        marks.append(EndLabel(means[-1].mean, text, color, strong=place == 0))
        drawn += numbers(means, value, equal=key[0], norm=key[1])
        heights += _heights(means)
    _axes(ax, value, heights, sorted(distinct(rows, "depth")))
    label_ends(ax, marks)
    return remember(ax, drawn)


def censored(rows: Sequence[Row]) -> int:
    """Number of rows in which the labels were never known."""
    return sum(row.get("epochs_to_99") is None for row in rows)


def _axes(ax: Axes, value: str, heights: list[float], depths: list[Any]) -> None:
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.set_xlim(depths[0] - 0.4, depths[-1] + 0.4)
    ax.set_xlabel("depth of the network")
    if value == "epochs_to_99":
        if heights:
            ax.set_yscale("log", base=2)
            low, high = (math.floor(math.log2(min(heights))), math.ceil(math.log2(max(heights))))
            log_ticks(ax.yaxis, [2.0**power for power in range(max(low, 0), high + 1)], most=8)
            ax.set_ylim(min(heights) / 1.25, max(heights) * 1.25)
        name_y(ax, "epochs to 99 % of random labels")
        return
    percent_axis(ax, "test accuracy, true labels")
    if heights:
        span = max(max(heights) - min(heights), 0.02)
        low, high = max(min(heights) - 0.15 * span, 0.0), min(max(heights) + 0.15 * span, 1.0)
        ax.set_ylim(low, high)
        share_ticks(ax.yaxis, low, high)


def _heights(means: Sequence) -> list[float]:
    """Where points and the ends of their intervals stand."""
    return [end for mean in means for end in (mean.interval or (mean.mean, mean.mean))] + [mean.mean for mean in means]
