"""Size under noise: epochs until everything is fitted, and held-out accuracy by width."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, log_ticks, name_y, points_with_intervals, share_ticks
from rote.report.rows import Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, INK, MUTED, PAPER, PURPLE, VERMILION, figure, panel

CLEAN, REMOVED = "clean", "removed"
COLORS = {CLEAN: BLUE, "inputs": PURPLE, "labels": VERMILION, REMOVED: MUTED}
WORDS = {CLEAN: "real data", "inputs": "noisy inputs", "labels": "noisy labels", REMOVED: "noisy removed"}
_SWEEPS = {"width": "width of the network", "images": "images trained on"}
_VALUES = {"epochs": "epochs to 100 %", "ratio": "epochs / epochs on real data"}
# Of levels of one kind, strong to weak.
_DASHES = ("-", "--", ":", "-.")


@figure
def plot_convergence(table: Table, ax: Axes | None = None, *, sweep: str = "width", value: str = "epochs") -> Axes:
    """Epochs until all images are fitted, on real data and under noise, against width or number of images.

    Open points are lower bounds: some network was not done at the cap.

    Args:
        table: the columns of convergence.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        sweep: "width" or "images".
        value: "epochs", or "ratio" to those on real data, where real data were fitted.

    Raises:
        ValueError: a column is missing, `sweep` or `value` is none of these, or there is nothing to draw.
    """
    if sweep not in _SWEEPS:
        raise ValueError(f"sweep must be one of {', '.join(_SWEEPS)}; got {sweep!r}")
    if value not in _VALUES:
        raise ValueError(f"value must be one of {', '.join(_VALUES)}; got {value!r}")
    rows = only(rows_of(table, "sweep", sweep, "kind", "level", "epochs", "ratio", "censored"), "sweep", sweep)
    rows = [row for row in rows if row[value] is not None and (value == "epochs" or row["kind"] != CLEAN)]
    if not rows:
        raise ValueError(f"table must have a {value} to draw, it has none")
    ax = panel(right=104) if ax is None else ax
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    marks, drawn, heights = [], [], []
    for kind, level, dashes in _curves(rows):
        own = [row for row in rows if (row["kind"], row["level"]) == (kind, level)]
        means = sorted(over_seeds(own, (sweep,), value), key=lambda mean: mean.at[sweep])
        bounds = {row[sweep] for row in own if row["censored"]}
        hollow = [mean.at[sweep] in bounds for mean in means]
        color = COLORS.get(kind, INK)
        points_with_intervals(ax, [m.at[sweep] for m in means], means, color, hollow=hollow, linestyle=dashes)
        marks.append(EndLabel(means[-1].mean, _words(kind, level), color, strong=kind == CLEAN))
        heights += [mean.mean for mean in means]
        for row, bound in zip(numbers(means, value, sweep=sweep, kind=kind, level=level), hollow, strict=True):
            drawn.append({**row, "lower_bound": bound})
    sizes = sorted(distinct(rows, sweep))
    log_ticks(ax.xaxis, sizes, most=7)
    ax.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    log_ticks(ax.yaxis, heights, most=6)
    ax.set_ylim(min(heights) / 1.3, max(heights) * 1.3)
    ax.set_xlabel(_SWEEPS[sweep])
    name_y(ax, _VALUES[value])
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_noise_capacity(table: Table, ax: Axes | None = None, *, kind: str = "inputs") -> Axes:
    """Held-out accuracy against width: real data, one kind of noise by level, and the noisy examples left out.

    A ring marks the highest point of each curve.

    Args:
        table: the columns of noise_capacity.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        kind: "inputs" or "labels".

    Raises:
        ValueError: a column is missing, or no row is of this kind.
    """
    rows = rows_of(table, "width", "kind", "level", "validation_accuracy")
    if kind not in distinct(rows, "kind"):
        raise ValueError(f"kind must be one of the table's ({', '.join(distinct(rows, 'kind'))}), got {kind!r}")
    rows = [row for row in rows if row["kind"] in (CLEAN, kind, REMOVED)]
    ax = panel(right=104) if ax is None else ax
    ax.set_xscale("log", base=2)
    marks, drawn, heights = [], [], []
    for own_kind, level, dashes in _curves(rows):
        own = [row for row in rows if (row["kind"], row["level"]) == (own_kind, level)]
        means = sorted(over_seeds(own, ("width",), "validation_accuracy"), key=lambda mean: mean.at["width"])
        color = COLORS[own_kind]
        ax.plot([m.at["width"] for m in means], [m.mean for m in means], color=color, linestyle=dashes, linewidth=1.8)
        highest = max(means, key=lambda mean: mean.mean)
        place = ([highest.at["width"]], [highest.mean])
        ax.plot(*place, "o", markersize=7, markerfacecolor=PAPER, markeredgecolor=color, mew=1.6, zorder=3)
        marks.append(EndLabel(means[-1].mean, _words(own_kind, level), color, strong=own_kind == CLEAN))
        heights += [mean.mean for mean in means]
        drawn += numbers(means, "validation_accuracy", kind=own_kind, level=level)
    widths = sorted(distinct(rows, "width"))
    log_ticks(ax.xaxis, widths, most=7)
    ax.set_xlim(widths[0] / 1.3, widths[-1] * 1.3)
    span = max(max(heights) - min(heights), 0.04)
    ax.set_ylim(max(0.0, min(heights) - 0.08 * span), max(heights) + 0.1 * span)
    share_ticks(ax.yaxis, *ax.get_ylim())
    ax.set_xlabel("width of the network")
    name_y(ax, "accuracy, held-out images")
    label_ends(ax, marks)
    return remember(ax, drawn)


def _curves(rows: list[Row]) -> list[tuple[str, Any, str]]:
    """(kind, level, dashes) of every curve; of each kind the strongest noise is a whole line."""
    found = []
    for kind in distinct(rows, "kind"):
        levels = sorted(distinct([row for row in rows if row["kind"] == kind], "level"), reverse=True)
        found += [(kind, level, _DASHES[i % len(_DASHES)]) for i, level in enumerate(levels)]
    return found


def _words(kind: str, level: float) -> str:
    return WORDS[kind] if kind == CLEAN else f"{WORDS[kind]},\n{100 * level:g} %"
