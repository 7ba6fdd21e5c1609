"""How alike a layer makes the views of an image, before and after training."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from rote.report.exporting import remember
from rote.report.figures.layers import short_layer
from rote.report.marks import level, percent_axis, share_ticks
from rote.report.records import headline_layer
from rote.report.rows import Mean, Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, FONT, INK, MUTED, figure, panel

NAMES = {
    "invariance": "invariance to the augmentation",
    "retrieval": "views that find their own image",
}
MOMENTS = (("init", MUTED, 0.45, "before training"), ("final", BLUE, 1.0, "after training"))


@figure
def plot_invariance(
    table: Table, ax: Axes | None = None, *, value: str = "invariance", operation: str = "recipe", split: str = "test"
) -> Axes:
    """Bars of the invariance of every layer, at initialization beside the end.

    Args:
        table: the columns of invariance.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "invariance", or "retrieval": the share of views whose nearest neighbour is of their own image. The two
            belong together, since a network that maps everything to one point is invariant, too.
        operation: "recipe", or one operation of it.
        split: "test", or "train" for the images trained on.

    Raises:
        ValueError: a column is missing, no row is of the operation, or value is neither.
    """
    rows = _of_split(rows_of(table, "layer", "depth", "moment", "operation", _name(value)), split)
    own = [row for row in rows if row["operation"] == operation]
    if not own:
        known = ", ".join(map(str, distinct(rows, "operation")))
        raise ValueError(f"operation must be one of the table's ({known}), got {operation!r}")
    depth = {row["layer"]: row["depth"] for row in own}
    layers = sorted(depth, key=lambda layer: (depth[layer] is None, depth[layer]))
    crowded = len(layers) > 7
    ax = (
        panel(left=46, right=40 if value == "retrieval" else 12, bottom=48 if crowded else 28, top=48)
        if ax is None
        else ax
    )
    drawn = _bars(ax, over_seeds(own, ("layer", "moment"), value), "layer", layers, value)
    if value == "retrieval" and distinct(own, "chance"):
        chance = min(distinct(own, "chance"))
        level(ax, chance, ":", MUTED)
        room = {"xytext": (4, 0), "textcoords": "offset points"}
        place = (len(layers) - 0.4, chance)  # the right end of the line
        ax.annotate("chance", place, **room, color=MUTED, fontsize=FONT - 2, va="center", annotation_clip=False)
        drawn.append({"layer": "chance", value: chance})
    names = [short_layer(layer) for layer in layers]
    ax.set_xticks(
        range(len(layers)), names, fontsize=FONT - (2.0 if len(layers) > 5 else 1.0), rotation=30 if crowded else 0
    )
    return remember(ax, [{**row, "operation": operation} for row in drawn])


@figure
def plot_invariance_by_operation(
    table: Table, ax: Axes | None = None, *, value: str = "invariance", layer: str | None = None, split: str = "test"
) -> Axes:
    """Bars of the invariance to every operation of the recipe alone, at initialization beside the end.

    Args:
        table: the columns of invariance.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "invariance" or "retrieval".
        layer: by default the encoder's output.
        split: "test", or "train" for the images trained on.

    Raises:
        ValueError: a column is missing, no row is of the layer, or value is neither.
    """
    rows = _of_split(rows_of(table, "layer", "moment", "operation", _name(value)), split)
    known = distinct(rows, "layer")
    layer = headline_layer([name for name in known if name != "pixels"]) if layer is None else layer
    own = [row for row in rows if row["layer"] == layer]
    if not own:
        raise ValueError(f"layer must be one of the table's ({', '.join(map(str, known))}), got {layer!r}")
    operations = distinct(own, "operation")
    operations.sort(key=lambda name: name == "recipe")  # the whole recipe last
    height = 78 + 40 * len(operations)
    ax = panel(left=12, right=12, top=30, height=height) if ax is None else ax
    drawn = _rows_of_bars(ax, over_seeds(own, ("operation", "moment"), value), operations, value)
    return remember(ax, [{**row, "layer": layer} for row in drawn])


def _of_split(rows: list[Row], split: str) -> list[Row]:
    """The rows of one part of the data, where the table tells them apart."""
    return only(rows, "split", split) if distinct(rows, "split") else rows


def _name(value: str) -> str:
    if value not in NAMES:
        raise ValueError(f"value must be one of {', '.join(NAMES)}; got {value!r}")
    return value


def _bars(ax: Axes, means: Sequence[Mean], by: str, order: Sequence[str], value: str) -> list[dict]:
    """Upright bars in pairs, with a legend above."""
    low = min([0.0, *(end for mean in means for end in (mean.interval or (mean.mean,)))])
    percent_axis(ax, NAMES[value], low=min(0.0, low * 1.1), high=1.02)
    if low < 0:
        share_ticks(ax.yaxis, low * 1.1, 1.02)
        ax.axhline(0, color=MUTED, linewidth=0.8)
    drawn = []
    for number, (moment, color, alpha, text) in enumerate(MOMENTS):
        shift = (number - 0.5) * 0.36
        for mean in (m for m in means if m.at["moment"] == moment):
            x = order.index(mean.at[by]) + shift
            ax.bar(x, mean.mean, width=0.33, color=color, alpha=alpha, linewidth=0)
            if mean.interval is not None:
                ax.plot([x, x], mean.interval, color=INK, linewidth=1.1)
            drawn += numbers([mean], value)
        _legend_word(ax, number, color, alpha, text, left=-38, above=30)
    ax.set_xlim(-0.6, len(order) - 0.4)
    ax.tick_params(axis="x", length=0)
    return drawn


def _rows_of_bars(ax: Axes, means: Sequence[Mean], order: Sequence[str], value: str) -> list[dict]:
    """Lying bars, a row for every operation with its name above it and the numbers at the ends."""
    found = {(mean.at["operation"], mean.at["moment"]): mean for mean in means}
    low = min([0.0, *(mean.mean for mean in means)])
    drawn = []
    for place, name in enumerate(order):
        y = len(order) - 1 - place
        words = "the whole recipe" if name == "recipe" else str(name).replace("_", " ")
        ax.text(0.0, y + 0.26, words, fontsize=FONT - 0.5, color=INK, va="bottom")
        for number, (moment, color, alpha, _) in enumerate(MOMENTS):
            mean = found.get((name, moment))
            if mean is None:
                continue
            at = y + (0.12 if number == 0 else -0.14)
            ax.barh(at, mean.mean, height=0.22, color=color, alpha=alpha, linewidth=0)
            if mean.interval is not None:
                ax.plot(mean.interval, [at, at], color=INK, linewidth=1.1)
            end = max([mean.mean, 0.0, *(mean.interval or ())])
            percent = f"{100 * mean.mean:.0f} %".replace("-", "\u2212")
            ax.text(end + 0.015, at, percent, fontsize=FONT - 2, color=color, va="center")
            drawn += numbers([mean], value)
    ax.set_ylim(-0.5, len(order) - 0.35)
    ax.set_xlim(min(0.0, low * 1.1), 1.1)
    ax.yaxis.set_major_locator(NullLocator())
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel(NAMES[value])
    for number, (_, color, alpha, text) in enumerate(MOMENTS):
        _legend_word(ax, number, color, alpha, text, left=0, above=10)
    return drawn


def _legend_word(ax: Axes, number: int, color: str, alpha: float, text: str, *, left: float, above: float) -> None:
    """One entry of the legend, in points from the upper left corner."""
    for sign, shift, strength in (("■", 0, alpha), (text, 13, 1.0)):
        ax.annotate(
            sign,
            (0, 1),
            xycoords="axes fraction",
            xytext=(left + 128 * number + shift, above),
            textcoords="offset points",
            color=color,
            alpha=strength,
            fontsize=FONT - 0.5,
        )
