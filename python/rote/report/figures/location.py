"""Where memorization sits, part by part of the network: rewinding, retraining, example-tied dropout, gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from rote.report.exporting import remember
from rote.report.figures.layers import short_layer
from rote.report.marks import EndLabel, label_ends, level, line_with_band, name_y, percent_axis
from rote.report.rows import Mean, Row, Table, distinct, numbers, only, over_seeds, rows_of
from rote.report.style import BLUE, FONT, GREEN, INK, MUTED, PURPLE, VERMILION, figure, panel, shades

# The kinds of examples in the words of the figures.
EXAMPLES = {
    "unpermuted": (GREEN, "right labels"),
    "permuted": (VERMILION, "wrong labels"),
    "restored": (BLUE, "their true classes"),
    "test": (PURPLE, "test images"),
}
GRADIENTS = {
    "cosine": "cosine of the two gradients",
    "ratio": "wrong labels / right ones, norms",
    "norm_permuted": "gradient norm, wrong labels",
    "norm_unpermuted": "gradient norm, right labels",
}
# Of a logarithmic axis.
MOST_TICKS = 6
STATES = {"own": "own\nchannels", "expected": "none of\nits own", "dropped": "tied ones\ndropped"}


@figure
def plot_rewinding(
    table: Table,
    ax: Axes | None = None,
    *,
    epoch: int | None = None,
    kind: str = "block",
    replaced: str = "alone",
    bn: str = "recalibrated",
) -> Axes:
    """Bars of what is left when one part of the final network is put back to an earlier epoch.

    Args:
        table: the columns of location_rewinding.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        epoch: that parts are put back to; by default the first of the table above 0.
        kind: "block", or "layer": the projector matrix by matrix.
        replaced: "alone", or "and later": together with all later parts.
        bn: batch-norm statistics, "recalibrated" or "running".

    Raises:
        ValueError: a column is missing, or no row is of the choice.
    """
    rows = rows_of(table, "kind", "name", "depth", "replaced", "epoch", "bn", *EXAMPLES)
    rows = only(rows, "bn", bn)
    final = [{**row, "name": "nothing", "depth": -1} for row in rows if row["kind"] == "none"]
    moved = only(only(rows, "kind", kind), "replaced", replaced)
    earlier = sorted(distinct(moved, "epoch"))
    epoch = next((found for found in earlier if found > 0), earlier[0]) if epoch is None else epoch
    own = final + only(moved, "epoch", epoch)
    ax = _bars(own, ax, "name", tuple(EXAMPLES), "accuracy")
    ax.set_xlabel(f"put back to epoch {epoch}" + (", with all later ones" if replaced == "and later" else ""))
    return ax


@figure
def plot_retraining(table: Table, ax: Axes | None = None, *, kind: str = "block") -> Axes:
    """Bars of the accuracy when one part was trained again from its initialization, on right labels alone.

    Args:
        table: the columns of location_retraining.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        kind: "block" or "layer".

    Raises:
        ValueError: a column is missing, or no row is of the kind.
    """
    rows = only(rows_of(table, "kind", "name", "depth", "epoch", *EXAMPLES), "kind", kind)
    last = max(distinct(rows, "epoch"))
    ax = _bars(only(rows, "epoch", last), ax, "name", ("unpermuted", "permuted", "restored", "test"), "accuracy")
    ax.set_xlabel(f"trained again for {last} epochs")
    return ax


@figure
def plot_tied(table: Table, ax: Axes | None = None, *, bn: str = "recalibrated") -> Axes:
    """Bars of the accuracy with example-tied dropout: with an example's own channels, with nobody's, without any.

    Args:
        table: the columns of location_tied.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        bn: batch-norm statistics.

    Raises:
        ValueError: a column is missing, or no row is of the statistics.
    """
    rows = only(rows_of(table, "state", "epoch", "bn", *EXAMPLES), "bn", bn)
    rows = only(rows, "epoch", max(distinct(rows, "epoch")))
    order = list(STATES)
    placed = [{**row, "depth": order.index(row["state"])} for row in rows if row["state"] in STATES]
    return _bars(placed, ax, "state", tuple(EXAMPLES), "accuracy", names=STATES)


@figure
def plot_gradients(table: Table, ax: Axes | None = None, *, value: str = "cosine", kind: str = "block") -> Axes:
    """Along training, what the gradients of the two kinds of examples are in each part of the network.

    Args:
        table: the columns of location_gradients.csv; with several seeds `seed`, too.
        ax: where to draw; by default on a canvas of its own.
        value: "cosine", "norm_permuted", "norm_unpermuted" or "ratio" (the first norm by the second).
        kind: "block" or "layer".

    Raises:
        ValueError: a column is missing, no row is of the kind, or value is none of these.
    """
    if value not in GRADIENTS:
        raise ValueError(f"value must be one of {', '.join(GRADIENTS)}; got {value!r}")
    rows = only(rows_of(table, "kind", "name", "depth", "epoch", "cosine", *list(GRADIENTS)[2:]), "kind", kind)
    ax = panel(left=46, right=92) if ax is None else ax
    drawn = epoch_lines(ax, rows, "name", _ratio if value == "ratio" else value)
    name_y(ax, GRADIENTS[value])
    if value == "cosine":
        low = min((row["cosine"] for row in rows if row["cosine"] is not None), default=0.0)
        ax.set_ylim(min(-0.05, low - 0.05), 1.02)
        level(ax, 0.0, "-", MUTED)
    else:
        _log_height(ax, [row["value"] for row in drawn])
    label_ends(ax, _ends(drawn, "name"))
    return remember(ax, [{**row, "quantity": value} for row in drawn])


def epoch_lines(ax: Axes, rows: Sequence[Row], by: str, value, *, dashes: str = "-") -> list[dict]:
    """A line for every part, from light (first) to dark (last), over the epochs of the table at even distances."""
    epochs = sorted(distinct(rows, "epoch"))
    depth = {row[by]: row.get("depth", 0) for row in rows}
    names = sorted(depth, key=lambda name: depth[name])
    drawn = []
    for name, color in zip(names, shades(len(names)), strict=True):
        means = over_seeds([row for row in rows if row[by] == name], ("epoch",), value)
        means.sort(key=lambda mean: mean.at["epoch"])
        if means:
            line_with_band(ax, [epochs.index(mean.at["epoch"]) for mean in means], means, color, dashes)
            drawn += numbers(means, "value", **{by: name})
    epoch_ticks(ax, epochs)
    return drawn


def epoch_ticks(ax: Axes, epochs: Sequence[int]) -> None:
    """Epochs at even distances: they are dense where training begins."""
    ax.set_xlim(-0.3, len(epochs) - 0.7)
    ax.set_xticks(range(len(epochs)), [f"{epoch:,}" for epoch in epochs], fontsize=FONT - 1)
    ax.set_xlabel("epoch")


def _ends(drawn: Sequence[Row], by: str) -> list[EndLabel]:
    """The name of every line at its end."""
    last = {row[by]: row["value"] for row in drawn}
    return [
        EndLabel(height, short_layer(str(name)), color)
        for (name, height), color in zip(last.items(), shades(len(last)), strict=True)
    ]


def _ratio(row: Row) -> float | None:
    one, other = row["norm_permuted"], row["norm_unpermuted"]
    return one / other if one is not None and other else None


def _log_height(ax: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis about the values, with ticks at 1, 2 and 5 times powers of ten, or at these alone."""
    positive = [value for value in values if value > 0]
    if not positive:
        return
    ax.set_yscale("log")
    low, high = min(positive) / 1.5, max(positive) * 1.5
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        if len(ticks) <= MOST_TICKS:
            break
    ax.set_yticks(ticks, [_short(tick) for tick in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylim(low, high)


def _short(tick: float) -> str:
    """0.0005 -> "5e-4" with a true minus sign, 0.2 -> "0.2"."""
    return f"{tick:.0e}".replace("e-0", "e-").replace("-", "\u2212") if tick < 0.01 else f"{tick:.2g}"


def _bars(
    rows: Sequence[Row], ax: Axes | None, by: str, series: Sequence[str], what: str, names: dict | None = None
) -> Axes:
    """Upright bars, one of each kind of examples side by side for every part."""
    depth = {row[by]: row["depth"] for row in rows}
    parts = sorted(depth, key=lambda name: depth[name])
    crowded = len(parts) > 5
    ax = panel(left=42, right=12, bottom=64 if crowded else 46, top=52) if ax is None else ax
    percent_axis(ax, what, high=1.02)
    found = {kind: over_seeds(rows, (by,), kind) for kind in series}
    found = {kind: means for kind, means in found.items() if means}
    width = 0.84 / max(1, len(found))
    drawn, words = [], []
    for number, (kind, means) in enumerate(found.items()):
        color, text = EXAMPLES[kind]
        bars(ax, means, [parts.index(mean.at[by]) for mean in means], number, len(found), width, color)
        words.append((text, color))
        drawn += numbers(means, "accuracy", examples=kind)
    key_above(ax, words)
    shown = [(names or {}).get(part) or short_layer(str(part)) for part in parts]
    ax.set_xticks(range(len(parts)), shown, fontsize=FONT - (2.0 if crowded else 1.0), rotation=25 if crowded else 0)
    ax.set_xlim(-0.6, len(parts) - 0.4)
    return remember(ax, drawn)


def bars(ax: Axes, means: Sequence[Mean], x: Sequence[int], number: int, count: int, width: float, color: str) -> None:
    """Bars of one series beside those of others, with their 95 % intervals."""
    shift = (number - (count - 1) / 2) * width
    for at, mean in zip(x, means, strict=True):
        ax.bar(at + shift, mean.mean, width=width * 0.9, color=color, linewidth=0)
        if mean.interval is not None:
            ax.plot([at + shift] * 2, mean.interval, color=INK, linewidth=1.1)


def key_above(ax: Axes, words: Sequence[tuple[str, str]], *, height: float = 27.0) -> None:
    """The names of the series above the axes, each in its colour, from left to right."""
    x = -38.0
    for text, color in words:
        ax.annotate(
            f"■ {text}",
            (0, 1),
            xycoords="axes fraction",
            xytext=(x, height),
            textcoords="offset points",
            color=color,
            fontsize=FONT - 1.5,
            va="bottom",
        )
        x += (len(text) + 2.9) * (FONT - 1.5) * 0.56
