"""First-layer filters of a convolutional network as small pictures, before and after training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.style import FONT, INK, figure, panel

STARTS = {"init": "before training", "real": "after true labels", "randY": "after random labels"}
ACROSS, WIDTH, TITLE = 16, 352.0, 18.0


@figure
def plot_filters(filters: Mapping[str, Any], ax: Axes | None = None, *, most: int = 32) -> Axes:
    """The first convolution before training, after true and after random labels (figure 2 of arXiv 1706.05394).

    Every filter is shown on a scale of its own: grey is a weight of zero, black and white its largest one. Filter i of
    all networks started from the same weights. Filters of three channels are shown as colours, others as grey, the mean
    over their channels.

    Args:
        filters: the arrays of filters.npz (`numpy.load` of it): `init`, `real`, `randY`, or some of them, each
            float [filters, C, h, w].
        ax: where to draw; by default on a canvas of its own.
        most: filters to show of each, the first.

    Raises:
        ValueError: none of the arrays is there, one is no array of filters or holds NaN or infinity, or most < 1.
    """
    names = [name for name in STARTS if name in filters]
    if not names:
        raise ValueError(f"filters must have one of the arrays {', '.join(STARTS)}; it has {', '.join(filters)}")
    for name in names:
        if np.ndim(filters[name]) != 4 or not np.size(filters[name]):
            raise ValueError(f"filters[{name!r}] must be [filters, C, h, w], got shape {np.shape(filters[name])}")
        if not np.isfinite(filters[name]).all():
            raise ValueError(f"filters[{name!r}] must be finite, got NaN or infinity: that network diverged")
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most}")
    sheets = [filter_sheet(np.asarray(filters[name], dtype=np.float64)[:most]) for name in names]
    heights = [TITLE + WIDTH * sheet.shape[0] / sheet.shape[1] for sheet in sheets]
    ax = panel(height=sum(heights) + 8, left=4, right=4, bottom=4, top=4) if ax is None else ax
    ax.set_axis_off()
    top = 0.0
    for name, sheet, height in zip(names, sheets, heights, strict=True):
        ax.text(0, top + TITLE - 6, STARTS[name], fontsize=FONT - 0.5, color=INK, va="baseline")
        extent = (0, WIDTH, top + height, top + TITLE)
        ax.imshow(sheet, extent=extent, interpolation="nearest", aspect="auto")
        top += height
    # Every picture moves the limits to its own edges.
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(top, 0)
    rows = [
        {"network": name, "filter": number, "norm": float(np.sqrt(np.square(w).sum())), "roughness": roughness(w)}
        for name in names
        for number, w in enumerate(np.asarray(filters[name], dtype=np.float64))
    ]
    return remember(ax, rows)


def filter_sheet(filters: np.ndarray) -> np.ndarray:
    """[filters, C, h, w] -> uint8 [.., .., 4]: their pictures in rows of `ACROSS`, with one clear pixel between."""
    _, _, height, width = filters.shape
    rows = -(-len(filters) // ACROSS)
    sheet = np.zeros((rows * (height + 1), ACROSS * (width + 1), 4), dtype=np.uint8)
    for number, weights in enumerate(filters):
        row, column = divmod(number, ACROSS)
        top, left = row * (height + 1), column * (width + 1)
        sheet[top : top + height, left : left + width, :3] = filter_picture(weights)
        sheet[top : top + height, left : left + width, 3] = 255
    return sheet


def filter_picture(weights: np.ndarray) -> np.ndarray:
    """[C, h, w] -> uint8 [h, w, 3]: zero is grey, the largest weight in magnitude black or white."""
    shown = weights if len(weights) == 3 else np.broadcast_to(weights.mean(0), (3, *weights.shape[1:]))
    scale = np.abs(shown).max()
    level = 0.5 + 0.5 * shown / (scale if scale > 0 else 1.0)
    return np.moveaxis((255 * level).round().astype(np.uint8), 0, -1)


def roughness(weights: np.ndarray) -> float | None:
    """Mean squared difference of neighbouring weights over twice their variance: about 1 for white noise.

    None where a filter is constant or has no neighbours.
    """
    if weights[0].size < 2:
        return None
    differences = np.concatenate([np.diff(weights, axis=axis).ravel() for axis in (1, 2)])
    variance = weights.reshape(len(weights), -1).var(1, ddof=1).mean()
    return float(np.square(differences).mean() / (2 * variance)) if variance > 0 else None
