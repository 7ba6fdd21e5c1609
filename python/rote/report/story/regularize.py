"""What the regularize runs show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.numbers import significant
from rote.report.rows import Row, over_seeds


def falls_finding(rows: Sequence[Row]) -> str:
    """The techniques by their mean fall, the largest first."""
    means = sorted(over_seeds(rows, ("technique",), "fall"), key=lambda mean: -mean.mean)
    if not means:
        return ""
    parts = [f"{mean.at['technique'].replace('-', ' ')} {100 * mean.mean:.0f}" for mean in means]
    return f"Points by which what is known of random labels falls within the allowed cost: {', '.join(parts)}."


def losses_finding(rows: Sequence[Row], labels: str) -> str:
    """The last loss without a regularizer, and the highest of all."""
    own = [row for row in rows if row["labels"] == labels]
    last = max((row["epoch"] for row in own), default=None)
    means = over_seeds([row for row in own if row["epoch"] == last], ("technique", "strength"), "running_loss")
    without = [mean for mean in means if mean.at["technique"] == "none"]
    if not without or len(means) < 2:
        return ""
    most = max(means, key=lambda mean: mean.mean)
    return (
        f"At the end the loss is {significant(without[0].mean)} without a regularizer and at most "
        f"{significant(most.mean)}, with {most.at['technique'].replace('-', ' ')} at {most.at['strength']:g}."
    )
