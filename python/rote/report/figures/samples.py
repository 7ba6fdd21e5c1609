"""The contact sheet of sample views."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from rote.report.style import FONT, figure, panel
from rote.report.views import ViewSamples

WIDTH_OF_SHEET = 238.0  # points left for the images in a contact sheet


@figure
def plot_views(samples: ViewSamples, ax: Axes | None = None) -> Axes:
    """A contact sheet: one row per training image (the original, then its views), with its labels."""
    sheet = contact_sheet(samples)
    rows, columns = samples.originals.shape[0], samples.views.shape[1] + 1
    ax = panel(height=WIDTH_OF_SHEET * rows / columns + 40, left=114, right=8, bottom=8, top=28) if ax is None else ax
    ax.imshow(sheet, interpolation="nearest", aspect="auto")
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    cell_h, cell_w = sheet.shape[0] / rows, sheet.shape[1] / columns
    names = [
        f"given: {samples.class_name(int(used))}\nreally: {samples.class_name(int(true))}"
        for used, true in zip(samples.label_used, samples.label_true, strict=True)
    ]
    ax.set_yticks([(row + 0.5) * cell_h for row in range(rows)], names, fontsize=FONT - 1)
    ax.set_xticks([0.5 * cell_w, (1 + (columns - 1) / 2) * cell_w], ["image", "views of it"], fontsize=FONT - 1)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    return ax


def contact_sheet(samples: ViewSamples) -> np.ndarray:
    """uint8 [rows, columns, 3]: originals in the first column, views in the others, white lines between."""
    rows = []
    for cells in sample_cells(samples):
        padded = [np.pad(cell, ((0, 1), (0, 1), (0, 0)), constant_values=255) for cell in cells]
        rows.append(np.concatenate(padded, axis=1))
    return np.concatenate(rows, axis=0)[:-1, :-1]


def sample_cells(samples: ViewSamples) -> list[list[np.ndarray]]:
    """For every image the pictures of its row, uint8 [h, w, 3] each: the original, then its views."""
    height, width = samples.views.shape[-2:]
    return [
        [_resized(_rgb(original), height, width), *(_rgb(view) for view in views)]
        for original, views in zip(samples.originals, samples.views, strict=True)
    ]


def _rgb(image: np.ndarray) -> np.ndarray:
    """[C, H, W] -> [H, W, 3]"""
    return np.moveaxis(np.broadcast_to(image, (3, *image.shape[1:])), 0, -1)


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest-neighbour resize, for originals whose size differs from that of the views."""
    rows = np.arange(height) * image.shape[0] // height
    columns = np.arange(width) * image.shape[1] // width
    return image[rows][:, columns]
