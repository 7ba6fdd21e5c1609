"""The doubling rule: a network trains until twice the visits no longer help, or its budget is gone.

A budget is easily mistaken for a capacity. A pool is looked at after a budget's half, quarter, eighth, ... and the
budget itself; training ends before where everything is right or doubling did not help twice in a row. What still rose
at the end of its budget is *budget-limited*: it says what fits into the budget, not into the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Doubling must add this much accuracy, or this share of a label's bits, to count as still helping.
STILL_HELPS = 0.01
# Accuracy below which bits count as well.
STARTING = 0.5
# So many doublings in a row must not help before a training ends: at a constant learning rate accuracy goes up and
# down.
IDLE_DOUBLINGS = 2
# Average visits of a view before the first look. Fitting starts late where many labels are to be stored, and a start
# that has not happened yet must not pass for a full memory.
FIRST_LOOK = 50


class Look(NamedTuple):
    """What was seen of a pool at one step of a training.

    Attributes:
        step: number of updates done.
        accuracy: share of the pool's labels predicted, in eval mode.
        cost_bits: mean of -log2 p of the right label.
        loss: running loss since the look before.
        running: running accuracy since the look before.
    """

    step: int
    accuracy: float
    cost_bits: float
    loss: float
    running: float


class Outcome(NamedTuple):
    """Where a training ended under one budget.

    Attributes:
        look: the last look.
        before: the look at half of its steps; None where there was none.
        budget_limited: whether more steps may still have helped.
    """

    look: Look
    before: Look | None
    budget_limited: bool


def ladder(budget: float, visit: float) -> list[int]:
    """The steps at which a pool is looked at, ascending: the budget, its half, its quarter, ..., in whole steps.

    Args:
        budget: the most steps; at least one is taken.
        visit: steps in which every view comes up once, on average. No look but the last one comes before
            `FIRST_LOOK` of them.
    """
    steps = [max(1, round(budget))]
    while steps[-1] // 2 >= max(1, FIRST_LOOK * visit):
        steps.append(steps[-1] // 2)
    return steps[::-1]


def outcome(steps: Sequence[int], looks: Mapping[int, Look], label_bits: float) -> Outcome | int:
    """Applies the rule to the looks so far.

    Args:
        steps: a `ladder`.
        looks: by step; others than the ladder's do not matter.
        label_bits: log2 of the number of classes.

    Returns:
        The outcome, or the step of the next look that is needed to tell it.
    """
    before: Look | None = None
    idle = 0
    for step in steps:
        if step not in looks:
            return step
        look = looks[step]
        helps = before is None or still_helps(before, look, label_bits)
        idle = 0 if helps else idle + 1
        if look.accuracy == 1.0 or idle == IDLE_DOUBLINGS:
            return Outcome(look, before, False)
        if step == steps[-1]:
            return Outcome(look, before, helps)
        before = look
    raise ValueError("a ladder has at least one step")


def still_helps(before: Look, after: Look, label_bits: float) -> bool:
    """Whether doubling added a point or, as long as most labels are missed, a hundredth of the bits a label has.

    The second keeps a slow start, where every view is still at chance, from passing for a full memory.
    """
    fewer_bits = before.cost_bits - after.cost_bits
    starting = after.accuracy < STARTING and fewer_bits >= STILL_HELPS * label_bits
    return starting or after.accuracy - before.accuracy >= STILL_HELPS
