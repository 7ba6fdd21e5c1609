"""Measured values against a threshold: holds, fails or undecided.

Effects are judged by one rule. Take the 95 % t interval of the mean over seeds (of paired differences, where two
conditions are compared):

    holds       the whole interval lies on the side that the criterion asks for
    fails       the whole interval lies on the other side
    undecided   the threshold lies inside the interval

What defines memorization (clean accuracy, accuracy on fresh views) is asked of every single run, since it is a property
of a run and not an effect: it holds when all runs meet it, fails when none does, and is undecided in between. A claim
of several parts holds when all parts hold and fails when one fails. With fewer seeds than the claim asks for it is
undecided, whatever was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rote.statistics import t_interval

HOLDS, FAILS, UNDECIDED, NOT_RUN = "holds", "fails", "undecided", "not run"
STATES = (HOLDS, FAILS, UNDECIDED, NOT_RUN)
State = Literal["holds", "fails", "undecided", "not run"]

# Differences of shares are ratios of counts; a threshold must not be missed by the last bit of a float.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Part:
    """One measured quantity of a claim and what it says.

    Attributes:
        name: what was measured.
        values: one a seed.
        state: holds, fails or undecided.
        unit: "" or "points", in which shares are printed times 100.
    """

    name: str
    values: tuple[float, ...]
    state: State
    unit: str = ""

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return sum(self.values) / len(self.values)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % t interval of the mean; None of a single value."""
        return interval(self.values)

    def __str__(self) -> str:
        factor, form = (100.0, "+.1f") if self.unit == "points" else (1.0, ".3f")
        text = f"{self.name} {self.mean * factor:{form}}"
        found = self.interval
        if found is not None:
            low, high = (f"{end * factor:{form}}" for end in found)
            text += f" [{low}, {high}]"
        return f"{text} {self.unit}".rstrip()


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % t interval of the mean; None of fewer than two values."""
    return t_interval(values) if len(values) > 1 else None


def within(
    name: str, values: Iterable[float], low: float = float("-inf"), high: float = float("inf"), *, unit: str = ""
) -> Part:
    """Judges an effect that is to lie in [low, high] by the interval of its mean."""
    values = tuple(float(value) for value in values)
    ends = interval(values)
    if ends is None:
        state = UNDECIDED
    elif ends[0] >= low - _ROUNDING and ends[1] <= high + _ROUNDING:
        state = HOLDS
    elif ends[1] < low - _ROUNDING or ends[0] > high + _ROUNDING:
        state = FAILS
    else:
        state = UNDECIDED
    return Part(name, values, state, unit)


def at_least(name: str, values: Iterable[float], threshold: float, *, unit: str = "") -> Part:
    """Judges an effect that is to be at least `threshold`."""
    return within(name, values, low=threshold, unit=unit)


def at_most(name: str, values: Iterable[float], threshold: float, *, unit: str = "") -> Part:
    """Judges an effect that is to be at most `threshold`."""
    return within(name, values, high=threshold, unit=unit)


def above(name: str, values: Iterable[float], threshold: float, *, unit: str = "") -> Part:
    """Judges an effect that is to be greater than `threshold`: the interval excludes it."""
    return at_least(name, values, threshold + 10 * _ROUNDING, unit=unit)


def below(name: str, values: Iterable[float], threshold: float, *, unit: str = "") -> Part:
    """Judges an effect that is to be less than `threshold`."""
    return at_most(name, values, threshold - 10 * _ROUNDING, unit=unit)


def contains(name: str, values: Iterable[float], value: float, *, unit: str = "") -> Part:
    """Judges an effect that is not to be told from `value`: the interval of its mean contains it."""
    values = tuple(float(v) for v in values)
    ends = interval(values)
    inside = ends is not None and ends[0] - _ROUNDING <= value <= ends[1] + _ROUNDING
    return Part(name, values, UNDECIDED if ends is None else HOLDS if inside else FAILS, unit)


def each_at_least(name: str, values: Iterable[float], threshold: float) -> Part:
    """Judges what defines memorization: every run is to reach `threshold`."""
    values = tuple(float(value) for value in values)
    reached = [value >= threshold - _ROUNDING for value in values]
    state = HOLDS if all(reached) else UNDECIDED if any(reached) else FAILS
    return Part(name, values, state)


def together(states: Iterable[State]) -> State:
    """The state of a claim of several parts.

    Raises:
        ValueError: there are no parts.
    """
    states = tuple(states)
    if not states:
        raise ValueError("a claim has at least one part; got none")
    if FAILS in states:
        return FAILS
    return HOLDS if set(states) == {HOLDS} else UNDECIDED
