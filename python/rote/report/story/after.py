"""What the transfer and the size runs show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.figures.transfer import repetitions
from rote.report.numbers import count, percent, significant
from rote.report.rows import Row, over_seeds


def transfer_finding(rows: Sequence[Row], labels: str) -> str:
    """Where each start ends on the second task."""
    own = [row for row in repetitions(rows) if row["labels"] == labels]
    value = "test_accuracy" if labels == "true" else "train_accuracy"
    words = {"scratch": "from scratch", "random-labels": "after random labels"}
    parts = []
    for start, text in words.items():
        means = over_seeds([row for row in own if row["start"] == start], ("epoch",), value)
        if means:
            last = max(means, key=lambda mean: mean.at["epoch"])
            parts.append(f"{text} {percent(last.mean)}")
    name = "Test" if labels == "true" else "Training"
    return f"{name} accuracy at the end: {', '.join(parts)}." if parts else ""


def alignment_finding(rows: Sequence[Row]) -> str:
    """Misalignment before and after, beside that of a random basis."""
    means = {mean.at["moment"]: mean.mean for mean in over_seeds(rows, ("moment",), "misalignment")}
    basis = {mean.at["moment"]: mean.mean for mean in over_seeds(rows, ("moment",), "misalignment_random_basis")}
    if len(means) < 2:
        return ""
    first, *_, last = means
    text = f"Misalignment with the data: {significant(means[first])} before, {significant(means[last])} after"
    return text + (f"; with a basis drawn by lot {significant(basis[last])} after." if last in basis else ".")


def size_finding(rows: Sequence[Row]) -> str:
    """The mean score of the narrowest and of the widest network, with the reliability of the scores."""
    means = sorted(over_seeds(rows, ("width",), "memorization_mean"), key=lambda mean: mean.at["width"])
    if not means:
        return ""
    ends = means if len(means) == 1 else [means[0], means[-1]]
    text = "; ".join(f"width {count(mean.at['width'])}: mean score {percent(mean.mean)}" for mean in ends)
    text = text[0].upper() + text[1:]
    halves = [row["split_half"] for row in rows if row.get("split_half") is not None]
    if halves:
        text += f". Split-half reliability of the scores: {min(halves):.2f} to {max(halves):.2f}".replace(
            "-0", "\u22120"
        )
    return text + "."


def convergence_finding(rows: Sequence[Row], sweep: str) -> str:
    """The ratio to real data at both ends of a sweep, under the strongest noise of each kind."""
    own = [row for row in rows if row["sweep"] == sweep and row["ratio"] is not None and row["kind"] != "clean"]
    parts = []
    for kind in dict.fromkeys(row["kind"] for row in own):
        level = max(row["level"] for row in own if row["kind"] == kind)
        strongest = [row for row in own if (row["kind"], row["level"]) == (kind, level)]
        means = sorted(over_seeds(strongest, (sweep,), "ratio"), key=lambda mean: mean.at[sweep])
        if len(means) > 1:
            first, last = means[0], means[-1]
            parts.append(
                f"{100 * level:g} % noisy {kind}: {first.mean:.2f} at {count(first.at[sweep])}, "
                f"{last.mean:.2f} at {count(last.at[sweep])}"
            )
    return f"Epochs, as a multiple of those on real data: {'; '.join(parts)}." if parts else ""


def best_width_finding(rows: Sequence[Row], kind: str) -> str:
    """The best width of each seed: on real data, under the strongest noise of a kind, with noisy examples removed."""
    parts = []
    for name, text in (("clean", "real data"), (kind, f"noisy {kind}"), ("removed", "noisy examples removed")):
        own = [row for row in rows if row["kind"] == name]
        if own:
            level = max(row["level"] for row in own)
            widths = sorted(row["best_width"] for row in own if row["level"] == level)
            share = "" if name == "clean" else f" ({100 * level:g} %)"
            parts.append(f"{text}{share} {', '.join(count(width) for width in widths)}")
    return f"Smallest width about as good as the best, seed by seed: {'; '.join(parts)}." if parts else ""
