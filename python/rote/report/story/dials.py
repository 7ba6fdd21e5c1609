"""What the number of views, the strength of augmentation, ideal views and other conventions change."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.estimates import Estimate
from rote.report.numbers import count, percent, points, points_interval, several
from rote.report.rows import Mean, Row, distinct, over_seeds


def pool_finding(rows: Sequence[Row]) -> str:
    """The probe at the fewest and at the most views, and their difference where seeds are shared."""
    means = over_seeds(rows, ("views",), "probe_accuracy")
    if len(means) < 2:
        return ""
    means.sort(key=lambda mean: float("inf") if mean.at["views"] is None else mean.at["views"])
    first, last = means[0], means[-1]
    text = f"Probe with {_views(first)}: {percent(first.mean)}; with {_views(last)}: {percent(last.mean)}."
    gain = paired(rows, "views", last.at["views"], first.at["views"])
    steps = distinct(rows, "steps")
    text += f" Difference: {difference(gain)}." if gain is not None else ""
    if len(steps) > 1:
        text += f" Caution: update steps differ ({', '.join(count(step) for step in sorted(steps))})."
    return text


def tradeoff_finding(rows: Sequence[Row]) -> str:
    """Which strength reads best, and what the strongest costs."""
    dial = [row for row in rows if row.get("strength") is not None]
    probes = sorted(over_seeds(dial, ("strength",), "probe_accuracy"), key=lambda mean: mean.at["strength"])
    if len(probes) < 2:
        return ""
    best, strongest = max(probes, key=lambda mean: mean.mean), probes[-1]
    text = f"Best probe at strength {best.at['strength']:g}: {percent(best.mean)}"
    if best is strongest:
        text += ", the strongest of all: no optimum in between was met."
    else:
        gain = paired(dial, "strength", best.at["strength"], strongest.at["strength"])
        text += f"; at the strongest, {strongest.at['strength']:g}, {percent(strongest.mean)}"
        text += f" (difference {difference(gain)})." if gain is not None else "."
    steps = {mean.at["strength"]: mean.mean for mean in over_seeds(dial, ("strength",), "steps_to_90")}
    if len(steps) > 1:
        low, high = min(steps), max(steps)
        text += f" Steps to 90 % of the labels: {count(steps[low])} at {low:g}, {count(steps[high])} at {high:g}."
    short = [row["strength"] for row in dial if row.get("steps_to_90") is None]
    if short:
        runs = {strength: sum(row["strength"] == strength for row in dial) for strength in sorted(set(short))}
        never = [f"{strength:g}" for strength, seeds in runs.items() if short.count(strength) == seeds]
        partly = [
            f"{strength:g} in {short.count(strength)} of {several(seeds, 'seed')}"
            for strength, seeds in runs.items()
            if short.count(strength) < seeds
        ]
        parts = ([f"at {', '.join(never)} in any seed"] if never else []) + [f"at {part}" for part in partly]
        text += f" 90 % of the labels were not reached {'; '.join(parts)}."
    return text


def ideal_finding(rows: Sequence[Row]) -> str:
    """Same-class images against the recipe."""
    gain = paired(rows, "condition", "same-class", "recipe")
    return "" if gain is None else f"Other images of the class against views of the image: {difference(gain)}."


def robustness_finding(cells: Sequence[Mean]) -> str:
    """In how many cells augmentation raised the probe."""
    up = sum(cell.mean > 0 for cell in cells)
    clear = sum(cell.interval is not None and cell.interval[0] > 0 for cell in cells)
    text = f"The probe is higher with augmentation in {count(up)} of {several(len(cells), 'cell')}"
    text += f", in {count(clear)} of them with the whole 95 % interval." if clear else "."
    steps = sorted({cell.at["steps"] for cell in cells if cell.at.get("steps")})
    if len(steps) > 1:
        text += f" Both sides of a cell made equally many steps; the cells {count(steps[0])} to {count(steps[-1])}."
    return text


def paired(rows: Sequence[Row], name: str, left: object, right: object) -> Estimate | None:
    """Probe where a column is `left` minus probe where it is `right`, for the seeds that have both."""
    sides = [
        {row.get("seed"): row["probe_accuracy"] for row in rows if row.get(name) == side and row.get("probe_accuracy")}
        for side in (left, right)
    ]
    found = tuple(value - sides[1][seed] for seed, value in sides[0].items() if seed in sides[1])
    return Estimate(found) if found else None


def difference(found: Estimate) -> str:
    """ "+5.2 points (95 % interval +3.1 to +7.3), 3 seeds"."""
    text = f"{points(found.mean)} points"
    if found.interval is not None:
        text += f" (95 % interval {points_interval(found.interval)})"
    return f"{text}, {several(len(found.values), 'seed')}"


def _views(mean: Mean) -> str:
    views = mean.at["views"]
    return "a new view at every visit" if views is None else f"{several(views, 'view')} an image"
