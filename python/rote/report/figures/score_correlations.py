"""How scores of single examples agree with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from rote.report.exporting import remember
from rote.report.figures.example_columns import example_columns, nan_mean, numeric
from rote.report.rows import Table
from rote.report.style import BLUE, FONT, INK, MUTED, VERMILION, figure, panel
from rote.statistics import spearman

#: Scores that are compared where no others are named, in the order of the figure.
SCORES = (
    *("mean_loss", "confidence", "aum", "variability", "forgetting_events", "learned_epoch", "mean_el2n", "grand"),
    *("prediction_depth", "curvature", "memorization", "knn_disagreement"),
)


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
    return nan_mean(np.stack(found), 0), len(found)
