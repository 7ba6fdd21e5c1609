"""True and random data: the loss along training, and the order in which conditions are fitted."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from rote.report.exporting import remember
from rote.report.figures.training import step_axis
from rote.report.marks import EndLabel, label_ends, level, line_with_band, name_y, short_number
from rote.report.rows import Mean, Row, Table, numbers, over_seeds, rows_of
from rote.report.style import BLUE, FONT, GREEN, INK, MUTED, PURPLE, VERMILION, figure, panel

#: Conditions in the order in which they are expected to be fitted: colour and name.
CONDITIONS = {
    "true": (GREEN, "true labels"),
    "shuffled-pixels": (BLUE, "shuffled pixels"),
    "gaussian": (PURPLE, "Gaussian noise"),
    "random-pixels": (INK, "random pixels"),
    "random-labels": (VERMILION, "random labels"),
}
# Losses below this are drawn at it: how far below is of no interest, and of a small network's last digits.
_FLOOR = 1e-3


@figure
def plot_noise_curves(table: Table, ax: Axes | None = None, *, threshold: float = 0.1) -> Axes:
    """Training loss along training under each condition, of all images alike and without crops and weight decay.

    Args:
        table: measurements, with `condition`, `corruption`, `crop` and `weight_decay`, as
            `gather(folders, "metrics.jsonl")` of `noise` runs gives them.
        ax: where to draw; by default on a canvas of its own.
        threshold: the loss by which the order of fitting is told, drawn as a line.

    Raises:
        ValueError: a column is missing, or no condition has a loss.
    """
    columns = ("step", "metric", "value", "condition", "corruption", "crop", "weight_decay")
    rows = [row for row in whole_conditions(rows_of(table, *columns)) if row["metric"] == "loss"]
    if not rows:
        raise ValueError("table must have the loss of a condition that all images share, it has none")
    ax = panel(right=112) if ax is None else ax
    ax.set_yscale("log")
    lowest = max(_FLOOR, min(row["value"] for row in rows))
    ax.set_ylim(lowest * 0.8, 1.3 * max(row["value"] for row in rows))
    name_y(ax, "training loss")
    level(ax, threshold, "--", MUTED)
    marks, drawn = [], []
    for condition, (color, text) in CONDITIONS.items():
        own = [row for row in rows if row["condition"] == condition]
        means = sorted(
            over_seeds(own, ("step",), lambda row: max(row["value"], _FLOOR)), key=lambda mean: mean.at["step"]
        )
        if means:
            line_with_band(ax, [mean.at["step"] for mean in means], means, color)
            marks.append(EndLabel(means[-1].mean, text, color))
            drawn += numbers(means, "loss", condition=condition)
    step_axis(ax, rows)
    ax.yaxis.set_minor_locator(NullLocator())
    ticks = [tick for tick in (1e-3, 1e-2, 1e-1, 1.0) if lowest * 0.8 <= tick]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    label_ends(ax, marks)
    return remember(ax, drawn)


@figure
def plot_fitting_order(table: Table, ax: Axes | None = None, *, value: str = "steps_to_loss") -> Axes:
    """How many steps each condition took to be fitted, the one expected first at the top.

    Args:
        table: the columns of noise.csv; with several seeds `seed`, too. Seeds in which a condition was never fitted
            are left out, and counted beside it.
        ax: where to draw; by default on a canvas of its own.
        value: "steps_to_loss", "steps_to_90" or "steps_to_99".

    Raises:
        ValueError: a column is missing, an unknown `value`, or nothing was fitted.
    """
    if value not in ("steps_to_loss", "steps_to_90", "steps_to_99"):
        raise ValueError(f"value must be one of steps_to_loss, steps_to_90, steps_to_99; got {value!r}")
    rows = whole_conditions(rows_of(table, "condition", "corruption", "crop", "weight_decay", value))
    means = {mean.at["condition"]: mean for mean in over_seeds(rows, ("condition",), value)}
    if not means:
        raise ValueError("table must have a condition that was fitted, it has none")
    shown = [name for name in CONDITIONS if any(row["condition"] == name for row in rows)]
    ax = panel(height=70 + 30 * len(shown), left=108, right=66, top=12) if ax is None else ax
    for place, name in enumerate(shown):
        _order_row(ax, -place, CONDITIONS[name][0], means.get(name), [r for r in rows if r["condition"] == name], value)
    ax.set_yticks([-place for place in range(len(shown))], [CONDITIONS[name][1] for name in shown])
    ax.set_ylim(0.6 - len(shown), 0.6)
    highest = max(max(mean.estimate.values) for mean in means.values())
    highest = max([highest, *(mean.interval[1] for mean in means.values() if mean.interval)])
    ax.set_xlim(0, 1.06 * highest)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(lambda number, _: short_number(number))
    texts = {"steps_to_loss": "the loss is low", "steps_to_90": "90 % are right", "steps_to_99": "99 % are right"}
    ax.set_xlabel(f"update steps until {texts[value]}")
    ax.grid(False)
    return remember(ax, numbers(means.values(), value))


def whole_conditions(rows: Sequence[Row]) -> list[Row]:
    """Rows of conditions that all images share, without crops, at the weight decay of the run's own."""
    plain = [row for row in rows if row.get("condition") in CONDITIONS and not row["crop"]]
    plain = [row for row in plain if row["corruption"] == (0 if row["condition"] == "true" else 1)]
    decays = [row["weight_decay"] for row in plain if row["condition"] not in ("true", "random-labels")]
    own = decays[0] if decays else min((row["weight_decay"] for row in plain), default=0)
    return [row for row in plain if row["weight_decay"] == own]


def _order_row(ax: Axes, y: float, color: str, mean: Mean | None, rows: Sequence[Row], value: str) -> None:
    never = sum(row[value] is None for row in rows)
    text = "never" if mean is None else f"{mean.mean:,.0f}"
    if mean is not None:
        ax.plot([0, mean.mean], [y, y], color=color, linewidth=2, alpha=0.35)
        if mean.interval is not None:
            ax.plot([max(0.0, mean.interval[0]), mean.interval[1]], [y, y], color=color, linewidth=6, alpha=0.3)
        for found in mean.estimate.values if len(mean.estimate.values) > 1 else ():
            ax.plot([found], [y], "|", color=color, markersize=8)
        ax.plot([mean.mean], [y], "o", color=color, markersize=7)
        text += f"\n({never} never)" if never else ""
    ax.text(
        1.04,
        y,
        text,
        transform=ax.get_yaxis_transform(),
        color=color,
        fontsize=FONT - 0.5,
        fontweight="bold",
        va="center",
        linespacing=1.0,
    )
