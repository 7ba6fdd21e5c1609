"""The trade-off of diversity: what stronger augmentation costs in memorizing and brings in features."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, level, log_ticks, name_y, share_ticks
from rote.report.rows import Mean, Row, Table, over_seeds, rows_of
from rote.report.style import BLUE, FONT, MUTED, PURPLE, figure, panel

AXES = {
    "steps_to_90": "update steps to 90 % of the labels",
    "steps_to_99": "update steps to 99 % of the labels",
    "view_distance": "distance of two views / of two images",
    "strength": "strength of the augmentation",
    "train_accuracy": "labels known, training images",
    "train_accuracy_fresh_views": "labels known, new views",
}
VALUES = {"probe_accuracy": "probe accuracy, encoder", "probe_at_matched": "probe where the labels reach 90 %"}


@figure
def plot_tradeoff(table: Table, ax: Axes | None = None, *, x: str = "steps_to_90", y: str = "probe_accuracy") -> Axes:
    """The probe against a cost or a measure of diversity, one point a recipe, joined in order of strength.

    Args:
        table: the columns of diversity.csv; with several seeds `seed`, too. Recipes without a strength (policies) are
            drawn as open points by themselves.
        ax: where to draw; by default on a canvas of its own.
        x: "steps_to_90", "steps_to_99", "view_distance", "strength", "train_accuracy" or "train_accuracy_fresh_views".
        y: "probe_accuracy" (at the end, matched steps) or "probe_at_matched" (matched memorization).

    Raises:
        ValueError: a column is missing, or x or y is none of these.
    """
    if x not in AXES:
        raise ValueError(f"x must be one of {', '.join(AXES)}; got {x!r}")
    if y not in VALUES:
        raise ValueError(f"y must be one of {', '.join(VALUES)}; got {y!r}")
    rows = rows_of(table, "recipe", "strength", x, y)
    points = _points(rows, x, y)
    if not points:
        raise ValueError(f"table must have a row with both {x} and {y}, it has none")
    ax = panel(right=76) if ax is None else ax
    dial = sorted((p for p in points if p[0].at["strength"] is not None), key=lambda p: p[0].at["strength"])
    policies = [p for p in points if p[0].at["strength"] is None]
    if x.startswith("steps"):
        ax.set_xscale("log", base=2)
        log_ticks(ax.xaxis, [across.mean for across, _ in points], most=5)
    ax.plot([a.mean for a, _ in dial], [b.mean for _, b in dial], color=BLUE, linewidth=1.2, alpha=0.6, zorder=1)
    for group, color in ((dial, BLUE), (policies, PURPLE)):
        for across, up in group:
            if up.interval is not None:
                ax.plot([across.mean] * 2, up.interval, color=color, linewidth=1.2, zorder=2)
            if across.interval is not None:
                ax.plot(across.interval, [up.mean] * 2, color=color, linewidth=1.2, zorder=2)
            ax.plot([across.mean], [up.mean], "o" if group is dial else "D", markersize=7, color=color, zorder=3)
    marks, lines = _baselines(ax, rows)
    _limits(ax, [up for _, up in points], [mark.y for mark in marks])
    if x.startswith("train_accuracy"):
        share_ticks(ax.xaxis, *ax.get_xlim())
    _name_points(ax, dial, policies)
    ax.set_xlabel(AXES[x])
    name_y(ax, VALUES[y])
    label_ends(ax, marks)
    return remember(ax, [_row(across, up, x, y) for across, up in dial + policies] + lines)


def _points(rows: Sequence[Row], x: str, y: str) -> list[tuple[Mean, Mean]]:
    """For every recipe its place on both axes, over the seeds that have both numbers."""
    whole = [row for row in rows if row.get(x) is not None and row.get(y) is not None]
    by = ("recipe", "strength")
    return list(zip(over_seeds(whole, by, x), over_seeds(whole, by, y), strict=True))


def _row(across: Mean, up: Mean, x: str, y: str) -> dict:
    row = dict(across.at)
    for name, mean in ((x, across), (y, up)):
        low, high = mean.interval or (None, None)
        row |= {name: mean.mean, f"{name}_low": low, f"{name}_high": high}
    return {**row, "seeds": len(up.estimate.values)}


def _baselines(ax: Axes, rows: Sequence[Row]) -> tuple[list[EndLabel], list[dict]]:
    """Raw pixels and the untrained network, once a seed."""
    marks, lines = [], []
    for name, dashes, text in (("probe_accuracy_raw", "--", "raw pixels"), ("probe_accuracy_init", ":", "untrained")):
        once = {row.get("seed"): row for row in rows if row.get(name) is not None}
        for mean in over_seeds(once.values(), (), name):
            level(ax, mean.mean, dashes, MUTED)
            marks.append(EndLabel(mean.mean, text, MUTED))
            lines.append({"recipe": text, "probe_accuracy": mean.mean, "seeds": len(mean.estimate.values)})
    return marks, lines


def _limits(ax: Axes, heights: Sequence[Mean], levels: Sequence[float]) -> None:
    """Room about points and reference lines, and space at the sides for the points' names."""
    ends = [end for mean in heights for end in (mean.interval or (mean.mean,))] + list(levels)
    span = max(max(ends) - min(ends), 0.04)
    low, high = max(0.0, min(ends) - 0.12 * span), min(1.02, max(ends) + 0.16 * span)
    ax.set_ylim(low, high)
    share_ticks(ax.yaxis, low, high)
    ax.margins(x=0.1)


def _name_points(ax: Axes, dial: Sequence[tuple[Mean, Mean]], policies: Sequence[tuple[Mean, Mean]]) -> None:
    """Strength or name beside every point, moved up or down where two would lie on each other."""
    named = [(p, f"{p[0].at['strength']:g}", BLUE) for p in dial]
    named += [(p, str(p[0].at["recipe"]), PURPLE) for p in policies]
    taken: list[tuple[float, float, float, float]] = []
    size = FONT - 1.0
    box = ax.get_window_extent()
    for (across, up), text, color in named:
        x, y = ax.transData.transform((across.mean, up.mean)) / (ax.figure.dpi / 72)
        wide, tall = 0.62 * size * len(text), size * 1.1
        right = box.x1 / (ax.figure.dpi / 72)
        for dx, dy in ((7, 7), (7, -7 - tall), (-7 - wide, 7), (-7 - wide, -7 - tall), (7, 19), (7, -19 - tall)):
            place = (x + dx, y + dy, x + dx + wide, y + dy + tall)
            if place[2] <= right and all(_apart(place, other) for other in taken):
                break
        taken += [place, (x - 4, y - 4, x + 4, y + 4)]
        ax.annotate(
            text,
            (across.mean, up.mean),
            xytext=(place[0] - x, place[1] - y),
            textcoords="offset points",
            color=color,
            fontsize=size,
            va="bottom",
        )


def _apart(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
