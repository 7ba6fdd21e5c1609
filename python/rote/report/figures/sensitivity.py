"""Loss-sensitivity: how unequal it is along training, and whose loss an example matters to."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rote.report.exporting import remember
from rote.report.figures.training import step_axis
from rote.report.marks import EndLabel, label_ends, line_with_band, name_y
from rote.report.rows import Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, FONT, MUTED, PURPLE, figure, panel, shades

_INPUTS = {"real": (BLUE, "real images"), "random": (PURPLE, "Gaussian noise")}
_LABELS = {"classes": ("-", ""), "exemplar": ((0, (3, 2)), ",\na class each")}
_STEPS = 7


@figure
def plot_gini(table: Table, ax: Axes | None = None, *, value: str = "gini") -> Axes:
    """The Gini coefficient of loss-sensitivity over training examples, along training.

    Args:
        table: the columns of sensitivity.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "gini", of the average over the times up to one, or "gini_now", of that time alone.

    Raises:
        ValueError: a column is missing, or `value` is neither.
    """
    if value not in ("gini", "gini_now"):
        raise ValueError(f"value must be gini or gini_now, got {value!r}")
    rows = rows_of(table, "inputs", "labels", "epoch", value)
    ax = panel(right=112) if ax is None else ax
    marks, drawn, tops = [], [], [0.3]
    for labels in distinct(rows, "labels"):
        dashes, ending = _LABELS.get(labels, (":", f",\n{labels}"))
        for inputs in distinct(rows, "inputs"):
            color, text = _INPUTS.get(inputs, (MUTED, str(inputs)))
            own = [row for row in rows if (row["inputs"], row["labels"]) == (inputs, labels)]
            means = sorted(over_seeds(own, ("epoch",), value), key=lambda mean: mean.at["epoch"])
            if not means:
                continue
            line_with_band(ax, [mean.at["epoch"] for mean in means], means, color, dashes)
            marks.append(EndLabel(means[-1].mean, text + ending, color, strong=inputs == "real" and not ending))
            drawn += numbers(means, value, inputs=inputs, labels=labels)
            tops += [mean.interval[1] if mean.interval else mean.mean for mean in means]
    step_axis(ax, rows, "epoch", "epochs")
    top = min(1.0, math.ceil(10 * max(tops) + 0.2) / 10)
    ax.set_ylim(0, top)
    ticks = [tenth / 10 for tenth in range(0, round(10 * top) + 1, 1 if top <= 0.6 else 2)]
    ax.set_yticks(ticks, [f"{tick:.1f}" for tick in ticks])
    name_y(ax, "Gini coefficient of sensitivity")
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_class_matrix(table: Table, ax: Axes | None = None, *, inputs: str = "real") -> Axes:
    """How much the loss of each class hangs on the examples of each class, in steps of a logarithmic scale.

    Args:
        table: the columns of sensitivity_classes.csv; with several seeds `seed`, too, over which is averaged.
        ax: where to draw; by default on a canvas of its own.
        inputs: "real" or "random".

    Raises:
        ValueError: a column is missing, no row is of these inputs, or nothing is positive.
    """
    rows = only(rows_of(table, "inputs", "loss_class", "example_class", "sensitivity"), "inputs", inputs)
    means = over_seeds(rows, ("loss_class", "example_class"), "sensitivity")
    values = [mean.mean for mean in means if mean.mean > 0]
    if not values:
        raise ValueError("table must have a positive sensitivity, got none")
    ax = panel(left=58, right=92, bottom=46, height=292) if ax is None else ax
    columns = sorted(distinct(rows, "example_class"), key=str)
    # One scale over a factor of at least ten, so that equal matrices look equal.
    high = math.log10(max(values))
    low = min(math.log10(min(values)), high - 1)
    colors = shades(_STEPS)
    for mean in means:
        step = 0 if mean.mean <= 0 else min(_STEPS - 1, int(_STEPS * (math.log10(mean.mean) - low) / (high - low)))
        corner = (columns.index(mean.at["example_class"]) - 0.5, columns.index(mean.at["loss_class"]) - 0.5)
        ax.add_patch(Rectangle(corner, 1, 1, facecolor=colors[step], edgecolor="none"))
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(len(columns) - 0.5, -0.5)
    ax.grid(False)
    short = [str(name)[:4] for name in columns]
    narrow = all(len(name) <= 2 for name in short)
    ax.set_xticks(range(len(columns)), short, rotation=0 if narrow else 90, fontsize=FONT - 1.5)
    ax.set_yticks(range(len(columns)), [str(name)[:8] for name in columns], fontsize=FONT - 1.5)
    ax.set_xlabel("class of the example")
    name_y(ax, "class of the loss")
    _key(ax, colors, 10**low, 10**high)
    return remember(ax, numbers(means, "sensitivity", inputs=inputs))


def _key(ax: Axes, colors: list[str], low: float, high: float) -> None:
    """The scale beside the matrix, strongest above."""
    height = 0.7 / len(colors)
    for step, color in enumerate(colors):
        place = (1.06, 0.15 + step * height)
        ax.add_patch(
            Rectangle(place, 0.06, height, transform=ax.transAxes, facecolor=color, edgecolor="none", clip_on=False)
        )
    for y, value in ((0.15 + 0.02, low), (0.85 - 0.02, high)):
        ax.text(1.15, y, f"{value:.1g}", transform=ax.transAxes, color=MUTED, fontsize=FONT - 1.5, va="center")
    ax.text(1.06, 0.93, "sensitivity", transform=ax.transAxes, color=MUTED, fontsize=FONT - 1.5, va="center")
