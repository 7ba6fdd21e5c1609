"""The image bank: every picture of a data set resident as uint8, with its labels and where it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from rote.data.order import balanced_order, stratified_split


class DataError(ValueError):
    """A data set on disk is damaged or incomplete; the message names the file and what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Split:
    """The pictures of one split with their true labels.

    Args:
        images: uint8 [N, C, H, W], a torch tensor or a numpy array (shared, not copied), C 1 or 3.
        labels: int64 [N], each at least 0; any integer dtype is accepted and widened.

    Raises:
        TypeError: not an array, pixels that are not uint8, or labels that are not integers.
        ValueError: wrong number of dimensions, no pixels, lengths that differ, or a negative label.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self) -> None:
        images, labels = _as_tensor(self.images, "images"), _as_tensor(self.labels, "labels")
        if images.dtype != torch.uint8:
            raise TypeError(f"images: wanted uint8 [N, C, H, W], got {images.dtype}")
        if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape[1:]:
            raise ValueError(f"images: wanted uint8 [N, C, H, W] with C 1 or 3, got shape {list(images.shape)}")
        if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
            raise TypeError(f"labels: wanted int64 [N], got {labels.dtype}")
        if labels.shape != images.shape[:1]:
            raise ValueError(f"labels: wanted shape [{len(images)}] as images, got {list(labels.shape)}")
        labels = labels.to(torch.int64)
        if len(labels) and int(labels.min()) < 0:
            raise ValueError(f"labels: wanted every label >= 0, got {int(labels.min())}")
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class ImageBank:
    """A data set: a train split, a test split, the names of the classes and where everything came from.

    Args:
        name: the name it was loaded under, not empty.
        train: at least one picture.
        test: may be empty (shape [0, C, H, W]); same C, H and W as `train`.
        classes: name of class c at position c; each label of both splits indexes it.
        source: JSON-ready facts about origin and decoding, kept in a run's config.json.

    Raises:
        ValueError: empty name, train split or classes; a class name twice; sizes that differ; a label without class.

    Example:
        >>> bank = rote.data.load("digits")
        >>> bank.train.images.shape, bank.num_classes
        (torch.Size([1437, 3, 16, 16]), 10)
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    source: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.name, str):
            raise ValueError(f"name: wanted a name, got {self.name!r}")
        object.__setattr__(self, "classes", tuple(self.classes))
        if not self.classes:
            raise ValueError("classes: wanted at least one class, got none")
        repeated = sorted({name for name in self.classes if self.classes.count(name) > 1})
        if repeated:
            raise ValueError(f"classes: wanted every name once, got {repeated[0]!r} more than once")
        if not len(self.train):
            raise ValueError("train: wanted at least one picture, got none")
        if self.train.images.shape[1:] != self.test.images.shape[1:]:
            raise ValueError(
                f"test: wanted pictures of shape {list(self.train.images.shape[1:])} as in train, "
                f"got {list(self.test.images.shape[1:])}"
            )
        for name, split in (("train", self.train), ("test", self.test)):
            if len(split) and int(split.labels.max()) >= len(self.classes):
                raise ValueError(
                    f"{name}.labels: wanted labels below the {len(self.classes)} classes, got {int(split.labels.max())}"
                )

    @property
    def channels(self) -> int:
        return self.train.images.shape[1]

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.train.images.shape[2], self.train.images.shape[3]

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    def fingerprint(self) -> str:
        """SHA-256 (hex) over shape, pixels and labels of both splits; equal on every machine for equal data."""
        digest = hashlib.sha256()
        for name, split in (("train", self.train), ("test", self.test)):
            digest.update(f"{name} {list(split.images.shape)}\n".encode())
            digest.update(np.ascontiguousarray(split.images.cpu().numpy()))
            digest.update(np.ascontiguousarray(split.labels.cpu().numpy(), dtype="<i8"))
        return digest.hexdigest()

    def balanced_order(self, seed: int) -> torch.Tensor:
        """A seeded order of the training images whose every prefix is class-balanced.

        The counts of any two classes in a prefix differ by at most one, as long as no class has run out; a longer
        prefix contains every shorter one. `--images N` trains on its first N ids.

        Args:
            seed: the data seed, 0 <= seed < 2^64.

        Returns:
            int64 [N], a permutation of the training ids, on the CPU.

        Raises:
            ValueError: `seed` is out of range.
        """
        return balanced_order(self.train.labels.cpu(), self.num_classes, seed)

    def split(self, val: int | float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Divides the training ids into a training and a validation part, stratified by class.

        Args:
            val: number of validation images (an int, 0 < val < N) or their share (a float, 0 < val < 1).
            seed: 0 <= seed < 2^64.

        Returns:
            (train_ids, val_ids), int64, ascending, disjoint, together all of train. Each class gives its share of
            `val`, rounded by largest remainder.

        Raises:
            ValueError: `val` leaves one of the parts empty, or `seed` is out of range.
        """
        return stratified_split(self.train.labels.cpu(), self.num_classes, val, seed)


def _as_tensor(value: object, name: str) -> torch.Tensor:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{name}: wanted a torch tensor or numpy array, got {type(value).__name__}")
    return value
