"""Whether the effect of augmentation survives other conventions: loss, normalization, number of label classes."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from rote.report.estimates import Estimate
from rote.report.exporting import remember
from rote.report.records import finite
from rote.report.rows import Mean, Row, Table, numbers, rows_of
from rote.report.style import BLUE, FONT, INK, MUTED, SHADE, VERMILION, figure, panel

LOSSES = {"mse": "squared error", "ce": "cross-entropy"}


@figure
def plot_robustness(table: Table, ax: Axes | None = None) -> Axes:
    """Probe with augmentation minus probe without, seed by seed, for every loss, normalization and number of classes.

    Args:
        table: one row a run with random labels: `loss`, `norm`, `label_classes`, `augment` ("none" or a recipe),
            `probe_accuracy`, `seed` and `steps` (a pair has equally many; the longest pairs count), as
            `gather(folders, "summary.json")` gives them.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, a seed of one cell appears twice, or no seed was run both ways.
    """
    cells = paired_cells(rows_of(table, "loss", "norm", "label_classes", "augment", "probe_accuracy"))
    if not cells:
        raise ValueError("table must have a seed that was run with and without augmentation, it has none")
    groups = list(dict.fromkeys((cell.at["loss"], cell.at["norm"]) for cell in cells))
    height = 66 + 24 * len(cells) + 26 * len(groups)
    ax = panel(height=height, left=84, right=56, top=16) if ax is None else ax
    y, ticks = 0.0, []
    for loss, norm in groups:
        words = f"{LOSSES.get(loss, loss)}, {'no' if norm == 'none' else norm} normalization"
        ax.text(-0.21, y, words, transform=ax.get_yaxis_transform(), fontsize=FONT - 0.5, color=INK, va="center")
        y -= 1.0
        first = y
        for cell in (c for c in cells if (c.at["loss"], c.at["norm"]) == (loss, norm)):
            _draw(ax, cell, y)
            ticks.append((y, f"{cell.at['label_classes']:,} labels"))
            y -= 1.0
        ax.plot([0, 0], [first + 0.5, y + 0.5], color=MUTED, linewidth=1.2, zorder=1)
    ax.set_ylim(y + 0.3, 0.6)
    ax.margins(x=0.08)
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, -0.01), max(high, 0.01))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks([place for place, _ in ticks], [text for _, text in ticks], fontsize=FONT - 1)
    ax.grid(False)
    ax.xaxis.set_major_formatter(_points)
    ax.set_xlabel("probe with − without augmentation, points")
    return remember(ax, numbers(cells, "difference"))


def paired_cells(rows: Sequence[Row]) -> list[Mean]:
    """The difference of the probe, with - without augmentation, paired by seed, for every cell of the grid.

    Only runs of equally many update steps (column `steps`, where there is one) make a pair; of several lengths of a
    cell the longest counts.
    """
    grid: dict[tuple, dict[tuple, dict[bool, float]]] = {}
    for row in rows:
        value = finite(row["probe_accuracy"])
        if value is None:
            continue
        key, augmented = (row["loss"], row["norm"], row["label_classes"]), row["augment"] != "none"
        sides = grid.setdefault(key, {}).setdefault((row.get("steps") or 0, row.get("seed")), {})
        if augmented in sides:
            place = f"loss={key[0]}, norm={key[1]}, label_classes={key[2]}, augment={row['augment']}"
            raise ValueError(f"table must have one row a seed at {place}; two are of seed {row.get('seed')}")
        sides[augmented] = value
    cells = []
    for (loss, norm, classes), places in grid.items():
        pairs = {place: sides[True] - sides[False] for place, sides in places.items() if len(sides) == 2}
        longest = max((steps for steps, _ in pairs), default=0)
        found = tuple(gain for (steps, _), gain in pairs.items() if steps == longest)
        if found:
            at = {"loss": loss, "norm": norm, "label_classes": classes, "steps": longest or None}
            cells.append(Mean(at, Estimate(found)))
    return sorted(cells, key=lambda cell: (cell.at["loss"] != "mse", str(cell.at["norm"]), cell.at["label_classes"]))


def _points(value: float, _: int) -> str:
    """A tick in points, with its sign, as it is: +5, +2.5, 0."""
    text = f"{round(100 * value, 6):+g}".replace("-", "\u2212")
    return "0" if text in ("+0", "\u22120") else text


def _draw(ax: Axes, cell: Mean, y: float) -> None:
    color = BLUE if cell.mean > 0 else VERMILION
    ax.axhline(y, color=SHADE, linewidth=7, zorder=0, solid_capstyle="butt")
    if cell.interval is not None:
        ax.plot(cell.interval, [y, y], color=color, linewidth=6, alpha=0.3, solid_capstyle="butt")
    for value in cell.estimate.values if len(cell.estimate.values) > 1 else ():
        ax.plot([value], [y], "|", color=color, markersize=8)
    ax.plot([cell.mean], [y], "o", color=color, markersize=7)
    text = f"{100 * cell.mean:+.1f}".replace("-", "\u2212")
    ax.text(
        1.03,
        y,
        text,
        transform=ax.get_yaxis_transform(),
        fontsize=FONT - 0.5,
        color=color,
        va="center",
        fontweight="bold",
    )
