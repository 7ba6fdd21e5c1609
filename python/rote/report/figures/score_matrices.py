"""Many examples at once: losses sorted along training, and how scores agree with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Rectangle

from rote.report.exporting import remember
from rote.report.figures.example_columns import example_columns, numeric
from rote.report.marks import name_y
from rote.report.rows import Table
from rote.report.style import BLUE, FONT, INK, MUTED, VERMILION, figure, panel, shades
from rote.statistics import spearman

BANDS, MOST_EPOCHS = 40, 60
#: Scores that are compared where no others are named, in the order of the figure.
SCORES = (
    *("mean_loss", "confidence", "aum", "variability", "forgetting_events", "learned_epoch", "mean_el2n", "grand"),
    *("prediction_depth", "curvature", "memorization", "knn_disagreement"),
)


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
    keys = _mean(sorting.reshape(-1, cube.shape[2]), 0)
    order = np.argsort(np.where(np.isnan(keys), np.inf, keys), kind="stable")
    order = order[: int(np.isfinite(keys).sum())]
    picture = _mean(drawn, 0)[:, order]
    if len(shown) > MOST_EPOCHS:
        chosen = np.unique(np.linspace(0, len(shown) - 1, MOST_EPOCHS).round().astype(int))
        picture, shown = picture[chosen], shown[chosen]
    bands = min(BANDS, len(order))
    parts = np.array_split(np.arange(len(order)), bands)
    heights = np.stack([_mean(picture[:, part], 1) for part in parts])  # [band, epoch]
    ax = panel(right=74) if ax is None else ax
    ramp = shades(7)
    levels = np.unique(np.nanquantile(heights, np.linspace(0, 1, len(ramp) + 1)))
    norm = BoundaryNorm(levels, len(ramp)) if len(levels) > 2 else None
    mesh = ax.pcolormesh(
        np.arange(len(shown) + 1),
        np.linspace(0, 100, bands + 1),
        heights,
        cmap=ListedColormap(ramp),
        norm=norm,
        edgecolors="face",
        linewidth=0.2,
    )
    mesh.set_rasterized(False)
    ax.grid(False)
    ticks = np.unique(np.linspace(0, len(shown) - 1, 5).round().astype(int))
    ax.set_xticks(ticks + 0.5, [f"{epochs[shown[i]]:g}" for i in ticks])
    ax.set_yticks([0, 50, 100], ["easy", "50 %", "hard"])
    ax.set_xlabel("epochs")
    name_y(ax, f"examples, sorted by {value.replace('_', ' ')}")
    _scale(ax, ramp, levels, value)
    rows = [
        {"band": band + 1, "epoch": float(epochs[shown[column]]), value: _number(heights[band, column])}
        for band in range(bands)
        for column in range(len(shown))
    ]
    return remember(ax, rows)


@figure
def plot_score_correlations(
    table: Table,
    ax: Axes | None = None,
    *,
    scores: Sequence[str] | None = None,
    reliability: Mapping[str, float] | None = None,
) -> Axes:
    """Spearman's rank correlation of every pair of scores over the examples.

    With several seeds the mean of the seeds' correlations. On the diagonal stands a score's split-half reliability
    where it is given: no correlation can be trusted beyond it.

    Args:
        table: one row an example (and seed): two or more of `SCORES`, or of those named; with several seeds `seed`.
        ax: where to draw; by default on a canvas of its own.
        scores: columns to compare, in this order.
        reliability: of scores, by name.

    Raises:
        ValueError: a named column is missing, or fewer than two scores.
    """
    columns = example_columns(table, *(scores or ()))
    names = list(scores) if scores is not None else [name for name in SCORES if name in columns]
    if len(names) < 2:
        have = ", ".join(sorted(columns))
        raise ValueError(f"table must have the columns of two scores out of {', '.join(SCORES)}; it has {have}")
    matrix, seeds = score_correlations(columns, names)
    count = len(names)
    cell = min(30.0, 235.0 / count)
    ax = panel(height=cell * count + 112, left=112, right=248 - cell * count, bottom=8, top=104) if ax is None else ax
    drawn = []
    for i, row in enumerate(names):
        for j, column in enumerate(names):
            value = (reliability or {}).get(row) if i == j else matrix[i, j]
            if value is None or not np.isfinite(value):
                continue
            if i != j:
                color = BLUE if value > 0 else VERMILION
                ax.add_patch(Rectangle((j, i), 1, 1, facecolor=color, alpha=0.08 + 0.62 * abs(value), linewidth=0))
            if count <= 10:
                text = "1" if abs(value) >= 0.995 else f"{abs(value):.2f}".removeprefix("0")
                text = text if value >= 0 else f"\u2212{text}"
                color = MUTED if i == j else INK
                ax.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=cell * 0.32, color=color)
            if i < j:
                drawn.append({"score": row, "other": column, "spearman": float(value), "seeds": seeds})
    ax.set_xlim(0, count)
    ax.set_ylim(count, 0)
    ax.grid(False)
    for side in ax.spines.values():
        side.set_visible(False)
    words = [name.replace("_", " ") for name in names]
    middle = np.arange(count) + 0.5
    ax.set_yticks(middle, words, fontsize=FONT - 1)
    ax.set_xticks(middle, words, fontsize=FONT - 1, rotation=90)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    return remember(ax, drawn)


def score_correlations(columns: Mapping[str, np.ndarray], names: Sequence[str]) -> tuple[np.ndarray, int]:
    """(Spearman [S, S], mean over seeds; number of seeds). A pair without two common examples, or constant, is nan."""
    seed = columns["seed"] if "seed" in columns else np.zeros(len(columns[names[0]]))
    values = np.stack([numeric(columns, name) for name in names])
    found = []
    for one in dict.fromkeys(seed.tolist()):
        own = values[:, seed == one]
        matrix = np.full((len(names), len(names)), np.nan)
        for i in range(len(names)):
            for j in range(i, len(names)):
                both = np.isfinite(own[i]) & np.isfinite(own[j])
                x, y = own[i, both], own[j, both]
                if both.sum() > 1 and np.ptp(x) > 0 and np.ptp(y) > 0:
                    matrix[i, j] = matrix[j, i] = spearman(x, y)
        found.append(matrix)
    return _mean(np.stack(found), 0), len(found)


def _cube(columns: Mapping[str, np.ndarray], value: str) -> tuple[np.ndarray, np.ndarray]:
    """(values [seeds, epochs, examples], epochs), nan where a row is missing."""
    numbers = numeric(columns, value)
    seeds, s = np.unique(columns["seed"] if "seed" in columns else np.zeros(len(numbers)), return_inverse=True)
    epochs, e = np.unique(numeric(columns, "epoch"), return_inverse=True)
    examples, x = np.unique(columns["example_id"], return_inverse=True)
    cube = np.full((len(seeds), len(epochs), len(examples)), np.nan)
    cube[s.ravel(), e.ravel(), x.ravel()] = numbers
    return cube, epochs


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """The mean of what is there; nan where nothing is."""
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis)
    return np.where(there.any(axis), total / np.maximum(there.sum(axis), 1), np.nan)


def _scale(ax: Axes, ramp: list[str], levels: np.ndarray, value: str) -> None:
    """What colours mean: each shade holds a seventh of the cells."""
    ax.text(1.05, 1.0, value.replace("_", " "), transform=ax.transAxes, color=MUTED, fontsize=FONT - 1, va="bottom")
    steps = len(levels) - 1
    height = 0.94 / max(1, steps)
    for level in range(steps):
        color = ramp[round(level * (len(ramp) - 1) / max(1, steps - 1))]
        place = (1.05, 0.02 + level * height)
        patch = Rectangle(place, 0.05, height, transform=ax.transAxes, facecolor=color, clip_on=False, linewidth=0)
        ax.add_patch(patch)
    for level, edge in enumerate(levels):
        text = f"{edge:.2g}".replace("-", "\u2212")
        at = {"transform": ax.transAxes, "color": INK, "fontsize": FONT - 2, "va": "center"}
        ax.text(1.12, 0.02 + level * height, text, **at)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
