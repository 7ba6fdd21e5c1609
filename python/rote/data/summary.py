"""What can be said about a bank by looking at it: counts, channel statistics, repeated pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from rote.data.bank import ImageBank, Split


@dataclass(frozen=True)
class Repeats:
    """Pictures whose pixels occur more than once, byte for byte.

    Attributes:
        within_train: train pictures that repeat an earlier train picture.
        test_in_train: test pictures whose pixels are in train as well; a memorizing network knows their labels.
        contradictions: train pictures that repeat an earlier one under another label.
    """

    within_train: int
    test_in_train: int
    contradictions: int


def class_counts(split: Split, num_classes: int) -> list[int]:
    """Pictures per class, in the order of the classes."""
    return torch.bincount(split.labels.cpu(), minlength=num_classes).tolist()


def channel_statistics(split: Split) -> tuple[list[float], list[float]]:
    """Mean and standard deviation (population) of each channel on the scale 0 to 1, exact from histograms."""
    levels = torch.arange(256, dtype=torch.float64) / 255
    means, deviations = [], []
    for channel in range(split.images.shape[1]):
        counts = torch.zeros(256, dtype=torch.float64)
        for part in split.images[:, channel].split(4096):  # bincount widens to 8 bytes a pixel
            counts += torch.bincount(part.reshape(-1).cpu().long(), minlength=256)
        mean = float((counts * levels).sum() / counts.sum())
        means.append(mean)
        deviations.append(float((counts * (levels - mean) ** 2).sum() / counts.sum()) ** 0.5)
    return means, deviations


def repeats(bank: ImageBank) -> Repeats:
    """Counts repeated pictures by digest."""
    first_label: dict[bytes, int] = {}
    within = contradictions = 0
    for digest, label in zip(_digests(bank.train), bank.train.labels.tolist(), strict=True):
        seen = first_label.setdefault(digest, label)
        contradictions += seen != label
        within += 1
    leaked = sum(digest in first_label for digest in _digests(bank.test))
    return Repeats(within - len(first_label), leaked, contradictions)


def _digests(split: Split) -> list[bytes]:
    rows = np.ascontiguousarray(split.images.cpu().numpy())
    return [hashlib.blake2b(row, digest_size=16).digest() for row in rows]
