"""What the trainings of a `transfer` run come to: rows, measurements and headline numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rote.experiments.transfer.starts import SCRATCH
from rote.runs.folder import measurement
from rote.statistics import t_interval

TRUE, RANDOM = "true", "random"
FITTED = 0.9


class Cell(NamedTuple):
    """One training on the second half: its start, its labels and the network it goes on from."""

    start: str
    labels: str
    network: int

    @property
    def name(self) -> str:
        """Its file's name inside cells/."""
        return f"{self.start}_{self.labels}_{self.network}"


Looks = Mapping[Cell, list[dict[str, Any]]]
"""What was measured after every epoch of every training, as `train_cell` gives it."""


def transfer_rows(looks: Looks) -> list[dict[str, Any]]:
    """The rows of transfer.csv: every evaluation of every training."""
    names = ("train_accuracy", "test_accuracy", "accuracy_running")
    return [
        {**cell._asdict(), "epoch": look["epoch"], "step": look["step"], **{name: look.get(name) for name in names}}
        for cell, found in looks.items()
        for look in found
        if "test_accuracy" in look
    ]


def measurements(looks: Looks) -> Iterator[dict[str, Any]]:
    """The lines of metrics.jsonl, those of every epoch."""
    names = {"train_accuracy": "train", "test_accuracy": "test", "accuracy_running": "train", "loss": "train"}
    for cell, found in looks.items():
        for look in found:
            for name in [name for name in names if name in look]:
                yield measurement(look["step"], look["epoch"], names[name], name, None, look[name], **cell._asdict())


def epochs_to_90(looks: Looks) -> dict[str, dict[str, float | None]]:
    """{start: {labels: epochs}}: mean over networks of the first epoch whose running accuracy reached .9, None where a
    network never did."""
    firsts: dict[str, dict[str, list[int | None]]] = {}
    for cell, found in looks.items():
        first = next((look["epoch"] for look in found if look.get("accuracy_running", 0.0) >= FITTED), None)
        firsts.setdefault(cell.start, {}).setdefault(cell.labels, []).append(first)
    return {
        start: {labels: None if None in found else _mean(found) for labels, found in by_labels.items()}
        for start, by_labels in firsts.items()
    }


def accuracies_on_test_images(looks: Looks) -> dict[str, Any]:
    """`test_accuracy`, the mean by start after training on true labels, and `test_accuracy_over_scratch`.

    The latter is [mean, low, high] of the differences between networks that share seed, order and images, with the 95 %
    t interval where there are two networks or more. Both are None where there was no such training.
    """
    last: dict[str, list[float]] = {}
    for cell, found in looks.items():
        if cell.labels == TRUE:
            last.setdefault(cell.start, []).append(found[-1]["test_accuracy"])
    over = {
        start: _with_interval([value - other for value, other in zip(values, last[SCRATCH], strict=True)])
        for start, values in last.items()
        if SCRATCH in last and start != SCRATCH
    }
    means = {start: _mean(values) for start, values in last.items()}
    return {"test_accuracy": means or None, "test_accuracy_over_scratch": over or None}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _with_interval(values: list[float]) -> list[float | None]:
    return [_mean(values), *(t_interval(values) if len(values) > 1 else (None, None))]
