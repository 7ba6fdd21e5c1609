"""Losses of all examples along training, sorted from easy to hard, as a heat map."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from rote.report.exporting import remember
from rote.report.figures.example_columns import example_columns, nan_mean, numeric
from rote.report.marks import name_y
from rote.report.rows import Table, distinct, only, over_seeds, rows_of
from rote.report.style import FONT, INK, MUTED, figure, panel, shades

BANDS, MOST_EPOCHS = 40, 60


@figure
def plot_sorted_losses(table: Table, ax: Axes | None = None, *, value: str = "loss") -> Axes:
    """Losses of the examples along training, sorted from easy to hard: a column an epoch, a band of examples a row.

    Sorted values show structure in pure noise. So the examples are sorted by one half and the other half is drawn: of
    several seeds the first half sorts and the others are averaged and drawn; of a single one the odd looks (first,
    third, ...) sort and the even ones are drawn, which tells noise of single looks apart, not luck of the whole
    training.

    Args:
        table: one row an example and epoch: `example_id`, `epoch` and the value; with several seeds `seed`, too. An
            example without a value in a drawn epoch is left out of its band there.
        ax: where to draw; by default on a canvas of its own.
        value: "loss", or another column of the table, for which large is hard.

    Raises:
        ValueError: a column is missing, or fewer than two looks or seeds.
    """
    columns = example_columns(table, "example_id", "epoch", value)
    cube, epochs = _cube(columns, value)
    if len(cube) > 1:
        sorting, drawn = cube[: len(cube) // 2], cube[len(cube) // 2 :]
        shown = np.arange(len(epochs))
    else:
        if len(epochs) < 2:
            raise ValueError("table must have two epochs or two seeds, one to sort by and one to draw; it has one")
        sorting, drawn, shown = cube[:, 0::2], cube[:, 1::2], np.arange(len(epochs))[1::2]
    keys = nan_mean(sorting.reshape(-1, cube.shape[2]), 0)
    order = np.argsort(np.where(np.isnan(keys), np.inf, keys), kind="stable")
    order = order[: int(np.isfinite(keys).sum())]
    picture = nan_mean(drawn, 0)[:, order]
    bands = min(BANDS, len(order))
    parts = np.array_split(np.arange(len(order)), bands)
    heights = np.stack([nan_mean(picture[:, part], 1) for part in parts])  # [band, epoch]
    return _draw(ax, heights, epochs[shown], value, seeds=len(drawn))


@figure
def plot_loss_bands(table: Table, ax: Axes | None = None, *, noise: float | None = None) -> Axes:
    """The same from losses that are sorted and averaged already, as a `trajectories` run stores them.

    Args:
        table: the columns of trajectories_heatmap.parquet; with several seeds `seed`, too, over which is averaged.
        ax: where to draw; by default on a canvas of its own.
        noise: share of redrawn labels; None where the table has one.

    Raises:
        ValueError: a column is missing, no row is of this share, or none of them has a loss.
    """
    rows = only(rows_of(table, "noise", "bin", "epoch", "loss"), "noise", noise)
    bins, epochs = (sorted(distinct(rows, name)) for name in ("bin", "epoch"))
    heights = np.full((len(bins), len(epochs)), np.nan)
    means = over_seeds(rows, ("bin", "epoch"), "loss")
    if not means:
        raise ValueError("table must have a finite loss, got none")
    for mean in means:
        heights[bins.index(mean.at["bin"]), epochs.index(mean.at["epoch"])] = mean.mean
    return _draw(ax, heights, np.array(epochs), "loss", seeds=max(len(mean.estimate.values) for mean in means))


def _draw(ax: Axes | None, heights: np.ndarray, epochs: np.ndarray, value: str, seeds: int) -> Axes:
    """The heat map of [bands, epochs], the easiest band first, of at most `MOST_EPOCHS` of the epochs."""
    if len(epochs) > MOST_EPOCHS:
        chosen = np.unique(np.linspace(0, len(epochs) - 1, MOST_EPOCHS).round().astype(int))
        heights, epochs = heights[:, chosen], epochs[chosen]
    ax = panel(right=74) if ax is None else ax
    ramp = shades(7)
    levels = np.unique(np.nanquantile(heights, np.linspace(0, 1, len(ramp) + 1)))
    steps = np.searchsorted(levels[1:-1], heights, side="right")
    for step in range(max(1, len(levels) - 1)):
        area = _area((steps == step) & np.isfinite(heights), 100 / len(heights))
        color = _shade(ramp, levels, step)
        ax.add_patch(PathPatch(area, facecolor=color, edgecolor=color, linewidth=0.3))  # the edge closes hair lines
    ax.set_xlim(0, len(epochs))
    ax.set_ylim(0, 100)
    ax.grid(False)
    ticks = _ticks(epochs)
    ax.set_xticks(ticks + 0.5, [f"{epochs[i]:g}" for i in ticks])
    ax.set_yticks([0, 50, 100], ["easy", "50 %", "hard"])
    ax.set_xlabel("epochs")
    name_y(ax, f"examples, sorted by {value.replace('_', ' ')}")
    _scale(ax, ramp, levels, value)
    rows = [
        {"band": band + 1, "epoch": float(epoch), value: _number(heights[band, column]), "seeds": seeds}
        for band in range(len(heights))
        for column, epoch in enumerate(epochs)
    ]
    return remember(ax, rows)


def _area(cells: np.ndarray, height: float) -> Path:
    """The cells [bands, epochs] of one shade as one path: neighbours of a row are one rectangle of it.

    A path a cell would make the heat maps most of a page.
    """
    corners = []
    for band, row in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(int), [0]))))
        low, high = band * height, (band + 1) * height
        for left, right in edges.reshape(-1, 2):
            corners.append([(left, low), (right, low), (right, high), (left, high), (left, low)])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(corners)
    return Path(np.reshape(corners, (-1, 2)), codes)


def _ticks(epochs: np.ndarray) -> np.ndarray:
    """Places of the epochs that are named: round ones, or evenly spread ones where too few of those were looked at."""
    round_ones = MaxNLocator(5, integer=True, steps=[1, 2, 3, 5, 10]).tick_values(epochs[0], epochs[-1])
    places = np.flatnonzero(np.isin(epochs, round_ones))
    return places if len(places) > 2 else np.unique(np.linspace(0, len(epochs) - 1, 5).round().astype(int))


def _shade(ramp: list[str], levels: np.ndarray, step: int) -> str:
    return ramp[round(step * (len(ramp) - 1) / max(1, len(levels) - 2))]


def _cube(columns: Mapping[str, np.ndarray], value: str) -> tuple[np.ndarray, np.ndarray]:
    """(values [seeds, epochs, examples], epochs), nan where a row is missing."""
    numbers = numeric(columns, value)
    seeds, s = np.unique(columns["seed"] if "seed" in columns else np.zeros(len(numbers)), return_inverse=True)
    epochs, e = np.unique(numeric(columns, "epoch"), return_inverse=True)
    examples, x = np.unique(columns["example_id"], return_inverse=True)
    cube = np.full((len(seeds), len(epochs), len(examples)), np.nan)
    cube[s.ravel(), e.ravel(), x.ravel()] = numbers
    return cube, epochs


def _scale(ax: Axes, ramp: list[str], levels: np.ndarray, value: str) -> None:
    """What colours mean: each shade holds a seventh of the cells."""
    ax.text(1.05, 1.0, value.replace("_", " "), transform=ax.transAxes, color=MUTED, fontsize=FONT - 1, va="bottom")
    steps = len(levels) - 1
    height = 0.94 / max(1, steps)
    for level in range(steps):
        color = _shade(ramp, levels, level)
        place = (1.05, 0.02 + level * height)
        patch = Rectangle(place, 0.05, height, transform=ax.transAxes, facecolor=color, clip_on=False, linewidth=0)
        ax.add_patch(patch)
    for level, edge in enumerate(levels):
        text = f"{edge:.2g}".replace("-", "\u2212")
        at = {"transform": ax.transAxes, "color": INK, "fontsize": FONT - 2, "va": "center"}
        ax.text(1.12, 0.02 + level * height, text, **at)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
