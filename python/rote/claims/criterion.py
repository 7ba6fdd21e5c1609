"""What a claim is: a falsifiable statement with its criterion."""

from __future__ import annotations

from dataclasses import dataclass

CIFAR, DIGITS, TINY = "CIFAR-10", "digits", "tiny networks"
NARROW = "CIFAR-10, narrow networks"


@dataclass(frozen=True)
class Criterion:
    """One falsifiable statement.

    Attributes:
        number: its row in the table.
        claim: the statement.
        holds_when: what has to be measured for it to hold.
        scales: where it is to be shown: "CIFAR-10" (512 images, small convolutional net, 3,600 steps), "digits", or
            "tiny networks" (1k to 32k parameters at 16 pixels, on any data), or "CIFAR-10, narrow networks" (2,000 to
            10,000 images, narrow convolutional nets or perceptrons).
        needs: the runs that decide it, in words.
        experiments: the experiments those runs are of.
        min_seeds: fewest seeds that decide it; 5 where the expected effect is below 5 points.
    """

    number: int
    claim: str
    holds_when: str
    scales: tuple[str, ...]
    needs: str
    experiments: tuple[str, ...]
    min_seeds: int = 3
