"""Examples one by one: the data map, and how AUM and forgetting are spread over them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.figures.example_columns import evenly, example_columns, flag, numeric
from rote.report.marks import name_y
from rote.report.rows import Table
from rote.report.style import BLUE, FONT, GREEN, INK, MUTED, PURPLE, VERMILION, figure, panel

# More points than this are neither seen nor worth their weight in a file.
MOST_POINTS = 3000
#: Pleiss et al. 2020: an example is flagged below this percentile of the threshold samples' AUM.
PERCENTILE = 99.0
_LEVELS = ((VERMILION, "0\u201333 %"), (PURPLE, "33\u201367 %"), (BLUE, "67\u2013100 %"))
_GROUPS = ((False, GREEN, "right\nlabels"), (True, VERMILION, "wrong\nlabels"))


@figure
def plot_data_map(table: Table, ax: Axes | None = None, *, most: int = MOST_POINTS) -> Axes:
    """The data map (Swayamdipta et al. 2020): each example at its variability and confidence along training.

    Colour is the share of looks at which the example was right. Hard examples lie at the lower left, ambiguous ones at
    the right, easy ones at the upper left. Crosses are examples whose label is not the true one.

    Args:
        table: one row an example: `variability`, `confidence`, `correctness` (a share, or a count of looks); where
            there `is_corrupted`. Of one training.
        ax: where to draw; by default on a canvas of its own.
        most: at most so many examples are drawn, by a fixed choice.

    Raises:
        ValueError: a column is missing, or no example has all three.
    """
    columns = example_columns(table, "variability", "confidence", "correctness")
    x, y, right = (numeric(columns, name) for name in ("variability", "confidence", "correctness"))
    right = right / max(1.0, np.nanmax(right)) if np.isfinite(right).any() else right
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(right))
    if not len(there):
        raise ValueError("table must have an example with variability, confidence and correctness, it has none")
    chosen = there[evenly(len(there), most)]
    ax = panel(right=88) if ax is None else ax
    wrong = flag(columns, "is_corrupted")
    marked = np.zeros(len(chosen), dtype=bool) if wrong is None else wrong[chosen]
    level = np.minimum((right[chosen] * len(_LEVELS)).astype(int), len(_LEVELS) - 1)
    small = len(chosen) > 800
    for number, (color, _) in enumerate(_LEVELS):
        own = chosen[(level == number) & ~marked]
        size = 2.6 if small else 4.0
        ax.plot(x[own], y[own], "o", color=color, markersize=size, alpha=0.6, markeredgewidth=0, zorder=2)
        own = chosen[(level == number) & marked]
        size = 3.2 if small else 4.4
        ax.plot(x[own], y[own], "x", color=color, markersize=size, alpha=0.8, markeredgewidth=0.9, zorder=3)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlim(-0.01, max(0.5, float(x[chosen].max()) * 1.02))
    ax.set_xticks([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
    ax.set_xlabel("variability")
    name_y(ax, "confidence")
    _key(ax, bool(marked.any()))
    shown = [
        {
            "variability": float(x[i]),
            "confidence": float(y[i]),
            "correctness": float(right[i]),
            **({} if wrong is None else {"is_corrupted": bool(wrong[i])}),
        }
        for i in chosen
    ]
    return remember(ax, shown)


@figure
def plot_aum(
    table: Table, ax: Axes | None = None, *, threshold: float | None = None, percentile: float = PERCENTILE
) -> Axes:
    """How AUM is spread over the examples, those with right and with wrong labels apart, and the threshold.

    Args:
        table: one row an example: `aum`; where there `is_corrupted`, and `is_threshold`, which marks the threshold
            samples; their percentile is drawn, they themselves are not. Of one training.
        ax: where to draw; by default on a canvas of its own.
        threshold: an AUM to draw instead.
        percentile: of the threshold samples.

    Raises:
        ValueError: a column is missing, or no example has an AUM.
    """
    columns = example_columns(table, "aum")
    aum, samples = numeric(columns, "aum"), flag(columns, "is_threshold")
    marked = np.zeros(len(aum), dtype=bool) if samples is None else samples
    if threshold is None and (marked & np.isfinite(aum)).any():
        threshold = float(np.percentile(aum[marked & np.isfinite(aum)], percentile))
    there = np.isfinite(aum) & ~marked
    if not there.any():
        raise ValueError("table must have an example with an AUM, it has none")
    ax = panel(right=88) if ax is None else ax
    edges = np.histogram_bin_edges(aum[there], bins=36)
    drawn = _histograms(ax, aum, there, flag(columns, "is_corrupted"), edges)
    if threshold is not None:
        ax.axvline(threshold, color=INK, linestyle="--", linewidth=1.2)
        low, high = ax.get_xlim()
        left = threshold > (low + high) / 2
        ax.annotate(
            f"threshold {threshold:.2g}".replace("-", "\u2212"),
            (threshold, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-5 if left else 5, -4),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize=FONT - 0.5,
            color=INK,
        )
        drawn.append({"group": "threshold", "aum_low": threshold, "aum_high": threshold, "share": None})
    ax.set_xlabel("area under the margin")
    return remember(ax, drawn)


@figure
def plot_forgetting(table: Table, ax: Axes | None = None) -> Axes:
    """How many examples were forgotten how often; those never learned stand apart, for they have no count.

    Args:
        table: one row an example: `forgetting_events`, `never_learned`; where there `is_corrupted`. Of one training.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing.
    """
    columns = example_columns(table, "forgetting_events", "never_learned")
    events, never = numeric(columns, "forgetting_events"), columns["never_learned"].astype(bool)
    wrong = flag(columns, "is_corrupted")
    counted = np.isfinite(events) & ~never
    most = int(events[counted].max()) if counted.any() else 0
    last = min(most, 11)  # beyond, the tail is one bar
    place = np.where(never, last + 2, np.minimum(np.nan_to_num(events), last))
    ax = panel(right=88, bottom=52) if ax is None else ax
    groups = [(None, BLUE, "")] if wrong is None else [g for g in _GROUPS if (wrong == g[0]).any()]
    drawn, marks = [], []
    width = 0.8 / len(groups)
    for number, (kind, color, words) in enumerate(groups):
        own = (counted | never) & (True if kind is None else wrong == kind)
        shares = np.bincount(place[own].astype(int), minlength=last + 3) / max(1, own.sum())
        at = np.arange(last + 3) + (number - (len(groups) - 1) / 2) * width
        ax.bar(at, shares, width=width * 0.94, color=color, zorder=2)
        if words:
            marks.append((words, color))
        for count in [*range(last + 1), last + 2]:
            kinds = {} if kind is None else {"is_corrupted": kind}
            drawn.append(
                {**kinds, "forgetting_events": "never learned" if count > last else count, "share": shares[count]}
            )
    ticks = [*range(last + 1), last + 2]
    names = [*(str(c) for c in range(last)), f"{last}" if last == most else f"{last}+", "never\nlearned"]
    keep = [i for i in range(len(ticks)) if last < 8 or i % 2 == 0 or i == len(ticks) - 1]
    keep = [i for i in keep if i == len(ticks) - 1 or i != len(ticks) - 2 or last % 2 == 0 or last < 8]
    ax.set_xticks([ticks[i] for i in keep], [names[i] for i in keep])
    ax.set_xlabel("times forgotten")
    _share_axis(ax)
    _names(ax, marks)
    return remember(ax, drawn)


def _histograms(
    ax: Axes, values: np.ndarray, there: np.ndarray, wrong: np.ndarray | None, edges: np.ndarray
) -> list[dict]:
    """Step histograms of each group's shares; their rows."""
    groups = [(None, BLUE, "")] if wrong is None else [g for g in _GROUPS if (wrong[there] == g[0]).any()]
    drawn, marks = [], []
    for kind, color, words in groups:
        own = there & (True if kind is None else wrong == kind)
        shares = np.histogram(values[own], edges)[0] / own.sum()
        ax.stairs(shares, edges, color=color, fill=True, alpha=0.22, zorder=1)
        ax.stairs(shares, edges, color=color, linewidth=1.6, zorder=2)
        if words:
            marks.append((words, color))
        group = "all" if kind is None else "wrong" if kind else "right"
        ends = zip(edges, edges[1:], shares, strict=False)
        drawn += [{"group": group, "aum_low": float(a), "aum_high": float(b), "share": float(s)} for a, b, s in ends]
    _share_axis(ax)
    _names(ax, marks)
    return drawn


