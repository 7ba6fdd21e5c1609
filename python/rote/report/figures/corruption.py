"""What a share of corrupted examples costs, and what random crops and weight decay have to do with it."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, name_y, percent_axis, points_with_intervals, share_ticks
from rote.report.rows import Mean, Row, Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import BLUE, FONT, GREEN, VERMILION, figure, panel

_NEEDED = ("condition", "corruption", "crop", "weight_decay")
VALUES = ("relative_time", "epochs_to_99", "test_error")
_GRID = ("train_accuracy", "test_accuracy")


@figure
def plot_corruption(
    table: Table, ax: Axes | None = None, *, value: str = "test_error", condition: str = "random-labels"
) -> Axes:
    """Time to 99 % of the training labels or test error, against the share of corrupted images.

    Args:
        table: the columns of noise.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "test_error"; "epochs_to_99"; "relative_time", the same over that without corruption, seed by seed.
            Seeds that never had 99 % are left out of times.
        condition: what the levels are of.

    Raises:
        ValueError: a column is missing, an unknown `value`, or fewer than two levels.
    """
    if value not in VALUES:
        raise ValueError(f"value must be one of {', '.join(VALUES)}; got {value!r}")
    column = "test_accuracy" if value == "test_error" else "epochs_to_99"
    rows = levels(rows_of(table, *_NEEDED, column), condition)
    if len(distinct(rows, "corruption")) < 2:
        raise ValueError(f"table must have at least two levels of {condition}")
    base = {row.get("seed"): row[column] for row in rows if row["corruption"] == 0}

    def measured(row: Row) -> float | None:
        if row[column] is None:
            return None
        if value == "test_error":
            return 1.0 - row[column]
        if value == "epochs_to_99":
            return row[column]
        return row[column] / base[row.get("seed")] if base.get(row.get("seed")) else None

    means = sorted(over_seeds(rows, ("corruption",), measured), key=lambda mean: mean.at["corruption"])
    if not means:
        raise ValueError(f"table must have a {value} at some level, it has none")
    ax = panel(right=30) if ax is None else ax
    color = VERMILION if value == "test_error" else BLUE
    points_with_intervals(ax, [mean.at["corruption"] for mean in means], means, color)
    if value == "test_error":
        percent_axis(ax, "test error", high=1.02)
    else:
        _time_axis(ax, means, value)
    ax.set_xlim(-0.04, 1.04)
    share_ticks(ax.xaxis, 0.0, 1.0)
    words = {"random-labels": "share of labels redrawn"}
    ax.set_xlabel(words.get(condition, f"share of images: {condition.replace('-', ' ')}"))
    return remember(ax, numbers(means, value, condition=condition))


@figure
def plot_regularizers(table: Table, ax: Axes | None = None) -> Axes:
    """Random crops and weight decay, each alone and both: test accuracy on true, training accuracy on random labels.

    Args:
        table: the columns of noise.csv of a run with its grid; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, or the grid is.
    """
    rows = rows_of(table, *_NEEDED, *_GRID)
    series = [
        ("true", "train_accuracy", GREEN, "true labels,\ntraining", True),
        ("true", "test_accuracy", GREEN, "true labels,\ntest", False),
        ("random-labels", "train_accuracy", VERMILION, "random labels,\ntraining", True),
        ("random-labels", "test_accuracy", VERMILION, "random labels,\ntest", False),
    ]
    whole = [row for row in rows if row["corruption"] == (0 if row["condition"] == "true" else 1)]
    decays = sorted({row["weight_decay"] for row in whole})
    if len(decays) != 2 or {row["crop"] for row in whole} != {False, True}:
        raise ValueError("table must have rows with and without random crops and with and without weight decay")
    places = [(False, decays[0]), (False, decays[1]), (True, decays[0]), (True, decays[1])]
    ax = panel(right=112, bottom=52) if ax is None else ax
    percent_axis(ax, "accuracy", high=1.03)
    marks, drawn = [], []
    for condition, value, color, text, hollow in series:
        own = [row for row in whole if row["condition"] == condition]
        means = over_seeds(own, ("crop", "weight_decay"), value)
        by_place = {(mean.at["crop"], mean.at["weight_decay"]): mean for mean in means}
        there = [(place, by_place[key]) for place, key in enumerate(places) if key in by_place]
        if not there:
            continue
        found = [mean for _, mean in there]
        points_with_intervals(ax, [place for place, _ in there], found, color, hollow=hollow, linewidth=1.0)
        marks.append(EndLabel(found[-1].mean, text, color))
        drawn += numbers(found, "accuracy", condition=condition, quantity=value)
    ax.set_xticks(range(4), ["neither", "weight\ndecay", "crops", "both"], fontsize=FONT - 0.5)
    ax.set_xlim(-0.4, 3.4)
    label_ends(ax, marks)
    return remember(ax, drawn)


def levels(rows: Sequence[Row], condition: str) -> list[Row]:
    """The rows of every level of a condition, true data as level 0, without crops, at the levels' weight decay."""
    plain = [row for row in rows if not row["crop"] and row["condition"] in ("true", condition)]
    decays = [row["weight_decay"] for row in plain if 0 < row["corruption"] < 1]
    return [row for row in plain if not decays or row["weight_decay"] == decays[0]]


def _time_axis(ax: Axes, means: Sequence[Mean], value: str) -> None:
    ends = [mean.interval[1] if mean.interval else mean.mean for mean in means]
    ax.set_ylim(0, 1.08 * max(ends))
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=value == "epochs_to_99"))
    if value == "relative_time":
        ax.yaxis.set_major_formatter(lambda number, _: f"{number:g}x")
    name_y(ax, "time to 99 %, over that on true labels" if value == "relative_time" else "epochs to 99 %")
