"""Capacity against the size of the network: what is held at each size, and the frontier with its slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from rote.report.estimates import Estimate, Line, fit_line
from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, log_ticks, name_y, percent_axis, points_with_intervals, short_number
from rote.report.rows import Mean, Row, Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import BLUE, FONT, MUTED, VERMILION, figure, panel, shades

SIZES = {"parameters": "parameters of the network", "width": "width of the network", "depth": "depth of the network"}


@figure
def plot_capacity_by_size(
    table: Table, ax: Axes | None = None, *, against: str = "parameters", label_mode: str = "random"
) -> Axes:
    """Accuracy on the pool against the size of the network, one line for each number of views B.

    Args:
        table: the columns of capacity.csv, of one N and one budget, at several sizes; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        against: "parameters", "width" or "depth".
        label_mode: "random" (every view its own label) or "same".

    Raises:
        ValueError: a column is missing, `against` is none of these, or rows of one size and B differ in something
            else than their seed.
    """
    rows = rows_of(table, "views", "label_mode", "accuracy_pool", _size(against))
    rows = [row for row in rows if row["label_mode"] == label_mode]
    ax = panel(right=70) if ax is None else ax
    percent_axis(ax, "accuracy on the pool", high=1.04)
    counts = sorted(distinct(rows, "views"))
    marks, drawn = [], []
    for views, color in zip(counts, shades(len(counts)), strict=True):
        own = [row for row in rows if row["views"] == views]
        means = sorted(over_seeds(own, (against,), "accuracy_pool"), key=lambda mean: mean.at[against])
        if not means:
            continue
        limited = {row[against] for row in own if row.get("budget_limited") is True}
        hollow = [mean.at[against] in limited for mean in means]
        points_with_intervals(ax, [mean.at[against] for mean in means], means, color, hollow=hollow)
        marks.append(EndLabel(means[-1].mean, f"B = {views}", color))
        drawn += numbers(means, "accuracy_pool", label_mode=label_mode, views=views)
    _size_axis(ax, rows, against)
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_frontier(table: Table, ax: Axes | None = None, *, against: str = "parameters", value: str = "samples") -> Axes:
    """The most random labels that fit, against the size of the network, on logarithmic axes with the fitted line.

    A line is fitted by least squares to the logarithms of each seed, budget-limited rows left out (they are drawn
    open); drawn is the mean line with the 95 % t interval between seeds. With fewer than three seeds it is one line
    through all rows with the interval of its fit. Slope 1 says that capacity is proportional to size.

    Args:
        table: the columns of frontier.csv; with several seeds `seed`.
        ax: where to draw; by default on a canvas of its own.
        against: "parameters", "width" or "depth".
        value: "samples" or "bits".

    Raises:
        ValueError: a column is missing, or `against` is none of these.
    """
    size = _size(against)
    rows = [row for row in rows_of(table, size, value) if (row.get(value) or 0) > 0 and (row.get(size) or 0) > 0]
    ax = panel(left=46, right=24) if ax is None else ax
    ax.set_yscale("log", base=2)
    means = sorted(over_seeds(rows, (size,), value), key=lambda mean: mean.at[size])
    if not means:
        raise ValueError(f"table must have a row with {size} and {value} above 0, it has none")
    limited = {row[size] for row in rows if row.get("budget_limited") is True}
    hollow = [mean.at[size] in limited for mean in means]
    points_with_intervals(ax, [mean.at[size] for mean in means], means, VERMILION, hollow=hollow, linewidth=0)
    drawn = [{**row, "budget_limited": flag} for row, flag in zip(numbers(means, value), hollow, strict=True)]
    fit = frontier_fit(rows, size, value)
    if fit is not None:
        drawn.append(_draw_fit(ax, fit, means, size))
    _size_axis(ax, rows, size)
    low, high = ax.get_ylim()
    log_ticks(ax.yaxis, [low, high], most=7)
    ax.set_ylim(low, high)
    name_y(ax, {"samples": "random labels fitted to 99 %", "bits": "bits held"}.get(value, value))
    return remember(ax, drawn)


@dataclass(frozen=True)
class FrontierFit:
    """log value = intercept + slope log size: a line for each seed, and one through all rows."""

    seeds: tuple[Line, ...]
    pooled: Line

    @property
    def over_seeds(self) -> bool:
        """Whether intervals are those between seeds; with fewer than three they are those of the one line's fit."""
        return len(self.seeds) >= 3

    @property
    def slope(self) -> float:
        return Estimate(tuple(line.slope for line in self.seeds)).mean if self.over_seeds else self.pooled.slope

    @property
    def slope_interval(self) -> tuple[float, float] | None:
        if self.over_seeds:
            return Estimate(tuple(line.slope for line in self.seeds)).interval
        return self.pooled.slope_interval

    def at(self, size: float) -> tuple[float, tuple[float, float] | None]:
        """The fitted value at a size, and its 95 % interval."""
        x = math.log(size)
        if self.over_seeds:
            found = Estimate(tuple(line.at(x) for line in self.seeds))
            mean, interval = found.mean, found.interval
        else:
            mean, interval = self.pooled.at(x), self.pooled.interval_at(x)
        return math.exp(mean), None if interval is None else (math.exp(interval[0]), math.exp(interval[1]))


