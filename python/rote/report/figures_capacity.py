"""The figures of the capacity experiment, and the tables they draw."""

from __future__ import annotations

import math
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from rote.report.conditions import Condition, Estimate
from rote.report.style import (
    BLUE,
    MUTED,
    PAPER,
    VERMILION,
    EndLabel,
    label_ends,
    level,
    name_y,
    panel,
    percent_axis,
)

MODES = (("same", BLUE, "one label\nper image"), ("random", VERMILION, "own label\nper view"))


def plot_capacity(condition: Condition, ax: Axes | None = None) -> Axes:
    """Accuracy on exactly the pool of N x B views, against the views per image B."""
    ax = panel(right=92) if ax is None else ax
    percent_axis(ax, "accuracy on the pool", high=1.04)
    labels: list[EndLabel] = []
    for mode, color, text in MODES:
        table = capacity_table(condition, mode, "accuracy_pool")
        if table:
            _capacity_line(ax, table, color, limited=budget_limited(condition, mode))
            labels.append(EndLabel(table[max(table)].mean, text, color, strong=True))
    chance = condition.chance()
    if chance is not None:
        level(ax, chance, ":", MUTED)
        labels.append(EndLabel(chance, "chance", MUTED))
    _views_axis(ax, condition)
    label_ends(ax, labels)
    return ax


def plot_bits(condition: Condition, ax: Axes | None = None) -> Axes:
    """Bits of label information held per parameter, against B, beside those of perfect memory."""
    ax = panel(right=92) if ax is None else ax
    ax.set_yscale("log", base=2)
    labels: list[EndLabel] = []
    lowest, highest = math.inf, 0.0
    for mode, color, text in MODES:
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
    lowest = max(lowest, highest / 512)  # a memory next to nothing would squeeze everything else
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
    return low + max(share, 0.0) * (high - low)


def _capacity_line(ax: Axes, table: dict[int, Estimate], color: str, *, limited: set[int]) -> None:
    ax.plot(list(table), [found.mean for found in table.values()], color=color)
    for views, found in table.items():
        fill = PAPER if views in limited else color
        ax.plot([views], [found.mean], "o", markersize=6.5, markerfacecolor=fill, markeredgecolor=color, mew=1.6)
        if found.interval is not None:
            ax.plot([views, views], found.interval, color=color, linewidth=1)
