"""The list of thresholds: what is moved, from which value, and to which side the claim holds."""

from __future__ import annotations

from .test_states import MILD

CASES: dict[str, tuple] = {}


def case(number: int, threshold: float, side: int, margin: float = 0.005):
    """Above the threshold (side 1) or below it (side -1) the claim is to hold, on the other side to fail."""

    def add(make):
        CASES[f"{number}-{make.__name__}"] = (number, make, threshold, side, margin)
        return make

    return add


def benign(runs, probe, *, augment=MILD, **more):
    options = {name: more.pop(name) for name in ("labels", "views") if name in more}
    runs.benign(augment=augment, summary={"probe_accuracy": probe, **more}, **options)
