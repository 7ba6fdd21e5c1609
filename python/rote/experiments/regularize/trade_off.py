"""What a technique buys: how far it lowers the accuracy on random labels while true labels cost next to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rote.experiments.regularize.settings import NONE


@dataclass(frozen=True)
class Fall:
    """The best of one technique.

    Attributes:
        technique: the technique.
        fall: accuracy on random labels without it - with it, the largest there is at the cost allowed; at least 0,
            which strength 0 gives.
        cost: accuracy on true labels without it - with it, there.
        strength: there, on the line between two strengths.
        strongest: whether that is the end of the curve, so that more might have given more.
    """

    technique: str
    fall: float
    cost: float
    strength: float
    strongest: bool


def largest_fall(
    technique: str, strengths: Sequence[float], random: Sequence[float], real: Sequence[float], *, cost: float
) -> Fall:
    """The largest fall along a curve from strength 0 on, both accuracies linear between neighbouring strengths.

    Args:
        technique: its name.
        strengths: ascending, the first one 0.
        random: training accuracy on random labels at each.
        real: accuracy on true labels at each.
        cost: most that `real` may lie below its value at strength 0.

    Raises:
        ValueError: the curve does not begin at 0, or its columns differ in length.
    """
    if not len(strengths) == len(random) == len(real) or not strengths or strengths[0] != 0:
        raise ValueError(
            f"strengths must begin at 0 and be as many as the accuracies; got {list(strengths)} for {len(random)} and "
            f"{len(real)} accuracies"
        )
    best = Fall(technique, 0.0, 0.0, 0.0, len(strengths) == 1)
    for last in range(1, len(strengths)):
        paid = [real[0] - real[i] for i in (last - 1, last)]
        shares = [1.0] if paid[1] <= cost else []
        if (paid[0] <= cost) != (paid[1] <= cost):
            shares.append((cost - paid[0]) / (paid[1] - paid[0]))
        for share in shares:
            fall = random[0] - _between(random, last, share)
            if fall > best.fall:
                end = last == len(strengths) - 1 and share == 1.0
                at, asked = _between(strengths, last, share), real[0] - _between(real, last, share)
                best = Fall(technique, fall, asked, at, end)
    return best


def falls(rows: Sequence[Mapping[str, Any]], *, cost: float) -> list[Fall]:
    """The best of every technique in the rows of regularize.csv, largest fall first."""
    (without,) = (row for row in rows if row["technique"] == NONE)
    found = []
    for technique in dict.fromkeys(row["technique"] for row in rows if row["technique"] != NONE):
        curve = [without, *(row for row in rows if row["technique"] == technique)]
        columns = ([row[key] for row in curve] for key in ("strength", "random_train_accuracy", "test_selected"))
        found.append(largest_fall(technique, *columns, cost=cost))
    return sorted(found, key=lambda fall: -fall.fall)


def _between(values: Sequence[float], last: int, share: float) -> float:
    return values[last - 1] + share * (values[last] - values[last - 1])
