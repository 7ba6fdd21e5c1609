"""What the capacity runs show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.figures.capacity import along_views, budget_limited
from rote.report.figures.frontier import frontier_fit
from rote.report.numbers import count, percent, significant
from rote.report.rows import Row, distinct
from rote.report.story.training import MEMORIZED


def capacity_finding(rows: Sequence[Row]) -> str:
    """How far every label mode could be fitted."""
    parts = []
    for mode, words in (
        ("random", "With a label of its own for every view,"),
        ("same", "With one label per image,"),
    ):
        means = {mean.at["views"]: mean.mean for mean in along_views(rows, mode, "accuracy_pool")}
        if not means:
            continue
        fitted = [views for views, mean in means.items() if mean >= MEMORIZED]
        largest = max(means)
        end = percent(means[largest])
        if largest in budget_limited(rows, mode):
            end += ", budget-limited"
        if not fitted:
            parts.append(f"{words} no pool was fitted to 99 %; at B = {largest} it is {end}.")
        elif max(fitted) == largest:
            parts.append(f"{words} every pool was fitted, up to B = {largest} ({end}).")
        else:
            parts.append(f"{words} pools up to B = {max(fitted)} were fitted to 99 %; at B = {largest} it is {end}.")
    return " ".join(parts)


def bits_finding(rows: Sequence[Row]) -> str:
    """The most that a parameter came to hold."""
    bits = {mean.at["views"]: mean.mean for mean in along_views(rows, "random", "bits_per_parameter")}
    if not bits:
        return ""
    best = max(bits, key=lambda views: bits[views])
    return f"With own labels, a parameter holds at most {significant(bits[best])} bits, at B = {best}."


def frontier_finding(rows: Sequence[Row]) -> str:
    """The slope of the frontier, and whether proportionality lies in its interval."""
    fit = frontier_fit(rows)
    limited = sum(row.get("budget_limited") is True for row in rows)
    left = f" {count(limited)} of {count(len(rows))} rows were budget-limited and are not in the fit."
    note = left if limited else ""
    if fit is None:
        if limited == len(rows):
            return "No line: all rows were budget-limited, so every point is a lower bound."
        return "Too few sizes for a line." + note
    text = f"Doubling the parameters multiplies what fits by {2**fit.slope:.2f} (slope {fit.slope:.2f}"
    if fit.slope_interval is None:
        return text + ")." + note
    low, high = (f"{end:.2f}".replace("-", "\u2212") for end in fit.slope_interval)
    held = fit.slope_interval[0] <= 1.0 <= fit.slope_interval[1]
    inside = "proportionality, slope 1, lies inside" if held else "proportionality, slope 1, lies outside"
    return f"{text}, 95 % interval {'between seeds ' if fit.over_seeds else ''}{low} to {high}: {inside}).{note}"


def sizes_finding(rows: Sequence[Row]) -> str:
    """The largest number of views that each end of the sizes fitted."""
    parts = []
    sizes = sorted(distinct(rows, "parameters"))
    for size in dict.fromkeys((sizes[0], sizes[-1])) if sizes else ():
        own = [row for row in rows if row["parameters"] == size]
        fitted = [m.at["views"] for m in along_views(own, "random", "accuracy_pool") if m.mean >= MEMORIZED]
        what = f"own labels up to B = {max(fitted)}" if fitted else "no pool with own labels"
        parts.append(f"{count(size)} parameters fit {what}")
    return "; ".join(parts) + "." if parts else ""
