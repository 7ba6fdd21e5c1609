"""Examples with their true and with a wrong label along training, and where training is stopped."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from rote.report.exporting import remember
from rote.report.figures.training import step_axis
from rote.report.figures.transfer import repetitions
from rote.report.marks import EndLabel, label_ends, line_with_band, percent_axis
from rote.report.rows import Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, FONT, GREEN, INK, MUTED, PURPLE, VERMILION, figure, panel, shades

SERIES = (
    ("fit_clean", GREEN, "-", "true labels\nfitted"),
    ("fit_corrupted", VERMILION, "-", "wrong labels\nfitted"),
    ("validation_accuracy", MUTED, (0, (3, 2)), "validation,\nas noisy"),
    ("test_accuracy", BLUE, "-", "test"),
)


@figure
def plot_trajectories(table: Table, ax: Axes | None = None, *, noise: float | None = None) -> Axes:
    """Fit of the examples with true and with wrong labels along training, with validation and test accuracy.

    The vertical line is the epoch selected on the noisy validation part, mean over the networks.

    Args:
        table: the columns of trajectories.csv; with several seeds `seed`, too. Seeds and the networks of a run (column
            `network`) are repetitions alike.
        ax: where to draw; by default on a canvas of its own.
        noise: share of redrawn labels; None where the table has one.

    Raises:
        ValueError: a column is missing, or no row is of this share.
    """
    rows = rows_of(table, "noise", "network", "epoch", *(name for name, *_ in SERIES))
    rows = repetitions(only(rows, "noise", noise))
    ax = panel(right=102) if ax is None else ax
    percent_axis(ax, "accuracy", high=1.02)
    marks, drawn = [], []
    for name, color, dashes, text in SERIES:
        means = _along(rows, name)
        if means:
            line_with_band(ax, [mean.at["epoch"] for mean in means], means, color, dashes)
            marks.append(EndLabel(means[-1].mean, text, color, strong=name == "test_accuracy"))
            drawn += numbers(means, "value", quantity=name)
    selected = sum(selected_epochs(rows)) / len(selected_epochs(rows))
    drawn.append({"quantity": "selected epoch", "epoch": selected})
    _mark(ax, selected, max(row["epoch"] for row in rows))
    step_axis(ax, rows, "epoch", "epochs")
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_fitting(table: Table, ax: Axes | None = None) -> Axes:
    """The share of the training labels that is fitted along training, for every share of redrawn labels.

    The vertical line is a third of the steps.

    Args:
        table: the columns of trajectories.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing.
    """
    rows = repetitions(rows_of(table, "noise", "network", "epoch", "train_accuracy"))
    ax = panel(right=98) if ax is None else ax
    percent_axis(ax, "labels fitted", high=1.02)
    marks, drawn = [], []
    levels = sorted(distinct(rows, "noise"))
    for noise, color in zip(levels, _colors(levels), strict=True):
        means = _along([row for row in rows if row["noise"] == noise], "train_accuracy")
        line_with_band(ax, [mean.at["epoch"] for mean in means], means, color)
        marks.append(EndLabel(means[-1].mean, _name(noise), color, strong=noise == levels[0]))
        drawn += numbers(means, "train_accuracy", noise=noise)
    ax.axvline(max(row["epoch"] for row in rows) / 3, color=MUTED, linestyle=":", linewidth=1.2, zorder=1)
    step_axis(ax, rows, "epoch", "epochs")
    label_ends(ax, marks)
    return remember(ax, drawn)


def selected_epochs(rows: Sequence[Row]) -> list[float]:
    """Of each network the first epoch, from 1 on, with its best accuracy on the noisy validation part."""
    networks: dict[tuple, list[Row]] = {}
    for row in rows:
        if row["epoch"] > 0:
            networks.setdefault((row.get("run"), row.get("seed"), row["network"]), []).append(row)
    return [
        max(sorted(own, key=lambda row: row["epoch"]), key=lambda row: row["validation_accuracy"])["epoch"]
        for own in networks.values()
    ]


def _along(rows: Sequence[Row], name: str) -> list:
    return sorted(over_seeds(rows, ("epoch",), name), key=lambda mean: mean.at["epoch"])


def _mark(ax: Axes, epoch: float, last: float) -> None:
    """A vertical line where training is stopped, named above the axes."""
    ax.axvline(epoch, color=PURPLE, linewidth=1.4, zorder=1)
    place = blended_transform_factory(ax.transData, ax.transAxes)
    left = epoch < 0.5 * last
    ax.annotate(
        "stop" if left else "stop ",
        (epoch, 1),
        xycoords=place,
        xytext=(4 if left else -4, 2),
        textcoords="offset points",
        color=PURPLE,
        fontsize=FONT - 0.5,
        ha="left" if left else "right",
        va="bottom",
    )


def _colors(levels: Sequence[float]) -> list[str]:
    """True labels green, random ones vermilion, between them a ramp."""
    between = iter(shades(sum(0 < level < 1 for level in levels)))
    return [GREEN if level == 0 else VERMILION if level == 1 else next(between, INK) for level in levels]


def _name(noise: float) -> str:
    ends = {0.0: "true labels", 1.0: "random labels"}
    return ends.get(float(noise), f"{round(100 * noise)} % drawn\nby lot")
