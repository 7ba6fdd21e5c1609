"""The trade-off of diversity: what stronger augmentation costs in memorizing and brings in features."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, level, log_ticks, name_y, share_ticks
from rote.report.rows import Mean, Row, Table, over_seeds, rows_of
from rote.report.style import BLUE, FONT, MUTED, PAPER, PURPLE, figure, panel

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

    Only seeds that have both numbers count; the point of a recipe that lacks x in some seed (90 % of the labels were
    never reached) is open.

    Args:
        table: the columns of diversity.csv; with several seeds `seed`, too. Recipes without a strength (policies) are
            drawn as diamonds by themselves.
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
    short = {row["recipe"] for row in rows if row.get(y) is not None and row.get(x) is None}
    for group, color, sign in ((dial, BLUE, "o"), (policies, PURPLE, "D")):
        for across, up in group:
            if up.interval is not None:
                ax.plot([across.mean] * 2, up.interval, color=color, linewidth=1.2, zorder=2)
            if across.interval is not None:
                ax.plot(across.interval, [up.mean] * 2, color=color, linewidth=1.2, zorder=2)
            fill = PAPER if across.at["recipe"] in short else color
            place = ([across.mean], [up.mean])
            ax.plot(*place, sign, markersize=7, color=color, markerfacecolor=fill, mew=1.6, zorder=3)
    marks, lines = _baselines(ax, rows)
    _limits(ax, [up for _, up in points], [mark.y for mark in marks])
    if x.startswith("train_accuracy"):
        share_ticks(ax.xaxis, *ax.get_xlim())
    _name_points(ax, dial, policies, [mark.y for mark in marks])
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


def _name_points(
    ax: Axes,
    dial: Sequence[tuple[Mean, Mean]],
    policies: Sequence[tuple[Mean, Mean]],
    levels: Sequence[float],
) -> None:
    """Strength or name beside every point, where neither points nor bars, lines nor other names are."""
    named = [(pair, str(pair[0].at["recipe"]), PURPLE) for pair in policies]  # the longer first
    named += [(pair, f"{pair[0].at['strength']:g}", BLUE) for pair in dial]
    size, unit = FONT - 1.0, 72 / ax.figure.dpi
    ax.set_xlim(ax.get_xlim())  # the limits of the drawing, before anything is measured on it
    frame = ax.get_window_extent()
    left, right = frame.x0 * unit, frame.x1 * unit
    taken = _occupied(ax, dial, policies, unit)
    for height in levels:
        y = ax.transData.transform((ax.get_xlim()[1], height))[1] * unit
        taken.append((left, y - 1, right, y + 1))
    for (across, up), text, color in named:
        x, y = ax.transData.transform((across.mean, up.mean)) * unit
        wide, tall = 0.58 * size * len(text) + 2, size * 1.05
        places = [(x + dx, y + dy, x + dx + wide, y + dy + tall) for dx, dy in _around(wide, tall)]
        inside = [place for place in places if left <= place[0] and place[2] <= right] or places
        place = min(inside, key=lambda one: sum(_overlap(one, other) for other in taken) + 2 * places.index(one))
        taken.append(place)
        ax.annotate(
            text,
            (across.mean, up.mean),
            xytext=(place[0] - x, place[1] - y),
            textcoords="offset points",
            color=color,
            fontsize=size,
            va="bottom",
        )


def _around(wide: float, tall: float) -> list[tuple[float, float]]:
    """Places about a point for a text of this size, the nearest first."""
    near = [(-wide / 2, 7), (-wide / 2, -7 - tall), (7, 4), (-7 - wide, 4), (7, -4 - tall), (-7 - wide, -4 - tall)]
    return [*near, (-wide / 2, 18), (-wide / 2, -18 - tall), (14, 12), (-14 - wide, 12), (14, -12 - tall)]


def _occupied(
    ax: Axes, dial: Sequence[tuple[Mean, Mean]], policies: Sequence[tuple[Mean, Mean]], unit: float
) -> list[tuple[float, float, float, float]]:
    """The boxes of all points, of their bars, and of the line between the strengths, in points of the canvas."""

    def at(x: float, y: float) -> tuple[float, float]:
        return tuple(ax.transData.transform((x, y)) * unit)

    boxes = []
    for across, up in (*dial, *policies):
        x, y = at(across.mean, up.mean)
        boxes.append((x - 5, y - 5, x + 5, y + 5))
        if up.interval is not None:
            boxes.append((x - 1, at(across.mean, up.interval[0])[1], x + 1, at(across.mean, up.interval[1])[1]))
        if across.interval is not None:
            boxes.append((at(across.interval[0], up.mean)[0], y - 1, at(across.interval[1], up.mean)[0], y + 1))
    for (a, b), (c, d) in pairwise(dial):
        (x0, y0), (x1, y1) = at(a.mean, b.mean), at(c.mean, d.mean)
        for share in (i / 12 for i in range(13)):
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            boxes.append((x - 1, y - 1, x + 1, y + 1))
    return boxes


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    return 15 + wide * tall if wide > 0 and tall > 0 else 0.0  # thin bars count, too
