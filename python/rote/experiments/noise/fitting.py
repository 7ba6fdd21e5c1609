"""How fast a training fitted its data, told from the running loss and accuracy of its epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """Running means of one epoch, in train mode on what it showed.

    Attributes:
        number: from 1 on: the number of epochs done at its end.
        loss: mean of the loss.
        accuracy: on the labels used.
    """

    number: int
    loss: float
    accuracy: float


def epochs_to_accuracy(epochs: Sequence[Epoch], threshold: float) -> int | None:
    """The first epoch whose running accuracy is at least `threshold`; None if there is none."""
    return next((epoch.number for epoch in epochs if epoch.accuracy >= threshold), None)


def epochs_to_loss(epochs: Sequence[Epoch], threshold: float) -> float | None:
    """When the running loss first was `threshold` or less, in epochs; None if it never was.

    Between two epochs the loss is taken to change linearly, so that trainings fitted in the same epoch are told apart;
    in the first epoch it counts as reached at its end.
    """
    before: Epoch | None = None
    for epoch in epochs:
        if epoch.loss <= threshold:
            if before is None:
                return float(epoch.number)
            share = (before.loss - threshold) / (before.loss - epoch.loss)
            return before.number + share * (epoch.number - before.number)
        before = epoch
    return None
