"""Critical samples: along training, and against the share of noise."""

from __future__ import annotations

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, line_with_band, log_ticks, percent_axis, points_with_intervals
from rote.report.rows import Row, Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import BLUE, INK, PURPLE, VERMILION, figure, panel

KINDS = {
    "real": (BLUE, "real data"),
    "randX": (PURPLE, "noise for\nimages"),
    "randY": (VERMILION, "random\nlabels"),
}
_AGAINST = {"epoch": "epochs", "train_accuracy": "training accuracy"}
_VALUES = {
    "csr": "critical sample ratio",
    "test_accuracy": "test accuracy",
    "train_accuracy": "training accuracy",
}


@figure
def plot_csr(table: Table, ax: Axes | None = None, *, against: str = "epoch") -> Axes:
    """The critical sample ratio along training, of real data and where all images or labels are noise.

    Drawn are the test inputs of the headline: noise where all training images are noise, real images elsewhere.

    Args:
        table: the columns of csr.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        against: "epoch", or "train_accuracy": each look at the mean accuracy of the seeds.

    Raises:
        ValueError: a column is missing, `against` is neither, or no row is of a whole condition.
    """
    if against not in _AGAINST:
        raise ValueError(f"against must be one of {', '.join(_AGAINST)}, got {against!r}")
    rows = whole(rows_of(table, "condition", "share", "epoch", "train_accuracy", "csr", "headline"))
    if not rows:
        raise ValueError("table must have rows of real data or of a share of 1, got none")
    ax = panel(right=98) if ax is None else ax
    marks, drawn = [], []
    for kind in distinct(rows, "condition"):
        color, text = KINDS.get(kind, (INK, str(kind)))
        own = [row for row in rows if row["condition"] == kind]
        means = sorted(over_seeds(own, ("epoch",), "csr"), key=lambda mean: mean.at["epoch"])
        accuracy = {mean.at["epoch"]: mean.mean for mean in over_seeds(own, ("epoch",), "train_accuracy")}
        if against == "epoch":
            # The beginning stands half a step before the first epoch of the logarithmic axis.
            places = [max(mean.at["epoch"], 0.5) for mean in means]
            line_with_band(ax, places, means, color)
        else:
            points_with_intervals(ax, [accuracy[mean.at["epoch"]] for mean in means], means, color)
        marks.append(EndLabel(means[-1].mean, text, color, strong=kind == "real"))
        drawn += [{**row, "train_accuracy": accuracy[row["epoch"]]} for row in numbers(means, "csr", condition=kind)]
    _share_axis(ax, "csr", drawn)
    if against == "epoch":
        ax.set_xscale("log", base=2)
        last = max(row["epoch"] for row in rows)
        ticks = [2**power for power in range(20) if 2**power <= last]
        log_ticks(ax.xaxis, [0.5, *ticks])
        shown = [0.5, *ticks[:: 1 if len(ticks) < 6 else 2]]
        ax.set_xticks(shown, ["0", *(f"{tick}" for tick in shown[1:])])
        ax.set_xlim(0.45, last * 1.05)
    else:
        ax.set_xlim(0, 1.02)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel(_AGAINST[against])
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_csr_against_noise(table: Table, ax: Axes | None = None, *, value: str = "csr") -> Axes:
    """What a share of noise in the training set does, at the end of training, by real test images.

    Args:
        table: the columns of csr.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "csr", "test_accuracy" or "train_accuracy".

    Raises:
        ValueError: a column is missing, or `value` is none of these.
    """
    if value not in _VALUES:
        raise ValueError(f"value must be one of {', '.join(_VALUES)}, got {value!r}")
    rows = rows_of(table, "condition", "share", "epoch", "inputs", value)
    last = max(row["epoch"] for row in rows)
    rows = [row for row in rows if row["epoch"] == last and row["inputs"] == "real"]
    ax = panel(right=98) if ax is None else ax
    marks, drawn = [], []
    for kind in distinct(rows, "condition"):
        if kind == "real":
            continue
        color, text = KINDS.get(kind, (INK, str(kind)))
        own = [row for row in rows if row["condition"] in (kind, "real")]
        means = sorted(over_seeds(own, ("share",), value), key=lambda mean: mean.at["share"])
        points_with_intervals(ax, [mean.at["share"] for mean in means], means, color)
        marks.append(EndLabel(means[-1].mean, text, color, strong=kind == "randY"))
        drawn += numbers(means, value, condition=kind)
    if not drawn:
        raise ValueError("table must have rows of noise, got none")
    _share_axis(ax, value, drawn)
    ax.set_xlim(-0.03, 1.03)
    ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1], [f"{share} %" for share in (0, 20, 40, 60, 80, 100)])
    ax.set_xlabel("share of noise in the training set")
    label_ends(ax, marks)
    return remember(ax, drawn)


def whole(rows: list[Row]) -> list[Row]:
    """The rows of real data and of nothing but noise, on the test inputs of the headline."""
    return [row for row in rows if row["share"] in (0, 1) and row["headline"] in (True, "True")]


def _share_axis(ax: Axes, value: str, drawn: list[Row]) -> None:
    """A y axis of percentages, as high as the highest value asks, in fifths."""
    highest = max(row[f"{value}_high"] or row[value] for row in drawn)
    percent_axis(ax, _VALUES[value])
    # The ticks above stay, unseen.
    ax.set_ylim(0, next((top for top in (0.22, 0.42, 0.62, 0.82) if highest < top - 0.02), 1.02))
