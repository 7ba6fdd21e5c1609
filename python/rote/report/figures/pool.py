"""The probe against the number of views per image that training is limited to."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, level, percent_axis, points_with_intervals
from rote.report.rows import Mean, Row, Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import BLUE, MUTED, VERMILION, figure, panel


@figure
def plot_probe_against_views(table: Table, ax: Axes | None = None) -> Axes:
    """The probe and the labels known at the end, against the views B of each image; the last place is no limit.

    Args:
        table: one row a run: `views` (missing where views never repeat), `probe_accuracy` and, where there are,
            `accuracy_pool`, `train_accuracy`, `probe_accuracy_raw`, `probe_accuracy_init`, `seed`: as
            `gather(folders, "summary.json")` gives them.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, or rows of one B differ in something else than their seed.
    """
    rows = rows_of(table, "views", "probe_accuracy")
    counts = sorted(distinct(rows, "views"))
    places = {count: float(i) for i, count in enumerate(counts)}
    endless = any(row.get("views") is None for row in rows)
    if endless:
        places[None] = len(counts) + (0.5 if counts else 0.0)
    ax = panel(right=92) if ax is None else ax
    percent_axis(ax, "accuracy", high=1.02)
    marks, drawn = [], []
    for name, dashes, text in (("probe_accuracy_raw", "--", "raw pixels"), ("probe_accuracy_init", ":", "untrained")):
        once = {row.get("seed"): row for row in rows if row.get(name) is not None}
        for mean in over_seeds(once.values(), (), name):
            level(ax, mean.mean, dashes, MUTED)
            marks.append(EndLabel(mean.mean, text, MUTED))
            drawn.append({"metric": name, "value": mean.mean, "seeds": len(mean.estimate.values)})
    series = [("train_accuracy", VERMILION, "labels known,\nimages"), ("probe_accuracy", BLUE, "probe,\ntrue classes")]
    for name, color, text in series:
        means = _along(rows, name, places)
        if not means:
            continue
        x = [places[mean.at["views"]] for mean in means]
        tied = [mean for mean in means if mean.at["views"] is not None]
        points_with_intervals(ax, x, means, color, linewidth=0)
        ax.plot(x[: len(tied)], [mean.mean for mean in tied], color=color)
        if len(tied) < len(means) and tied:
            ax.plot(x[-2:], [mean.mean for mean in means[-2:]], color=color, linestyle=":", linewidth=1.2)
        marks.append(EndLabel(means[-1].mean, text, color, strong=color == BLUE))
        drawn += [{"metric": name, **row} for row in numbers(means, "value")]
    names = [str(count) for count in counts] + (["no limit"] if endless else [])
    ax.set_xticks(list(places.values()), names)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(-0.4, max(places.values()) + 0.5)
    ax.set_xlabel("views per image, B")
    label_ends(ax, marks)
    return remember(ax, drawn)


def _along(rows: Sequence[Row], name: str, places: dict[int | None, float]) -> list[Mean]:
    return sorted(over_seeds(rows, ("views",), name), key=lambda mean: places[mean.at["views"]])
