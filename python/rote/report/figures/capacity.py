"""How many labels fit into a network, against the number of views per image."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, level, log_ticks, name_y, percent_axis, points_with_intervals
from rote.report.rows import Mean, Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, MUTED, VERMILION, figure, panel

MODES = (("same", BLUE, "one label\nper image"), ("random", VERMILION, "own label\nper view"))


@figure
def plot_capacity(table: Table, ax: Axes | None = None, *, chance: float | None = None) -> Axes:
    """Accuracy on exactly the pool of N x B views, against the views per image B. Open points are budget-limited.

    Args:
        table: the columns of capacity.csv, of one network, one N and one budget; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        chance: accuracy of guessing, drawn as a line.

    Raises:
        ValueError: a column is missing, or the table holds several networks, N or budgets.
    """
    rows = _one_network(rows_of(table, "views", "label_mode", "accuracy_pool"))
    ax = panel(right=92) if ax is None else ax
    percent_axis(ax, "accuracy on the pool", high=1.04)
    marks, drawn = [], []
    for mode, color, text in MODES:
        means = along_views(rows, mode, "accuracy_pool")
        if means:
            limited = budget_limited(rows, mode)
            drawn += _line(ax, means, color, limited, "accuracy_pool", mode)
            marks.append(EndLabel(means[-1].mean, text, color, strong=True))
    if chance is not None:
        level(ax, chance, ":", MUTED)
        marks.append(EndLabel(chance, "chance", MUTED))
    _views_axis(ax, rows)
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_bits(table: Table, ax: Axes | None = None) -> Axes:
    """Bits of label information held per parameter, against B, beside those of perfect memory.

    Args:
        table: the columns of capacity.csv, of one network, one N and one budget; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, or the table holds several networks, N or budgets.
    """
    rows = _one_network(rows_of(table, "views", "label_mode", "bits_per_parameter"))
    ax = panel(right=92) if ax is None else ax
    ax.set_yscale("log", base=2)
    marks, drawn, values = [], [], []
    for mode, color, text in MODES:
        means = [mean for mean in along_views(rows, mode, "bits_per_parameter") if mean.mean > 0]
        if means:
            drawn += _line(ax, means, color, budget_limited(rows, mode), "bits_per_parameter", mode)
            marks.append(EndLabel(means[-1].mean, text, color, strong=True))
            values += [mean.mean for mean in means]
    asked = asked_bits_per_parameter(rows)
    if asked:
        ax.plot(list(asked), list(asked.values()), color=MUTED, linestyle="--", linewidth=1.2, zorder=1)
        marks.append(EndLabel(asked[max(asked)], "all labels of\nthe pool", MUTED))
        values += asked.values()
        drawn += [{"label_mode": "asked", "views": count, "bits_per_parameter": bits} for count, bits in asked.items()]
    _views_axis(ax, rows)
    if not values:
        return remember(ax, drawn)
    lowest = max(min(values), max(values) / 512)  # a memory next to nothing would squeeze everything else
    bottom, top = math.floor(math.log2(lowest) - 0.3), math.ceil(math.log2(max(values)) + 0.3)
    ax.set_ylim(2.0**bottom, 2.0**top)
    log_ticks(ax.yaxis, [2.0**power for power in range(bottom, top + 1)])
    ax.set_ylim(2.0**bottom, 2.0**top)
    name_y(ax, "bits per parameter")
    label_ends(ax, marks)
    return remember(ax, drawn)


def along_views(rows: Sequence[Row], mode: str, value: str) -> list[Mean]:
    """The mean over seeds of one number of the rows with one label mode, B ascending."""
    means = over_seeds([row for row in rows if row["label_mode"] == mode], ("views",), value)
    return sorted(means, key=lambda mean: mean.at["views"])


def budget_limited(rows: Sequence[Row], mode: str) -> set[int]:
    """The views B at which a seed had not finished learning."""
    return {row["views"] for row in rows if row["label_mode"] == mode and row.get("budget_limited") is True}


def asked_bits_per_parameter(rows: Sequence[Row]) -> dict[int, float]:
    """{B: N B log2(C) / parameters}: what a network would hold that knew every label of the pool."""
    asked = {}
    for row in rows:
        if row["label_mode"] != "random":
            continue
        if row.get("labels_per_parameter_bits") is not None:
            asked[row["views"]] = row["labels_per_parameter_bits"]
        elif row.get("pool") and row.get("parameters") and row.get("label_classes"):
            asked[row["views"]] = row["pool"] * math.log2(row["label_classes"]) / row["parameters"]
    return dict(sorted(asked.items()))


def _one_network(rows: list[Row]) -> list[Row]:
    for name in ("width", "depth", "parameters", "images", "budget"):
        only(rows, name, None)
    return rows


def _views_axis(ax: Axes, rows: Sequence[Row]) -> None:
    counts = sorted(distinct(rows, "views"))
    ax.set_xscale("log", base=2)
    shown = counts if len(counts) <= 9 else counts[::2]
    ax.set_xticks(shown, [str(count) for count in shown])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(counts[0] / 1.25, counts[-1] * 1.25)
    ax.set_xlabel("views per image, B")


def _line(ax: Axes, means: list[Mean], color: str, limited: set[int], value: str, mode: str) -> list[dict]:
    """Draws one label mode; returns its numbers."""
    hollow = [mean.at["views"] in limited for mean in means]
    points_with_intervals(ax, [mean.at["views"] for mean in means], means, color, hollow=hollow)
    rows = numbers(means, value, label_mode=mode)
    return [{**row, "budget_limited": flag} for row, flag in zip(rows, hollow, strict=True)]
