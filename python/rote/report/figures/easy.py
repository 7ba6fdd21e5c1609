"""Error rates of single examples over many networks, sorted, beside those of equally hard examples."""

from __future__ import annotations

from matplotlib.axes import Axes

from rote.report.exporting import remember
from rote.report.marks import EndLabel, label_ends, line_with_band, percent_axis, share_ticks
from rote.report.rows import Table, distinct, numbers, over_seeds, rows_of
from rote.report.style import BLUE, INK, MUTED, PURPLE, VERMILION, figure, panel

KINDS = {
    "real": (BLUE, "-", "real images,\ntrue labels"),
    "randY": (VERMILION, "-", "real images,\nrandom labels"),
    "randX": (PURPLE, "-", "noise images,\ntrue labels"),
    "binomial": (MUTED, (0, (3, 2)), "equally hard\n(binomial)"),
}
SORTED_BY = {"other half": "error_rate", "itself": "error_rate_sorted"}


@figure
def plot_easy(table: Table, ax: Axes | None = None, *, sorted_by: str = "other half") -> Axes:
    """Error rates of examples over networks of one epoch, sorted from the easiest to the hardest.

    Args:
        table: the columns of easy_curve.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        sorted_by: "other half": sorted by one half of the networks and measured in the other, where chance is flat;
            "itself": sorted by the rates that are shown, as the paper has it, where chance rises too.

    Raises:
        ValueError: a column is missing, or `sorted_by` is neither.
    """
    if sorted_by not in SORTED_BY:
        raise ValueError(f"sorted_by must be one of {', '.join(SORTED_BY)}; got {sorted_by!r}")
    value = SORTED_BY[sorted_by]
    rows = rows_of(table, "kind", "share", value)
    ax = panel(right=112) if ax is None else ax
    percent_axis(ax, "networks that get the example wrong", high=1.02)
    marks, drawn = [], []
    for kind in (*KINDS, *(kind for kind in distinct(rows, "kind") if kind not in KINDS)):
        color, dashes, text = KINDS.get(kind, (INK, "-", str(kind)))
        means = over_seeds([row for row in rows if row["kind"] == kind], ("share",), value)
        if not means:
            continue
        means.sort(key=lambda mean: mean.at["share"])
        reference = {"linewidth": 1.4, "zorder": 4} if kind == "binomial" else {}
        line_with_band(ax, [mean.at["share"] for mean in means], means, color, dashes, **reference)
        marks.append(EndLabel(means[-1].mean, text, INK if kind not in KINDS else color, strong=kind == "real"))
        drawn += numbers(means, value, kind=kind)
    ax.set_xlim(0, 1)
    share_ticks(ax.xaxis, 0, 1)
    ax.set_xlabel("share of the examples, easiest first")
    label_ends(ax, marks)
    return remember(ax, drawn)
