"""The probe before and after training, condition by condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from rote.report.exporting import remember
from rote.report.figures.training import LABEL_COLORS
from rote.report.rows import Mean, Row, Table, distinct, over_seeds, rows_of
from rote.report.style import BLUE, FONT, GREEN, INK, MUTED, PAPER, SHADE, VERMILION, figure, panel

PROBES = ("probe_accuracy_init", "probe_accuracy", "probe_accuracy_raw")
IDEAL = {
    "none": ("no augmentation", VERMILION),
    "recipe": ("views of the same image", BLUE),
    "same-class": ("other images of its class (oracle)", GREEN),
}


@figure
def plot_controls(table: Table, ax: Axes | None = None) -> Axes:
    """Where the probe starts and ends in every condition, against the raw-pixel line.

    Args:
        table: one row a run: `labels`, `augment`, `probe_accuracy`, `probe_accuracy_init`, `probe_accuracy_raw` and,
            for several seeds, `seed`, as `gather(folders, "summary.json")` gives them. A column `condition` names the
            conditions where labels and augmentation do not tell them apart. Of a single run the stored interval
            of its gain, `probe_gain_interval`, stands for that between seeds.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, or two rows of one condition are of the same seed.
    """
    rows = [{**row, "condition": condition_of(row)} for row in rows_of(table, "labels", "augment", "probe_accuracy")]
    colors = {row["condition"]: LABEL_COLORS.get(row["labels"], INK) for row in rows}
    return _dumbbells(rows, ax, lambda name: name, colors)


@figure
def plot_ideal(table: Table, ax: Axes | None = None) -> Axes:
    """The probe with real augmentations beside that with ideal ones: real other images of the same class.

    Args:
        table: the columns of ideal.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, or two rows of one condition are of the same seed.
    """
    rows = rows_of(table, "condition", *PROBES)
    order = {name: i for i, name in enumerate(("same-class", "recipe", "none"))}
    rows.sort(key=lambda row: order.get(row["condition"], len(order)))
    names = {name: text for name, (text, _) in IDEAL.items()}
    colors = {name: color for name, (_, color) in IDEAL.items()}
    return _dumbbells(rows, ax, lambda name: names.get(name, name), colors)


def condition_of(row: Row) -> str:
    """The name of a run's condition: its column `condition`, else its labels and whether it is augmented."""
    if row.get("condition"):
        return str(row["condition"])
    how = "without" if row["augment"] == "none" else "with"
    return f"{row['labels']} labels, {how} augmentation"


def shortened(text: str, most: int) -> str:
    """Text of at most so many characters, with an ellipsis where it was cut."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _dumbbells(rows: Sequence[Row], ax: Axes | None, name: Callable[[str], str], colors: dict[str, str]) -> Axes:
    ends = over_seeds(rows, ("condition",), "probe_accuracy")
    starts = {mean.at["condition"]: mean for mean in over_seeds(rows, ("condition",), "probe_accuracy_init")}
    ax = panel(height=70 + 40 * max(len(ends), 1), left=12, right=56, top=20) if ax is None else ax
    drawn = []
    for place, end in enumerate(ends):
        condition, y = end.at["condition"], len(ends) - 1 - place
        color, start = colors.get(condition, INK), starts.get(condition)
        interval = _interval(end, [row for row in rows if row["condition"] == condition])
        ax.axhline(y, color=SHADE, linewidth=7, zorder=0, solid_capstyle="butt")
        if start is not None:
            ax.plot([start.mean, end.mean], [y, y], color=color, linewidth=2)
            ax.plot([start.mean], [y], "o", markersize=7, markerfacecolor=PAPER, markeredgecolor=color, mew=1.6)
        if interval is not None:
            ax.plot(interval, [y, y], color=color, linewidth=6, alpha=0.3, solid_capstyle="butt")
        for value in end.estimate.values if len(end.estimate.values) > 1 else ():
            ax.plot([value], [y], "|", color=color, markersize=9)
        ax.plot([end.mean], [y], "o", markersize=8, color=color)
        words = shortened(name(condition), 46)
        ax.text(0.0, y + 0.3, words, fontsize=FONT - 0.5, color=color, va="bottom")
        percent = f"{100 * end.mean:.1f} %"
        ax.text(1.02, y, percent, fontsize=FONT - 0.5, color=color, va="center", fontweight="bold")
        low, high = interval if interval is not None else (None, None)
        drawn.append(
            {
                "condition": condition,
                "probe_init": None if start is None else start.mean,
                "probe": end.mean,
                "probe_low": low,
                "probe_high": high,
                "seeds": len(end.estimate.values),
            }
        )
    raw = _raw(rows)
    if raw is not None:
        for y in range(len(ends)):  # beside the words, not through them
            ax.plot([raw.mean] * 2, [y - 0.28, y + 0.28], color=MUTED, linestyle="--", linewidth=1.2)
        text = f"raw pixels {100 * raw.mean:.1f} %"
        ax.text(raw.mean, len(ends) - 0.28, text, color=MUTED, fontsize=FONT - 0.5, ha="center", va="bottom")
        drawn.append({"condition": "raw pixels", "probe": raw.mean, "seeds": len(raw.estimate.values)})
    ax.set_ylim(-0.5, len(ends) - 0.35)
    ax.set_xlim(0, 1)
    ax.yaxis.set_major_locator(NullLocator())
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel("probe accuracy on true classes, encoder")
    return remember(ax, drawn)


def _raw(rows: Sequence[Row]) -> Mean | None:
    """The probe on raw pixels, once a seed: it does not depend on the condition."""
    once = {row.get("seed"): row for row in rows if row.get("probe_accuracy_raw") is not None}
    return next(iter(over_seeds(once.values(), (), "probe_accuracy_raw")), None)


def _interval(end: Mean, rows: Sequence[Row]) -> tuple[float, float] | None:
    """Interval of the final probe: between seeds, else that of one run's gain, moved to the probe."""
    if end.interval is not None:
        return end.interval
    stored, gain = rows[0].get("probe_gain_interval"), rows[0].get("probe_gain")
    if len(distinct(rows, "seed")) > 1 or gain is None or not isinstance(stored, (list, tuple)) or len(stored) != 2:
        return None
    if any(part is None for part in stored):
        return None
    return end.mean + stored[0] - gain, end.mean + stored[1] - gain
