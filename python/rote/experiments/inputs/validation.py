"""A validation part of the training split, on which everything that is selected is selected."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rote.data import ImageBank
from rote.data.order import balanced_order


@dataclass(frozen=True)
class Division:
    """The two parts of the training split.

    Attributes:
        train: int64 [N], ids trained on, the first N of a seeded class-balanced order of their part.
        validation: int64 [V], ids held out, stratified by class.
    """

    train: Tensor
    validation: Tensor


def divide(bank: ImageBank, images: int | None, validation: int, seed: int) -> Division:
    """Holds a validation part out, and takes the images trained on from the rest.

    Args:
        bank: the data set.
        images: N; None is all that is not held out.
        validation: V, whatever N is: the same ids for every N.
        seed: the data seed, 0 <= seed < 2^64.

    Raises:
        ValueError: more images asked for than the two parts hold.
    """
    total = len(bank.train)
    left = total - validation
    if validation < 1 or left < 1 or (images is not None and images > left):
        asked = "" if images is None else f" and --images {images}"
        raise ValueError(
            f"--validation and --images must be at least 1 and at most {total} together, the training images of "
            f"{bank.name}; got --validation {validation}{asked}"
        )
    rest, held_out = bank.split(validation, seed)
    # An order of the rest alone: where images are taken out of one of all, its beginnings are not balanced any more.
    order = balanced_order(bank.train.labels.cpu()[rest], bank.num_classes, seed)
    return Division(rest[order[:images]], held_out)
