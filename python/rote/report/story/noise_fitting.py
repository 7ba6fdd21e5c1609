"""What the sensitivity and the csr runs show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.figures.csr import whole
from rote.report.numbers import percent
from rote.report.rows import Row, over_seeds

_LABELS = {"classes": "the classes of the data", "exemplar": "a class for every image"}


def gini_finding(rows: Sequence[Row]) -> str:
    """The Gini coefficients at the end, real beside random."""
    last = max(row["epoch"] for row in rows)
    parts = []
    for labels, name in _LABELS.items():
        own = [row for row in rows if (row["labels"], row["epoch"]) == (labels, last)]
        means = {mean.at["inputs"]: mean.mean for mean in over_seeds(own, ("inputs",), "gini")}
        if {"real", "random"} <= set(means):
            parts.append(f"with {name} {means['real']:.2f} on real images and {means['random']:.2f} on noise")
    return f"At the end, {'; '.join(parts)}." if parts else ""


def matrix_finding(rows: Sequence[Row], inputs: str) -> str:
    """How much more an example matters to its own class, at the end."""
    own = [row for row in rows if row["inputs"] == inputs and row.get("class_ratio") is not None]
    if not own:
        return ""
    last = max(row["epoch"] for row in own)
    (mean,) = over_seeds([row for row in own if row["epoch"] == last], ("inputs",), "class_ratio")
    return f"An example matters {mean.mean:.1f} times as much to the loss of its own class as to that of another."


def csr_finding(rows: Sequence[Row], matched: Sequence[Row]) -> str:
    """Critical sample ratios at the end, and at equal training accuracy."""
    names = {"real": "real data", "randX": "noise for images", "randY": "random labels"}
    drawn = whole(list(rows))
    last = max(row["epoch"] for row in drawn)
    means = over_seeds([row for row in drawn if row["epoch"] == last], ("condition",), "csr")
    text = ", ".join(f"{names.get(mean.at['condition'], mean.at['condition'])} {percent(mean.mean)}" for mean in means)
    text = f"Critical at the end: {text}."
    ratios = [
        row for row in whole(list(matched)) if row.get("ratio_to_real") is not None and row["condition"] != "real"
    ]
    if ratios:
        accuracy = max((row["train_accuracy"] for row in ratios if row["train_accuracy"] <= 0.9), default=None)
        at = over_seeds([row for row in ratios if row["train_accuracy"] == accuracy], ("condition",), "ratio_to_real")
        if at:
            found = ", ".join(f"{mean.mean:.1f} for {names.get(mean.at['condition'])}" for mean in at)
            text += f" Ratio to real data where {percent(accuracy)} of the training labels are fitted: {found}."
    return text


def shares_finding(rows: Sequence[Row], value: str) -> str:
    """What the largest share of noise does, beside none."""
    last = max(row["epoch"] for row in rows)
    own = [row for row in rows if row["epoch"] == last and row["inputs"] == "real"]
    parts = []
    for kind, name in (("randX", "noise for images"), ("randY", "random labels")):
        means = over_seeds([row for row in own if row["condition"] in (kind, "real")], ("share",), value)
        means.sort(key=lambda mean: mean.at["share"])
        if len(means) > 1:
            parts.append(
                f"{name} from {percent(means[0].mean)} at a share of {means[0].at['share']:.0%} to "
                f"{percent(means[-1].mean)} at {means[-1].at['share']:.0%}"
            )
    return f"{'; '.join(parts).capitalize()}." if parts else ""
