"""The probes layer by layer: what is known of true labels and of the labels used, before and after training."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, level, percent_axis, points_with_intervals
from rote.report.records import in_projector
from rote.report.rows import Mean, Row, Table, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, FONT, HEIGHT, MUTED, SHADE, VERMILION, figure, panel

# Of each kind of labels the queries that its headline is about, and the colour. Labels used are asked of training
# images: k-NN with the image's own views excluded, linear on views other than those fitted.
QUERIES = {
    ("true", "knn"): ("test",),
    ("true", "linear"): ("test", "train-views"),
    ("true", "finetuned"): ("test", "train-views"),
    ("used", "knn"): ("train-loo",),
    ("used", "linear"): ("train-views", "test"),
    ("used", "finetuned"): ("train-views", "test"),
}
KINDS = {"true": (BLUE, "true classes"), "used": (VERMILION, "labels used")}


@figure
def plot_layers(table: Table, ax: Axes | None = None, *, method: str = "knn") -> Axes:
    """A probe at every depth, for true labels and for the labels used, at initialization and at the end.

    Full lines with filled points are after training, dotted ones with open points before it. The shaded part is the
    projector. The dashed grey line is the probe of true labels on raw pixels, the dotted one chance.

    Args:
        table: the columns of layers.csv; with several seeds `seed`, too. Of the labels used the k-NN probe is that of
            `queries` "train-loo" (the image's own views excluded), the linear one that of "train-views".
        ax: where to draw; by default on a canvas of its own.
        method: "knn", "linear" or "finetuned".

    Raises:
        ValueError: a column is missing, no row is of the method, or rows differ in pooling, k, ... at one place.
    """
    rows = rows_of(table, "layer", "moment", "labels", "method", "queries", "accuracy")
    rows = only(rows, "method", method)
    layers = _in_depth_order([row for row in rows if row["layer"] != "pixels"])
    crowded = len(layers) > 6
    ax = panel(right=105, bottom=62 if crowded else 42, height=HEIGHT + 20 * crowded) if ax is None else ax
    percent_axis(ax, {"knn": "k-NN probe", "linear": "linear probe"}.get(method, method) + " by layer", high=1.02)
    border = next((i for i, layer in enumerate(layers) if _part(rows, layer) == "projector"), len(layers))
    if border < len(layers):
        ax.axvspan(border - 0.5, len(layers) - 0.5, color=SHADE, zorder=0, linewidth=0)
    marks, drawn = [], []
    for labels, (color, text) in KINDS.items():
        for moment in ("init", "final"):
            means = _along(rows, layers, labels, method, moment)
            if not means:
                continue
            final = moment == "final"
            x = [layers.index(mean.at["layer"]) for mean in means]
            # Alone, the line before training is grey; beside the other kind of labels its colour says whose it is.
            shade = color if final or _along(rows, layers, "used", method, moment) else MUTED
            points_with_intervals(ax, x, means, shade, hollow=not final, linestyle="-" if final else ":")
            when = "after" if final else "before"
            marks.append(EndLabel(means[-1].mean, f"{text},\n{when}", shade, strong=final))
            drawn += numbers(means, "accuracy", labels=labels, method=method, moment=moment)
    drawn += _reference_lines(ax, rows, marks)
    ax.set_xlim(-0.5, len(layers) - 0.5)
    size = FONT - (2.0 if crowded else 1.0)
    names = [short_layer(layer) for layer in layers]
    ax.set_xticks(range(len(layers)), names, fontsize=size, rotation=30 if crowded else 0)
    name_part(ax, "encoder", 0, border - 1, below=42 if crowded else 22)
    name_part(ax, "projector", border, len(layers) - 1, below=42 if crowded else 22)
    label_ends(ax, marks)
    return remember(ax, drawn)


def short_layer(layer: str) -> str:
    """A layer's name as an axis has room for it; of a long one the end, which tells it apart."""
    name = {"encoder": "output"}.get(layer, layer.removeprefix("projector."))
    return name if len(name) <= 10 else "…" + name[-9:]


def name_part(ax: Axes, name: str, first: int, last: int, *, below: float) -> None:
    """A line with a name under the layers first..last, `below` points under the axis."""
    if last < first:
        return
    shifted = ax.get_xaxis_transform() + ScaledTranslation(0, -below / 72, ax.figure.dpi_scale_trans)
    ax.plot([first - 0.36, last + 0.36], [0, 0], transform=shifted, color=MUTED, linewidth=0.8, clip_on=False)
    lower = shifted + ScaledTranslation(0, -3 / 72, ax.figure.dpi_scale_trans)
    middle = (first + last) / 2
    ax.text(middle, 0, name, transform=lower, color=MUTED, fontsize=FONT - 0.5, ha="center", va="top")


def _along(rows: Sequence[Row], layers: Sequence[str], labels: str, method: str, moment: str) -> list[Mean]:
    """The mean over seeds at every layer, of the first kind of queries that was asked."""
    for queries in QUERIES.get((labels, method), ("test",)):
        found = [r for r in rows if (r["labels"], r["moment"], r["queries"]) == (labels, moment, queries)]
        means = [mean for mean in over_seeds(found, ("layer", "queries"), "accuracy") if mean.at["layer"] in layers]
        if means:
            return sorted(means, key=lambda mean: layers.index(mean.at["layer"]))
    return []


def _reference_lines(ax: Axes, rows: Sequence[Row], marks: list[EndLabel]) -> list[dict]:
    """The probe of true labels on raw pixels, and chance."""
    drawn = []
    pixels = [row for row in rows if row["layer"] == "pixels" and row["labels"] == "true" and row["queries"] == "test"]
    for moment in ("final", "init"):  # pixels do not change: either says it
        raw = over_seeds([row for row in pixels if row["moment"] == moment], ("layer",), "accuracy")
        if raw:
            level(ax, raw[0].mean, "--", MUTED)
            marks.append(EndLabel(raw[0].mean, "raw pixels", MUTED))
            drawn += numbers(raw, "accuracy", labels="true", method=rows[0]["method"])
            break
    used = [row["chance"] for row in rows if row["labels"] == "used" and row.get("chance") is not None]
    if used:
        level(ax, used[0], ":", MUTED)
        marks.append(EndLabel(used[0], "chance", MUTED))
        drawn.append({"layer": "chance", "accuracy": used[0]})
    return drawn


def _in_depth_order(rows: Sequence[Row]) -> list[str]:
    depth = {row["layer"]: row.get("depth") for row in rows}
    names = list(depth)
    return sorted(names, key=lambda name: names.index(name) if depth[name] is None else depth[name])


def _part(rows: Sequence[Row], layer: str) -> str:
    """ "encoder" or "projector"; told by the column `part`, else by the layer's name."""
    part = next((row.get("part") for row in rows if row["layer"] == layer), None)
    return part or ("projector" if in_projector(layer) else "encoder")
