"""The size of a network against its memorization of single examples."""

from __future__ import annotations

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, log_ticks, percent_axis, points_with_intervals
from rote.report.rows import Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import BLUE, GREEN, MUTED, PURPLE, VERMILION, figure, panel

SERIES = (
    ("train_accuracy", MUTED, "fitted\nlabels"),
    ("memorization_corrupted", VERMILION, "score, wrong\nlabels"),
    ("memorization_clean", GREEN, "score, right\nlabels"),
    ("memorization_high", PURPLE, "examples\nover one half"),
    ("memorization_mean", BLUE, "mean score"),
)


@figure
def plot_size(table: Table, ax: Axes | None = None, *, against: str = "width") -> Axes:
    """Memorization scores of the training examples, against the size of the network.

    Drawn is what the table has of: accuracy on the half trained on, mean score of all examples, of those with a wrong
    and with a right label, and the share of examples with a score above one half.

    Args:
        table: the columns of size.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        against: "width" or "parameters".

    Raises:
        ValueError: a column is missing, or `against` is neither.
    """
    if against not in ("width", "parameters"):
        raise ValueError(f"against must be width or parameters, got {against!r}")
    rows = rows_of(table, against, "memorization_mean")
    ax = panel(right=102) if ax is None else ax
    percent_axis(ax, "share, score", high=1.02)
    sizes = sorted(distinct(rows, against))
    ax.set_xscale("log", base=2)
    marks, drawn = [], []
    for name, color, text in SERIES:
        means = sorted(over_seeds(rows, (against,), name), key=lambda mean: mean.at[against])
        if not means:
            continue
        points_with_intervals(ax, [mean.at[against] for mean in means], means, color)
        marks.append(EndLabel(means[-1].mean, text, color, strong=color == BLUE))
        drawn += numbers(means, "value", quantity=name)
    log_ticks(ax.xaxis, sizes, most=7)
    ax.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)
    ax.set_xlabel("width of the network" if against == "width" else "parameters of the network")
    label_ends(ax, marks)
    return remember(ax, drawn)
