"""The look shared by all figures: palette, canvas, direct labels.

Hues are those of Okabe and Ito, told apart under every common colour-vision deficiency. Every colour
has a name; on the page the name becomes a CSS variable, so that one drawing serves light and dark themes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

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
    # An ordered quantity, weak to strong: lightness falls steadily (in the dark theme it rises), hue helps.
    "fig-ramp-1": ("#3d86b5", "#6c93b5"),
    "fig-ramp-2": ("#3579ab", "#7aa3c6"),
    "fig-ramp-3": ("#2e6ba0", "#8ab4d7"),
    "fig-ramp-4": ("#2a5d94", "#9dc5e6"),
    "fig-ramp-5": ("#274e87", "#b3d4ef"),
    "fig-ramp-6": ("#243d74", "#cbe2f6"),
    "fig-ramp-7": ("#1e2858", "#e4f1fc"),
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
    "text.parse_math": False,  # names of layers and settings are text, whatever signs they hold
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


def figure(plot: Callable[..., Axes]) -> Callable[..., Axes]:
    """Makes a `plot_*(table, ax=None, ...)` function draw in the style of all figures where it makes its own canvas."""

    @wraps(plot)
    def drawn(table: Any, ax: Axes | None = None, **options: Any) -> Axes:
        # On a caller's axes the caller's style stays; only names are text there, too, whatever signs they hold.
        with applied() if ax is None else matplotlib.rc_context({"text.parse_math": False}):
            return plot(table, ax, **options)

    return drawn


def panel(*, height: float = HEIGHT, left: float = 42, right: float = 105, bottom: float = 38, top: float = 24) -> Axes:
    """An empty axes on a canvas of its own; margins in points."""
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    FigureCanvasAgg(figure)
    frame = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    return figure.add_axes(frame)


def shades(count: int) -> list[str]:
    """Colours of an ordered quantity, from weak to strong.

    Each is a colour of the theme, so the number of them is limited: beyond seven, neighbours share one.
    """
    ramp = [value for name, (value, _) in THEME.items() if name.startswith("fig-ramp")]
    if count <= 1:
        return ramp[:1] * count
    return [ramp[round(i * (len(ramp) - 1) / (count - 1))] for i in range(count)]
