"""Regularizers: what they keep from being memorized against what they cost, and losses along training."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, name_y, share_ticks
from rote.report.rows import Mean, Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, FONT, GREEN, INK, MUTED, PAPER, PURPLE, SHADE, VERMILION, figure, panel

NONE = "none"
# technique: (color, sign, words)
LOOKS = {
    "dropout": (BLUE, "o", "dropout"),
    "dropout+adversarial": (VERMILION, "P", "dropout, adv.\ntraining"),
    "input-dropout": (PURPLE, "s", "input dropout"),
    "input-noise": (GREEN, "^", "input noise"),
    "hidden-noise": (MUTED, "D", "hidden noise"),
    "weight-decay": (INK, "v", "weight decay"),
}
_OTHER = (MUTED, "o")


@figure
def plot_regularizer_tradeoff(table: Table, ax: Axes | None = None, *, allowed_cost: float | None = 0.02) -> Axes:
    """Accuracy on true labels against memorization of random ones, a line for each technique along its strength.

    Every line begins at the point without a regularizer. To the left less is memorized; a flat line costs nothing.

    Args:
        table: the columns of regularize.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        allowed_cost: depth of the shaded band below the accuracy without a regularizer; None for none.

    Raises:
        ValueError: a column is missing, or no row is without a regularizer.
    """
    rows = rows_of(table, "technique", "strength", "random_train_accuracy", "test_selected")
    start = _means([row for row in rows if row["technique"] == NONE])
    if not start:
        raise ValueError("table must have a row of technique none, without a regularizer; it has none")
    ax = panel(right=112) if ax is None else ax
    drawn, heights = _numbers(start), [start[0][1].mean]
    for technique in [name for name in distinct(rows, "technique") if name != NONE]:
        color, sign, text = LOOKS.get(technique, (*_OTHER, technique))
        own = _means([row for row in rows if row["technique"] == technique])
        line = [*start, *own]
        x, y = [across.mean for across, _ in line], [up.mean for _, up in line]
        ax.plot(x, y, color=color, linewidth=1.4, marker=sign, markersize=6, markevery=range(1, len(x)), label=text)
        drawn += _numbers(own)
        heights += y
    across, up = start[0]
    if allowed_cost is not None:
        ax.axhspan(up.mean - allowed_cost, up.mean, color=SHADE, zorder=0)
    ax.plot([across.mean], [up.mean], "o", markersize=9, markerfacecolor=PAPER, markeredgecolor=INK, mew=1.6, zorder=4)
    span = max(max(heights) - min(heights), 0.04)
    ax.set_ylim(min(heights) - 0.1 * span, max(heights) + 0.14 * span)
    ax.set_xlim(-0.03, 1.05)
    share_ticks(ax.xaxis, 0.0, 1.0)
    share_ticks(ax.yaxis, *ax.get_ylim())
    ax.set_xlabel("random labels known at the end")
    name_y(ax, "test accuracy, true labels")
    _legend(ax)
    return remember(ax, drawn)


@figure
def plot_regularizer_losses(table: Table, ax: Axes | None = None, *, labels: str = "random") -> Axes:
    """The loss along training, in train mode: without a regularizer, and each technique at its middle strength.

    Args:
        table: the columns of loss_curves.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        labels: "random" or "true".

    Raises:
        ValueError: a column is missing, or there are no such labels.
    """
    rows = only(rows_of(table, "technique", "strength", "labels", "epoch", "running_loss"), "labels", labels)
    ax = panel(right=120) if ax is None else ax
    drawn, marks = [], []
    for technique in distinct(rows, "technique"):
        own = [row for row in rows if row["technique"] == technique]
        strengths = sorted(distinct(own, "strength"))
        middle = strengths[len(strengths) // 2]
        own = [row for row in own if row["strength"] == middle]
        means = sorted(over_seeds(own, ("epoch",), "running_loss"), key=lambda mean: mean.at["epoch"])
        if not means:
            continue
        color, _, text = LOOKS.get(technique, (*_OTHER, technique))
        without = technique == NONE
        style = {"color": INK if without else color, "linestyle": ":" if without else "-"}
        ax.plot([mean.at["epoch"] for mean in means], [mean.mean for mean in means], linewidth=1.8, **style)
        words = "no regularizer" if without else f"{text} {middle:g}"
        marks.append(EndLabel(means[-1].mean, words, style["color"], strong=without))
        drawn += numbers(means, "running_loss", technique=technique, strength=middle, labels=labels)
    ax.set_ylim(bottom=0.0)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_xlabel("epochs")
    name_y(ax, f"training loss, {labels} labels")
    label_ends(ax, marks)
    return remember(ax, drawn)


def _means(rows: Sequence[Row]) -> list[tuple[Mean, Mean]]:
    """Both accuracies of every strength, weak to strong."""
    by = ("technique", "strength")
    pairs = zip(over_seeds(rows, by, "random_train_accuracy"), over_seeds(rows, by, "test_selected"), strict=True)
    return sorted(pairs, key=lambda pair: pair[0].at["strength"])


def _numbers(points: Sequence[tuple[Mean, Mean]]) -> list[dict]:
    found = []
    for across, up in points:
        row = numbers([across], "random_train_accuracy")[0]
        found.append({**row, **numbers([up], "test_selected")[0]})
    return found


def _legend(ax: Axes) -> None:
    place = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5), "borderaxespad": 0.0}
    ax.legend(**place, frameon=False, fontsize=FONT - 0.5, labelcolor="linecolor", handlelength=1.4, labelspacing=0.7)
