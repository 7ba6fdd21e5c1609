"""What training on random labels leaves for the next task, and how the first layer aligns with the data."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.figures.training import step_axis
from rote.report.marks import EndLabel, label_ends, line_with_band, name_y, percent_axis
from rote.report.rows import Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, FONT, GREEN, INK, MUTED, PAPER, PURPLE, VERMILION, figure, panel

STARTS = {
    "scratch": (MUTED, ":", "from scratch"),
    "random-labels": (BLUE, "-", "after random\nlabels"),
    "rescaled": (PURPLE, (0, (3, 2)), "the same,\nrescaled"),
    "covariance": (GREEN, (0, (1, 1)), "covariance\nonly"),
}


@figure
def plot_transfer(table: Table, ax: Axes | None = None, *, labels: str = "true", value: str = "test_accuracy") -> Axes:
    """Accuracy along the second training, for every way to start it.

    Args:
        table: the columns of transfer.csv; with several seeds `seed`, too. Seeds and the networks of a run (column
            `network`) are repetitions alike.
        ax: where to draw; by default on a canvas of its own.
        labels: those of the second training, "true" or "random".
        value: "test_accuracy" or "train_accuracy".

    Raises:
        ValueError: a column is missing, or no row is of these labels.
    """
    rows = only(repetitions(rows_of(table, "start", "labels", "epoch", value)), "labels", labels)
    ax = panel(right=108) if ax is None else ax
    names = {"test_accuracy": "test accuracy", "train_accuracy": "training accuracy"}
    percent_axis(ax, f"{names.get(value, value)}, {labels} labels", high=1.02)
    marks, drawn = [], []
    for start in distinct(rows, "start"):
        color, dashes, text = STARTS.get(start, (INK, "-", str(start)))
        means = over_seeds([row for row in rows if row["start"] == start], ("epoch",), value)
        means.sort(key=lambda mean: mean.at["epoch"])
        if means:
            line_with_band(ax, [mean.at["epoch"] for mean in means], means, color, dashes)
            marks.append(EndLabel(means[-1].mean, text, color, strong=start == "random-labels"))
            drawn += numbers(means, value, start=start, labels=labels)
    step_axis(ax, rows, "epoch", "epochs of the second training")
    label_ends(ax, marks)
    return remember(ax, drawn)


def repetitions(rows: Sequence[Row]) -> list[Row]:
    """The rows with the networks of a run told apart as seeds are."""
    return [{**row, "seed": (row.get("seed"), row["network"])} if "network" in row else row for row in rows]


@figure
def plot_alignment(table: Table, ax: Axes | None = None) -> Axes:
    """Misalignment of the first layer's filters with the principal directions of the data, 0 being aligned.

    Args:
        table: the columns of alignment.csv: `moment` ("init", "final" or a number of epochs), `misalignment`,
            `misalignment_random_basis`; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing.
    """
    rows = rows_of(table, "moment", "misalignment", "misalignment_random_basis")
    moments = distinct(rows, "moment")
    ax = panel(left=46, right=108) if ax is None else ax
    marks, drawn = [], []
    for name, color, text in (
        ("misalignment_random_basis", MUTED, "with a basis\ndrawn by lot"),
        ("misalignment", VERMILION, "with the data"),
    ):
        means = over_seeds(rows, ("moment",), name)
        if not means:
            continue
        x = [moments.index(mean.at["moment"]) for mean in means]
        ax.plot(x, [mean.mean for mean in means], color=color, linewidth=1.6)
        for at, mean in zip(x, means, strict=True):
            if mean.interval is not None:
                ax.plot([at, at], mean.interval, color=color, linewidth=1.2)
            empty = mean.at["moment"] in ("init", 0)
            fill = PAPER if empty else color
            ax.plot([at], [mean.mean], "o", markersize=7, markerfacecolor=fill, markeredgecolor=color, mew=1.6)
        marks.append(EndLabel(means[-1].mean, text, color, strong=name == "misalignment"))
        drawn += numbers(means, "value", quantity=name)
    low, high = ax.get_ylim()
    ax.set_ylim(min(0.0, low), high * 1.05)
    words = {"init": "before training", "final": "after training"}
    ax.set_xticks(range(len(moments)), [words.get(str(m), str(m)) for m in moments], fontsize=FONT - 0.5)
    ax.set_xlim(-0.4, len(moments) - 0.6)
    name_y(ax, "misalignment of the first layer")
    label_ends(ax, marks)
    return remember(ax, drawn)
