"""What the easy, the trajectories and the depth runs show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rote.report.figures.depth import censored
from rote.report.figures.filters import STARTS, roughness
from rote.report.numbers import count, percent, points, several, significant
from rote.report.rows import Row, distinct, over_seeds

KINDS = {"real": "real images", "randY": "random labels", "randX": "noise images"}


def easy_finding(rows: Sequence[Row]) -> str:
    """Over-dispersion by kind."""
    means = {mean.at["kind"]: mean.mean for mean in over_seeds(rows, ("kind",), "over_dispersion")}
    parts = [f"{text} {means[kind]:.1f}" for kind, text in KINDS.items() if kind in means]
    if not parts:
        return ""
    return f"Error rates vary over examples by this many times what chance gives: {', '.join(parts)}."


def reliability_finding(rows: Sequence[Row]) -> str:
    """Split-half reliability by kind."""
    means = {mean.at["kind"]: mean.mean for mean in over_seeds(rows, ("kind",), "split_half")}
    parts = [f"{text} {means[kind]:.2f}".replace("-", "\u2212") for kind, text in KINDS.items() if kind in means]
    return f"Split-half reliability of the rates: {', '.join(parts)}." if parts else ""


def filters_finding(filters: Mapping[str, Any]) -> str:
    """How rough filters are: mean over those of every network."""
    parts = []
    for name, text in STARTS.items():
        if name in filters:
            found = [rough for weights in filters[name] if (rough := roughness(weights)) is not None]
            parts += [f"{text} {sum(found) / len(found):.2f}"] if found else []
    return f"Roughness (1 is white noise, less is smooth): {', '.join(parts)}." if parts else ""


def bands_finding(rows: Sequence[Row], noise: float) -> str:
    """The last loss of the easiest and of the hardest band, and how many of their labels are wrong."""
    own = [row for row in rows if row["noise"] == noise]
    last = max(row["epoch"] for row in own)
    ends = {"easiest": min(row["bin"] for row in own), "hardest": max(row["bin"] for row in own)}
    parts = []
    for text, band in ends.items():
        end = [row for row in own if row["bin"] == band and row["epoch"] == last]
        loss, wrong = (over_seeds(end, ("bin",), name) for name in ("loss", "share_corrupted"))
        if loss and wrong:
            parts.append(
                f"of the {text} {significant(loss[0].mean, 2)} ({percent(wrong[0].mean)} of their labels wrong)"
            )
    return f"Last loss, in networks that did not sort: {', '.join(parts)}." if parts else ""


def stopping_finding(levels: Sequence[Row], noise: float) -> str:
    """The selected and the final test accuracy, and both fits at the selected epoch."""
    own = [row for row in levels if row["noise"] == noise]
    found = {}
    for name in ("test_selected", "test_final", "fit_clean_at_peak", "fit_corrupted_at_peak", "selected_epoch"):
        means = over_seeds(own, ("noise",), name)
        if not means:
            return ""
        found[name] = means[0].mean
    gain = points(found["test_selected"] - found["test_final"])
    return (
        f"Each network stopped where its own noisy validation part says (epoch {found['selected_epoch']:.1f} in the "
        f"mean): test "
        f"{percent(found['test_selected'])}, at the end {percent(found['test_final'])} ({gain} points). There "
        f"{percent(found['fit_clean_at_peak'])} of the true labels are fitted and "
        f"{percent(found['fit_corrupted_at_peak'])} of the wrong ones."
    )


def fitting_finding(levels: Sequence[Row]) -> str:
    """Shares fitted at a third of the steps, by share of redrawn labels."""
    means = sorted(over_seeds(levels, ("noise",), "fitted_at_third"), key=lambda mean: mean.at["noise"])
    parts = [f"{percent(mean.mean)} with {100 * mean.at['noise']:.0f} % of the labels random" for mean in means]
    return f"Fitted when a third of the steps are done: {', '.join(parts)}." if parts else ""


def speed_finding(rows: Sequence[Row]) -> str:
    """Epochs of the shallowest and the deepest network, by what is equal and normalization."""
    parts = []
    for equal, norm in dict.fromkeys((row["equal"], row["norm"]) for row in rows):
        own = [row for row in rows if (row["equal"], row["norm"]) == (equal, norm)]
        means = sorted(over_seeds(own, ("depth",), "epochs_to_99"), key=lambda mean: mean.at["depth"])
        if means:
            ends = [means[0], means[-1]]
            told = " and ".join(f"{count(mean.mean)} at depth {mean.at['depth']}" for mean in ends)
            parts.append(f"equal {equal}, {_norm(norm)}: {told}")
    text = f"Epochs to 99 %: {'; '.join(parts)}." if parts else ""
    never = censored(rows)
    if never:
        text += f" {several(never, 'network')} never got there."
    return text.strip()


def generalization_finding(rows: Sequence[Row]) -> str:
    """Test accuracy of the shallowest and of the deepest network."""
    parts = []
    for equal, norm in dict.fromkeys((row["equal"], row["norm"]) for row in rows):
        own = [row for row in rows if (row["equal"], row["norm"]) == (equal, norm)]
        means = {mean.at["depth"]: mean.mean for mean in over_seeds(own, ("depth",), "test_accuracy")}
        depths = sorted(set(distinct(own, "depth")) & set(means))
        if len(depths) > 1:
            change = points(means[depths[-1]] - means[depths[0]])
            parts.append(f"equal {equal}, {_norm(norm)} {change}")
    return f"From the shallowest to the deepest, in points: {'; '.join(parts)}." if parts else ""


def _norm(name: str) -> str:
    return "no normalization" if name == "none" else f"{name} normalization"