def frontier_fit(rows: Sequence[Row], against: str = "parameters", value: str = "samples") -> FrontierFit | None:
    """The least-squares lines of log value against log size over the rows that are not budget-limited."""
    free = [row for row in rows if row.get("budget_limited") is not True and (row.get(value) or 0) > 0]

    def line(of: Sequence[Row]) -> Line | None:
        return fit_line([math.log(row[against]) for row in of], [math.log(row[value]) for row in of])

    pooled = line(free)
    if pooled is None:
        return None
    by_seed = [[row for row in free if row.get("seed") == seed] for seed in distinct(free, "seed")]
    return FrontierFit(tuple(found for own in by_seed if (found := line(own)) is not None), pooled)


def _draw_fit(ax: Axes, fit: FrontierFit, means: Sequence[Mean], size: str) -> dict:
    """Line and band over the range of sizes, and the slope in words; returns them as a row of numbers."""
    ends = [mean.at[size] for mean in means]
    x = np.geomspace(min(ends), max(ends), 50).tolist()
    line, band = zip(*(fit.at(size) for size in x), strict=True)
    ax.plot(x, line, color=BLUE, linewidth=1.4, zorder=1)
    text = f"slope {fit.slope:.2f}"
    low, high = fit.slope_interval or (None, None)
    if low is not None:
        lows, highs = zip(*band, strict=True)
        ax.fill_between(x, lows, highs, color=BLUE, alpha=0.16, linewidth=0, zorder=0)
        text += f"\n95 % interval {low:.2f} to {high:.2f}".replace("-", "\u2212")
        text += f",\nover {len(fit.seeds)} seeds" if fit.over_seeds else ",\nof the fit"
    ax.text(0.04, 0.96, text, transform=ax.transAxes, color=BLUE, fontsize=FONT - 0.5, va="top", fontweight="bold")
    return {"fit": "slope", "slope": fit.slope, "slope_low": low, "slope_high": high, "seeds": len(fit.seeds)}


def _size(against: str) -> str:
    if against not in SIZES:
        raise ValueError(f"against must be one of {', '.join(SIZES)}, got {against!r}")
    return against


def _size_axis(ax: Axes, rows: Sequence[Row], size: str) -> None:
    sizes = sorted(distinct(rows, size))
    ax.set_xscale("log", base=2)
    shown = sizes if len(sizes) <= 7 else sizes[::2]
    close = [b / a < 1.35 for a, b in pairwise(shown)]
    if any(close):
        log_ticks(ax.xaxis, sizes, most=5)
    else:
        log_ticks(ax.xaxis, shown, most=7)
        ax.set_xticks(shown, [short_number(value) for value in shown])
    ax.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    ax.set_xlabel(SIZES[size])
    ax.xaxis.label.set_color(MUTED)
