"""How many tuples of parameters an operation draws with positive probability for one image."""

from __future__ import annotations

import math
from collections.abc import Callable

from rote.augment.operation import Operation, Size
from rote.augment.windows import fallback_window, rounded_boxes

__all__ = ["acting_factors", "support"]

Count = Callable[[Operation, Size, Size], int | float]
FACTORS = ("brightness", "contrast", "saturation", "hue")
_COUNTS: dict[str, Count] = {}


def support(operation: Operation, image: Size, target: Size) -> int | float | None:
    """The number, `math.inf` where a parameter is continuous, None for an operation that is not known here.

    Parameters of an operation that is not applied do not act and do not count; it then has one tuple. An operation that
    only says whether it is applied has two, or one where its p is 0 or 1; one that draws nothing has one.
    """
    if getattr(operation, "p", 1.0) == 0:
        return 1
    if operation.kind in _COUNTS:
        return _COUNTS[operation.kind](operation, image, target)
    names = [field.name for field in operation.parameters]
    if names == ["applied"]:
        return 2 if getattr(operation, "p", 0.5) < 1 else 1
    return None if names else 1


def acting_factors(operation: Operation) -> list[str]:
    """The factors of a colour jitter that are not always neutral."""
    return [f for f in FACTORS if getattr(operation, f) != ((0.0, 0.0) if f == "hue" else (1.0, 1.0))]


def _of(*kinds: str) -> Callable[[Count], Count]:
    def register(count: Count) -> Count:
        _COUNTS.update(dict.fromkeys(kinds, count))
        return count

    return register


def _skipped(operation: Operation) -> bool:
    """Whether there are views that an operation leaves alone."""
    return getattr(operation, "p", 1.0) < 1


def _places(boxes: set[Size], image: Size) -> int:
    return sum((image[0] - h + 1) * (image[1] - w + 1) for h, w in boxes)


@_of("random_resized_crop")
def _random_resized_crop(operation: Operation, image: Size, target: Size) -> int:
    drawn = rounded_boxes(image, operation.scale, operation.ratio)
    fits = {(h, w) for h, w in drawn if 1 <= h <= image[0] and 1 <= w <= image[1]}
    # A window of a side's whole length has one place there, as the two that stand in for a draw have.
    others = ({fallback_window(image, operation.ratio)} if fits != drawn else set()) | (
        {image} if _skipped(operation) else set()
    )
    return _places(fits, image) + len(others - fits)


@_of("random_erasing")
def _random_erasing(operation: Operation, image: Size, target: Size) -> int | float:
    if operation.value == "random":
        return math.inf
    drawn = {(h, w) for w, h in rounded_boxes((image[1], image[0]), operation.scale, operation.ratio)}
    fits = {(h, w) for h, w in drawn if h < image[0] and w < image[1]}
    return _places(fits, image) + (_skipped(operation) or fits != drawn)


@_of("random_crop")
def _random_crop(operation: Operation, image: Size, target: Size) -> int:
    return math.prod(have + 2 * operation.padding - want + 1 for have, want in zip(image, target, strict=True))


@_of("cutout")
def _cutout(operation: Operation, image: Size, target: Size) -> int:
    slack = [n - side + 1 if operation.inside else n for n, side in zip(image, operation.size, strict=True)]
    return math.prod(slack) + _skipped(operation)


@_of("random_affine")
def _random_affine(operation: Operation, image: Size, target: Size) -> int | float:
    scale, shear = operation.scale or (1.0, 1.0), operation.shear or (0.0,) * 4
    if any(low < high for low, high in (operation.degrees, scale, shear[:2], shear[2:])):
        return math.inf
    reach = operation.translate or (0.0, 0.0)
    # Whole pixels v with |v| - 1/2 below the reach.
    moves = math.prod(2 * math.ceil(a * n + 0.5) - 1 for a, n in ((reach[0], image[1]), (reach[1], image[0])))
    still = (operation.degrees[0], scale[0], *shear[::2]) == (0.0, 1.0, 0.0, 0.0)
    return moves + (_skipped(operation) and not still)


@_of("random_rotation")
def _random_rotation(operation: Operation, image: Size, target: Size) -> int | float:
    low, high = operation.degrees
    return math.inf if low < high else 1 + (_skipped(operation) and low != 0)


@_of("color_jitter")
def _color_jitter(operation: Operation, image: Size, target: Size) -> int | float:
    acting = acting_factors(operation)
    if any(low < high for low, high in (getattr(operation, name) for name in acting)):
        return math.inf
    return math.factorial(len(acting)) + _skipped(operation)


@_of("gaussian_blur", "sharpness")
def _one_range(operation: Operation, image: Size, target: Size) -> int | float:
    low, high = operation.sigma if operation.kind == "gaussian_blur" else operation.factor
    return math.inf if low < high else 1 + _skipped(operation)


@_of("rand_augment")
def _rand_augment(operation: Operation, image: Size, target: Size) -> int:
    part = operation.magnitude / (operation.num_magnitude_bins - 1)
    signed = 7 * (part > 0) + sum(int(150 / 331 * n * part) > 0 for n in image)
    return (len(operation.operations) + signed) ** operation.num_ops  # not applied: the identity, which is among them


@_of("gaussian_noise", "mixup", "cutmix")
def _without_end(operation: Operation, image: Size, target: Size) -> float:
    return math.inf