def _share_axis(ax: Axes) -> None:
    high = ax.get_ylim()[1]
    ax.set_ylim(0, high * 1.02)
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    name_y(ax, "share of the examples")


def _names(ax: Axes, marks: list[tuple[str, str]]) -> None:
    """Names of groups at the right, in their colours."""
    for number, (words, color) in enumerate(marks):
        ax.text(1.04, 0.92 - 0.2 * number, words, transform=ax.transAxes, color=color, fontsize=FONT - 0.5, va="top")


def _key(ax: Axes, crosses: bool) -> None:
    """What colours and marks of the data map mean, at its right."""
    words = {"transform": ax.transAxes, "fontsize": FONT - 1.5, "va": "center"}
    ax.text(1.04, 0.97, "right in", color=MUTED, **words)
    lines = [("o", color, text) for color, text in reversed(_LEVELS)]
    lines += [("o", MUTED, "right label"), ("x", MUTED, "wrong label")] if crosses else []
    for number, (mark, color, text) in enumerate(lines):
        y = 0.88 - 0.085 * number - (0.05 if number >= len(_LEVELS) else 0.0)
        ax.plot([1.06], [y], mark, transform=ax.transAxes, color=color, markersize=5, clip_on=False)
        ax.text(1.1, y, text, color=INK, **words)
