"""The look shared by all figures: palette, canvas, direct labels.

Hues are those of Okabe and Ito, told apart under every common colour-vision deficiency. Every colour
has a name; on the page the name becomes a CSS variable, so that one drawing serves light and dark themes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, MUTED, GRID, SHADE, PAPER = "#1c2330", "#5d6678", "#dfe3ea", "#eef1f6", "#ffffff"
BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#00805d", "#aa4f83"

# name of the CSS variable -> (light, dark); the light value is what matplotlib draws with.
THEME: dict[str, tuple[str, str]] = {
    "fig-ink": (INK, "#e8ebf1"),
    "fig-muted": (MUTED, "#a2abbc"),
    "fig-grid": (GRID, "#333b49"),
    "fig-shade": (SHADE, "#222936"),
    "fig-paper": (PAPER, "#161b24"),
    "fig-blue": (BLUE, "#5db7f0"),
    "fig-vermilion": (VERMILION, "#ff8f4d"),
    "fig-green": (GREEN, "#3fcfa2"),
    "fig-purple": (PURPLE, "#e79bc6"),
}

# One panel in points: about the column of a phone (340 px), and three quarters of half a desktop page.
WIDTH, HEIGHT, FONT = 360.0, 272.0, 11.0

_RC = {
    "font.family": ["DejaVu Sans"],
    "font.size": FONT,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3.5,
    "ytick.major.size": 0,
    "lines.solid_capstyle": "round",
    "lines.linewidth": 2.0,
    "svg.fonttype": "none",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@contextmanager
def applied() -> Iterator[None]:
    """The settings of all figures, undone on exit (a caller's own matplotlib style is left alone)."""
    with matplotlib.rc_context(_RC):
        yield


def panel(*, height: float = HEIGHT, left: float = 42, right: float = 105, bottom: float = 38, top: float = 24) -> Axes:
    """An empty axes on a canvas of its own; margins in points."""
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    FigureCanvasAgg(figure)
    frame = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    return figure.add_axes(frame)


@dataclass(frozen=True)
class EndLabel:
    """A word beside the right end of a line, at data height `y`."""

    y: float
    text: str
    color: str
    strong: bool = False


def label_ends(ax: Axes, labels: Sequence[EndLabel], *, gap: float = 3.0) -> None:
    """Writes labels right of the axes at the height of their lines, moved apart where they would overlap.

    Lines need no legend then: the eye follows the line to its name. A hair line leads from the true height
    to a label that had to move.
    """
    if not labels:
        return
    size = FONT - 0.5
    height = ax.get_window_extent().height * 72.0 / ax.figure.dpi
    low, high = ax.get_ylim()
    points = [(label.y - low) / (high - low) * height for label in labels]
    extents = [(label.text.count("\n") + 1) * size * 1.22 for label in labels]
    order = sorted(range(len(labels)), key=lambda i: points[i])
    placed = [points[i] for i in order]
    sizes = [extents[i] for i in order]
    for _ in range(200):  # relax overlaps symmetrically; converges in a few rounds for a handful of labels
        moved = False
        for i in range(len(placed) - 1):
            overlap = (sizes[i] + sizes[i + 1]) / 2 + gap - (placed[i + 1] - placed[i])
            if overlap > 0.05:
                placed[i] -= overlap / 2
                placed[i + 1] += overlap / 2
                moved = True
        shift = max(0.0, sizes[0] / 2 - 6 - placed[0])
        placed = [p + shift if i == 0 else p for i, p in enumerate(placed)]
        top = placed[-1] + sizes[-1] / 2 - (height + 14)
        if top > 0:
            placed[-1] -= top
        if not moved:
            break
    width = ax.get_window_extent().width * 72.0 / ax.figure.dpi
    for position, index in zip(placed, order, strict=True):
        label = labels[index]
        x0, x1 = 1 + 3 / width, 1 + 13 / width
        ax.plot(
            [x0, x1],
            [points[index] / height, position / height],
            transform=ax.transAxes,
            color=label.color,
            linewidth=0.8,
            clip_on=False,
        )
        ax.text(
            1 + 16 / width,
            position / height,
            label.text,
            transform=ax.transAxes,
            color=label.color,
            fontsize=size,
            fontweight="bold" if label.strong else "normal",
            va="center",
            linespacing=1.1,
        )


def percent_axis(ax: Axes, what: str, *, low: float = 0.0, high: float = 1.0) -> None:
    """A y axis of accuracies; its name stands above it, upright."""
    ax.set_ylim(low, high)
    ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    ax.set_yticks(ticks, [f"{round(100 * tick)} %" for tick in ticks])
    name_y(ax, what)


def name_y(ax: Axes, what: str) -> None:
    """The name of the y axis, above its upper end."""
    ax.annotate(
        what,
        (0, 1),
        xycoords="axes fraction",
        xytext=(-38, 11),
        textcoords="offset points",
        color=MUTED,
        fontsize=FONT - 0.5,
        va="bottom",
    )


def level(ax: Axes, y: float, dashes: str, color: str) -> None:
    """A horizontal reference line behind the data."""
    ax.axhline(y, color=color, linestyle=dashes, linewidth=1.2, zorder=1)
