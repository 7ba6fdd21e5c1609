"""Memorization and influence of single examples: scores, their split halves, pairs as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, name_y, share_ticks
from rote.report.rows import Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import FONT, GREEN, INK, MUTED, VERMILION, figure, panel

KINDS = {"wrong": (VERMILION, "wrong\nlabels"), "right": (GREEN, "right\nlabels")}
_PICTURE = 52.0  # points of a picture in the grid, and of the line of text under it
_LINE = 13.0


@figure
def plot_memorization(table: Table, ax: Axes | None = None) -> Axes:
    """How scores are spread, of examples with a wrong and with a right label, each kind as a share of its own.

    The bar above is the mean standard error of one score, to both sides: what lies closer together is one.

    Args:
        table: the columns of memorization.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing.
    """
    rows = rows_of(table, "label", "low", "high", "share", "examples", "standard_error")
    ax = panel(right=66) if ax is None else ax
    labels, drawn, highest, lowest = [], [], 0.0, 1.0
    for kind in distinct(rows, "label"):
        color, text = KINDS.get(kind, (INK, str(kind)))
        means = over_seeds([row for row in rows if row["label"] == kind], ("low", "high"), "share")
        means.sort(key=lambda mean: mean.at["low"])
        edges = [means[0].at["low"], *(mean.at["high"] for mean in means)]
        heights = [mean.mean for mean in means]
        ax.stairs(heights, edges, color=color, linewidth=2.0)
        ax.stairs(heights, edges, color=color, alpha=0.14, fill=True)
        for mean in means:
            if mean.interval is not None and mean.mean > 0:
                middle = (mean.at["low"] + mean.at["high"]) / 2
                ax.plot([middle, middle], [max(0.0, mean.interval[0]), mean.interval[1]], color=color, linewidth=1.0)
        highest = max(highest, *heights, *(mean.interval[1] for mean in means if mean.interval))
        lowest = min(lowest, *(edge for edge, height in zip(edges, heights, strict=False) if height > 0))
        labels.append(EndLabel(heights[-1], text, color, strong=kind == "wrong"))
        drawn += numbers(means, "share", label=kind)
    top = 1.18 * highest
    ax.set_ylim(0, top)
    ax.set_xlim(min(lowest, -0.05), 1.15)
    ticks = [tick for tick in (-1.0, -0.5, 0.0, 0.5, 1.0) if tick >= ax.get_xlim()[0]]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "\u2212") for tick in ticks])
    share_ticks(ax.yaxis, 0.0, highest)
    name_y(ax, "share of the examples")
    ax.set_xlabel("memorization score")
    error = _mean_error(rows)
    if error is not None:
        middle = (ax.get_xlim()[0] + 1.15) / 2
        ax.plot([middle - error, middle + error], [1.06 * highest] * 2, color=INK, linewidth=2.0, solid_capstyle="butt")
        ax.annotate(
            f"a score ± its standard error, {error:.3f}",
            (middle, 1.06 * highest),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=FONT - 1.5,
            color=MUTED,
        )
        drawn.append({"standard_error": error})
    label_ends(ax, labels)
    return remember(ax, drawn)


def _mean_error(rows: list[dict[str, Any]]) -> float | None:
    """The mean over all examples."""
    known = [(row["examples"], row["standard_error"]) for row in rows if row.get("standard_error") is not None]
    total = sum(examples for examples, _ in known)
    return sum(examples * error for examples, error in known) / total if total else None


@figure
def plot_halves(table: Table, ax: Axes | None = None) -> Axes:
    """The score of each example from one half of the networks against that from the other half.

    Args:
        table: the columns of halves.csv, of one run.
        ax: where to draw; by default on a canvas of its own.

    Raises:
        ValueError: a column is missing, or there are no rows.
    """
    rows = rows_of(table, "first_half", "second_half", "is_corrupted")
    ax = panel(right=66) if ax is None else ax
    both = [row for row in rows if row["first_half"] is not None and row["second_half"] is not None]
    low = min([0.0, *(min(row["first_half"], row["second_half"]) for row in both)]) - 0.05
    ax.plot([low, 1.05], [low, 1.05], color=MUTED, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1)
    labels = []
    for kind, wrong in (("right", False), ("wrong", True)):
        own = [row for row in both if bool(row["is_corrupted"]) == wrong]
        if not own:
            continue
        color, text = KINDS[kind]
        x, y = ([row[name] for row in own] for name in ("first_half", "second_half"))
        ax.plot(x, y, "o", color=color, markersize=3.2, alpha=0.55, markeredgewidth=0, zorder=2 + wrong)
        labels.append(EndLabel(float(np.mean(y)), text, color, strong=wrong))
    ax.set_xlim(low, 1.05)
    ax.set_ylim(low, 1.05)
    ticks = [tick for tick in (-1.0, -0.5, 0.0, 0.5, 1.0) if tick >= low]
    ax.set_xticks(ticks, [f"{tick:g}".replace("-", "\u2212") for tick in ticks])
    ax.set_yticks(ticks, [f"{tick:g}".replace("-", "\u2212") for tick in ticks])
    ax.set_xlabel("score from half of the networks")
    name_y(ax, "from the other half")
    label_ends(ax, labels)
    names = ("example_id", "is_corrupted", "first_half", "second_half")
    return remember(ax, [{name: row[name] for name in names if name in row} for row in both])


@figure
def plot_influence(grid: Mapping[str, Any], ax: Axes | None = None, *, single_scores: bool = False) -> Axes:
    """Test images, and beside each the training images that it owes its right answer to, the highest influence first.

    Under a training image stands the label it was trained with, in another colour where that is wrong.

    Args:
        grid: the arrays of influence.npz (`numpy.load` of it).
        ax: where to draw; by default on a canvas of its own.
        single_scores: also print each influence, for runs of so many networks that single ones may be quoted.

    Raises:
        ValueError: an array is missing, or there are no test images.
    """
    missing = [name for name in _GRID if name not in grid]
    if missing:
        raise ValueError(f"grid must have the arrays {', '.join(_GRID)}; it lacks {', '.join(missing)}")
    tests, trains = grid["train_id"].shape
    if tests == 0:
        raise ValueError("grid must hold at least one test image, holds none")
    row_height = _PICTURE + _LINE * (2 if single_scores else 1) + 6
    if ax is None:
        ax = panel(height=row_height * tests + 30, left=4, right=4, bottom=4, top=22)
    width = 352.0
    step = (width - 14.0) / (trains + 1)  # a gap between the test image and the others
    ax.set_xlim(0, width)
    ax.set_ylim(row_height * tests, 0)
    ax.set_axis_off()
    drawn: list[dict[str, Any]] = []
    for row in range(tests):
        top = row * row_height
        _picture(ax, grid["test_image"][row], 0.0, top, step)
        _under(ax, _name(grid, grid["test_label"][row]), step / 2, top, INK)
        for column in range(trains):
            if grid["train_id"][row, column] < 0:
                continue
            used, true = int(grid["train_label"][row, column]), int(grid["train_label_true"][row, column])
            left = step * (column + 1) + 14.0
            _picture(ax, grid["train_image"][row, column], left, top, step)
            _under(ax, _name(grid, used), left + step / 2, top, INK if used == true else VERMILION)
            influence, error = float(grid["influence"][row, column]), float(grid["standard_error"][row, column])
            if single_scores:
                _under(ax, f"{influence:.2f} ± {error:.2f}", left + step / 2, top + _LINE, MUTED)
            drawn.append(
                {
                    "test_id": int(grid["test_id"][row]),
                    "rank": column + 1,
                    "train_id": int(grid["train_id"][row, column]),
                    "train_label": used,
                    "train_label_true": true,
                    **({"influence": influence, "standard_error": error} if single_scores else {}),
                }
            )
    for text, x in (("test image", step / 2), ("training images it owes most to", step * (1 + trains / 2) + 14)):
        ax.annotate(
            text, (x, 0), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=FONT - 1, color=MUTED
        )
    return remember(ax, drawn)


_GRID = ("test_id", "test_image", "test_label", "train_id", "train_image", "train_label", "train_label_true")
_GRID = (*_GRID, "influence", "standard_error", "classes")


def _picture(ax: Axes, image: np.ndarray, left: float, top: float, step: float) -> None:
    """A picture [C, H, W] in the middle of a cell `step` wide."""
    shown = np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)
    start = left + (step - _PICTURE) / 2
    ax.imshow(shown, extent=(start, start + _PICTURE, top + _PICTURE, top), interpolation="nearest", aspect="auto")


def _under(ax: Axes, text: str, x: float, top: float, color: str) -> None:
    ax.text(x, top + _PICTURE + 2, text, ha="center", va="top", fontsize=FONT - 2, color=color)


def _name(grid: Mapping[str, Any], label: int) -> str:
    classes = grid["classes"]
    return str(classes[label]) if 0 <= label < len(classes) else str(label)
