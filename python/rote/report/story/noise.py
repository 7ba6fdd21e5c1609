"""What the noise runs show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.figures.corruption import levels
from rote.report.figures.noise import CONDITIONS, whole_conditions
from rote.report.numbers import percent
from rote.report.rows import Row, over_seeds


def fitted_finding(rows: Sequence[Row]) -> str:
    """The least training accuracy of the conditions."""
    means = over_seeds(whole_conditions(rows), ("condition",), "train_accuracy")
    if not means:
        return ""
    least = min(means, key=lambda mean: mean.mean)
    name = CONDITIONS[least.at["condition"]][1]
    if least.mean > 0.9995:
        return f"{len(means)} conditions, each fitted to 100\u00a0% of its training labels."
    return f"{len(means)} conditions; the least fitted, {name}, ends at {percent(least.mean)} of its training labels."


def order_finding(rows: Sequence[Row]) -> str:
    """The conditions in the order in which they were fitted."""
    means = over_seeds(whole_conditions(rows), ("condition",), "steps_to_loss")
    if len(means) < 2:
        return ""
    names = [CONDITIONS[mean.at["condition"]][1] for mean in sorted(means, key=lambda mean: mean.mean)]
    return f"Fitted in this order: {', '.join(names)}."


def time_finding(rows: Sequence[Row], condition: str) -> str:
    """How much longer all corrupted takes than none."""
    means = {
        mean.at["corruption"]: mean.mean
        for mean in over_seeds(levels(rows, condition), ("corruption",), "epochs_to_99")
    }
    if not {0, 1} <= set(means):
        return "Not every level was fitted to 99 %."
    return (
        f"{means[0]:.0f} epochs on true data, {means[1]:.0f} where all are corrupted: {means[1] / means[0]:.1f} times."
    )


def error_finding(rows: Sequence[Row], condition: str) -> str:
    """Test accuracy at either end."""
    means = sorted(
        over_seeds(levels(rows, condition), ("corruption",), "test_accuracy"), key=lambda mean: mean.at["corruption"]
    )
    if len(means) < 2:
        return ""
    ends = (f"{percent(mean.mean)} at {percent(mean.at['corruption'])}" for mean in (means[0], means[-1]))
    return f"Test accuracy: {', '.join(ends)} corrupted."


def regularizers_finding(rows: Sequence[Row]) -> str:
    """What both regularizers leave of memorization, and what neither leaves of test accuracy."""
    grid = [row for row in rows if row["corruption"] in (0, 1) and row["condition"] in ("true", "random-labels")]
    most = max((row["weight_decay"] for row in grid), default=0)
    fitted = over_seeds(
        [r for r in grid if r["condition"] == "random-labels" and r["crop"] and r["weight_decay"] == most],
        (),
        "train_accuracy",
    )
    tested = {
        (mean.at["crop"], mean.at["weight_decay"] > 0): mean.mean
        for mean in over_seeds([r for r in grid if r["condition"] == "true"], ("crop", "weight_decay"), "test_accuracy")
    }
    if not fitted or (False, False) not in tested:
        return ""
    return (
        f"With both, {percent(fitted[0].mean)} of random labels are known; with neither, test accuracy on true labels "
        f"is {percent(tested[False, False])}, at best {percent(max(tested.values()))}."
    )
