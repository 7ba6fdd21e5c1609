"""What the `location` runs show of the question where memorization sits."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.conditions import Condition, estimate
from rote.report.figures.layers import short_layer
from rote.report.numbers import percent, points, points_interval, significant
from rote.report.rows import Row, over_seeds


def noise_of(condition: Condition) -> float:
    """The share of labels that were redrawn."""
    return float(condition.first.setting("noise", 1.0))


def title(condition: Condition) -> str:
    """A condition as the beginning of its titles."""
    share = noise_of(condition)
    return "All labels redrawn" if share == 1 else f"{100 * share:g} % of the labels redrawn"


def verdict(condition: Condition) -> str:
    """What putting back the last block does, beside the best other one."""
    found = _mean(condition, "last_minus_best_other")
    if found is None:
        return ""
    first = condition.first.summary
    interval = f" (95 % interval {points_interval(found.interval)})" if found.interval else ""
    text = (
        f"What wrong labels lose with the last block put back to epoch {first.get('rewound_epoch')}, less what they "
        f"lose with the best other block: {points(found.mean)} points{interval}"
    )
    initial = _mean(condition, "last_minus_best_other_init")
    return text + ("." if initial is None else f"; put back to initialization {points(initial.mean)} points.")


def rewinding_finding(rows: Sequence[Row], epoch: int | None) -> str:
    """The part whose rewinding costs the wrong labels most, and what it leaves of the right ones."""
    own = [r for r in rows if r["bn"] == "recalibrated"]
    placed = [r for r in own if (r["kind"], r["replaced"], r["epoch"]) == ("block", "alone", epoch)]
    wrong = {mean.at["name"]: mean.mean for mean in over_seeds(placed, ("name",), "permuted")}
    right = {mean.at["name"]: mean.mean for mean in over_seeds(placed, ("name",), "unpermuted")}
    if not wrong:
        return ""
    least = min(wrong, key=wrong.get)
    text = f"Least is left of the wrong labels without the late weights of {least}: {percent(wrong[least])}"
    return text + (f", of the right ones {percent(right[least])}." if least in right else ".")


def retraining_finding(rows: Sequence[Row]) -> str:
    """Where wrong labels come back although no wrong label was shown."""
    last = max(row["epoch"] for row in rows)
    own = [row for row in rows if row["kind"] == "block" and row["epoch"] == last]
    wrong = {mean.at["name"]: mean.mean for mean in over_seeds(own, ("name",), "permuted")}
    if not wrong:
        return ""
    most, least = max(wrong, key=wrong.get), min(wrong, key=wrong.get)
    return (
        f"Trained again on right labels alone, {most} gives back {percent(wrong[most])} of the wrong ones, "
        f"{least} {percent(wrong[least])}: what comes back was held elsewhere."
    )


def gradients_finding(rows: Sequence[Row]) -> str:
    """Where the two gradients oppose each other most."""
    own = [row for row in rows if row["kind"] == "block"]
    means = over_seeds(own, ("name", "epoch"), "cosine")
    if not means:
        return ""
    lowest = min(means, key=lambda mean: mean.mean)
    value = f"{lowest.mean:+.2f}".replace("-", "\u2212")
    return f"The lowest cosine is {value}, in {lowest.at['name']} after {lowest.at['epoch']} epochs."


def tied_finding(rows: Sequence[Row]) -> str:
    """What goes with the tied channels."""
    last = max(row["epoch"] for row in rows)
    own = [row for row in rows if row["epoch"] == last and row["bn"] == "recalibrated"]
    wrong, right = (
        {mean.at["state"]: mean.mean for mean in over_seeds(own, ("state",), kind)}
        for kind in ("permuted", "unpermuted")
    )
    if not {"own", "dropped"} <= set(wrong):
        return ""
    text = f"Without the tied channels {percent(wrong['own'])} of the wrong labels become {percent(wrong['dropped'])}"
    if {"own", "dropped"} <= set(right):
        text += f", and {percent(right['own'])} of the right ones {percent(right['dropped'])}"
    return text + "."


def neurons_finding(condition: Condition) -> str:
    """The median numbers of neurons."""
    wrong, right = (_mean(condition, f"neurons_{kind}") for kind in ("permuted", "unpermuted"))
    if wrong is None or right is None:
        return ""
    return (
        f"Median: {significant(wrong.mean)} neurons for an example with a wrong label, {significant(right.mean)} for "
        "one with a right label."
    )


def latent_finding(condition: Condition) -> str:
    """The probe of the layer chosen earlier, beside the network's own answers, at the end."""
    probe, own = _mean(condition, "latent_accuracy"), _mean(condition, "own_accuracy")
    if probe is None or own is None:
        return ""
    chosen = dict.fromkeys(str(run.summary.get("latent_layer")) for run in condition.runs)
    names = [short_layer(layer) for layer in chosen]
    layer = names[0] if len(names) == 1 else f"each run's best layer before ({', '.join(names)})"
    return (
        f"At the end the linear probe of {layer} answers {percent(probe.mean)} of the test images rightly, the network "
        f"itself {percent(own.mean)}."
    )


def _mean(condition: Condition, name: str):
    values = [run.number(name) for run in condition.runs]
    found = [value for value in values if value is not None]
    return estimate(found) if found else None
