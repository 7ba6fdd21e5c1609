"""What the probes by layer and the invariance show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.figures.layers import short_layer
from rote.report.numbers import percent
from rote.report.records import headline_layer, in_projector
from rote.report.rows import Mean, Row, over_seeds


def layer_finding(rows: Sequence[Row]) -> str:
    """Where true classes stand out best by k-NN, what is left in the last layer, and where the labels used sit."""
    known = at_end(rows, "true", "knn", "test")
    if not known:
        return ""
    best = max(known, key=lambda layer: known[layer].mean)
    side = "the projector" if in_projector(best) else "the encoder"
    last = list(known)[-1]
    text = f"True classes: best in {side} ({_name(best)}), {percent(known[best].mean)}"
    text += f"; in the last layer {percent(known[last].mean)}." if last != best else "."
    used = at_end(rows, "used", "knn", "train-loo")
    encoder = headline_layer(list(used))
    if used and encoder in used:
        last = list(used)[-1]
        text += (
            f" Labels used, asked of other training images: {percent(used[encoder].mean)} at the end of the encoder, "
            f"{percent(used[last].mean)} in the last layer."
        )
    return text


def linear_finding(rows: Sequence[Row]) -> str:
    """What a linear read-out makes of the labels used, beside what it makes of them before training."""
    final, before = (at_end(rows, "used", "linear", "train-views", moment) for moment in ("final", "init"))
    if not final:
        return ""
    encoder = headline_layer(list(final))
    text = f"Labels used, read linearly from the encoder: {percent(final[encoder].mean)} after training"
    if encoder in before:
        text += f", {percent(before[encoder].mean)} before"
    return text + ". With as many dimensions as images any labels can be read off, so only the difference counts."


def invariance_finding(rows: Sequence[Row]) -> str:
    """How far the encoder has become invariant, and whether it still tells images apart."""
    own = [row for row in rows if row.get("operation") == "recipe" and row.get("split") in (None, "test")]
    layers = [name for name in dict.fromkeys(row["layer"] for row in own) if name != "pixels"]
    if not layers:
        return ""
    encoder = headline_layer(layers)
    parts = []
    for value, words in (("invariance", "Invariance of the encoder"), ("retrieval", "views that find their own image")):
        means = {
            mean.at["moment"]: mean.mean
            for mean in over_seeds([row for row in own if row["layer"] == encoder], ("moment",), value)
        }
        if "final" in means:
            start = f"{percent(means['init'])} before training, " if "init" in means else ""
            parts.append(f"{words}: {start}{percent(means['final'])} after.")
    return " ".join(part[0].upper() + part[1:] for part in parts)


def at_end(rows: Sequence[Row], labels: str, method: str, queries: str, moment: str = "final") -> dict[str, Mean]:
    """{layer: mean over seeds} of one probe, in depth order, without the pixels."""
    wanted = {"labels": labels, "method": method, "queries": queries, "moment": moment}
    found = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
    found = [row for row in found if row["layer"] != "pixels"]
    found.sort(key=lambda row: row.get("depth") or 0)
    return {mean.at["layer"]: mean for mean in over_seeds(found, ("layer",), "accuracy")}


def _name(layer: str) -> str:
    return "its output" if layer == "encoder" else f"“{short_layer(layer)}”"
