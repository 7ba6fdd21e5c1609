"""A recipe at another strength: every magnitude of every operation scaled by one number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from rote.augment import (
    ColorJitter,
    GaussianBlur,
    Grayscale,
    HorizontalFlip,
    Normalize,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    Recipe,
    VerticalFlip,
)
from rote.augment.operation import Operation

# A crop smaller than this share of the image is a pixel or two of 32 x 32.
_SMALLEST_CROP = 0.02
# Hues are an angle: half a turn to both sides is every hue.
_WIDEST_HUE = 0.5
_FULL_TURN = 360.0


def scaled(recipe: Recipe, strength: float) -> Recipe:
    """The recipe whose magnitudes are `strength` times its own: none at 0, itself at 1, beyond it above.

    Magnitudes are distances from what leaves an image as it is: the area share that a crop may leave out, the logarithm
    of its aspect ratio, pixels of a shift, degrees, the logarithm of a scaling, the range of a colour factor, the
    largest width of a blur, the area of an erased box. They end where an operation does (a crop of 2 % of the area,
    every hue). An operation without a magnitude (flips, grayscale) acts with `strength` times its probability, at most
    its own: more flips than its own would be fewer views. `Normalize` is not an augmentation and stays.

    Args:
        recipe: the recipe at strength 1.
        strength: at least 0.

    Raises:
        ValueError: a negative or infinite strength, or an operation for which this means nothing.

    Example:
        >>> scaled(Recipe(RandomResizedCrop(scale=(0.5, 1.0))), 0.5).operations[0].scale
        (0.75, 1.0)
    """
    if not (math.isfinite(strength) and strength >= 0):
        raise ValueError(f"strength must be finite and at least 0; got {strength}")
    if strength == 1:
        return recipe
    operations = []
    for operation in recipe.operations:
        scale = _SCALED.get(type(operation))
        if scale is None:
            known = ", ".join(sorted(kind.__name__ for kind in _SCALED))
            raise ValueError(f"a strength scales {known}; got a recipe with {type(operation).__name__}")
        if strength > 0 or isinstance(operation, Normalize):
            operations.append(scale(operation, strength))
    return Recipe(*operations, size=recipe.size, partners=recipe.partners)


def _crop_and_resize(operation: RandomResizedCrop, strength: float) -> Operation:
    low, high = (max(1.0 - strength * (1.0 - share), _SMALLEST_CROP) for share in operation.scale)
    return dataclasses.replace(operation, scale=(low, high), ratio=_powers(operation.ratio, strength))


def _crop(operation: RandomCrop, strength: float) -> Operation:
    return dataclasses.replace(operation, padding=round(strength * operation.padding))


def _color(operation: ColorJitter, strength: float) -> Operation:
    names = ("brightness", "contrast", "saturation", "hue")
    return dataclasses.replace(operation, **{name: _factor(operation, name, strength) for name in names})


def _factor(operation: ColorJitter, name: str, strength: float) -> tuple[float, float]:
    # Around what changes nothing: a shift of 0, a factor of 1.
    low, high = getattr(operation, name)
    if name == "hue":
        return max(strength * low, -_WIDEST_HUE), min(strength * high, _WIDEST_HUE)
    return max(1.0 + strength * (low - 1.0), 0.0), 1.0 + strength * (high - 1.0)


def _affine(operation: RandomAffine, strength: float) -> Operation:
    shear, translate, scale = operation.shear, operation.translate, operation.scale
    return dataclasses.replace(
        operation,
        degrees=tuple(max(-_FULL_TURN, min(strength * end, _FULL_TURN)) for end in operation.degrees),
        translate=None if translate is None else tuple(min(strength * share, 1.0) for share in translate),
        scale=None if scale is None else _powers(scale, strength),
        shear=None if shear is None else tuple(strength * end for end in shear),
    )


def _blur(operation: GaussianBlur, strength: float) -> Operation:
    low, high = operation.sigma[0], strength * operation.sigma[1]
    return dataclasses.replace(operation, sigma=(min(low, high), high))


def _erasing(operation: RandomErasing, strength: float) -> Operation:
    return dataclasses.replace(operation, scale=tuple(min(strength * share, 1.0) for share in operation.scale))


def _probability(operation: HorizontalFlip | VerticalFlip | Grayscale, strength: float) -> Operation:
    return dataclasses.replace(operation, p=min(strength, 1.0) * operation.p)


def _unchanged(operation: Operation, strength: float) -> Operation:
    return operation


def _powers(ends: tuple[float, float], strength: float) -> tuple[float, float]:
    return tuple(end**strength for end in ends)


_SCALED: dict[type[Operation], Callable[[Operation, float], Operation]] = {
    RandomResizedCrop: _crop_and_resize,
    RandomCrop: _crop,
    ColorJitter: _color,
    RandomAffine: _affine,
    GaussianBlur: _blur,
    RandomErasing: _erasing,
    HorizontalFlip: _probability,
    VerticalFlip: _probability,
    Grayscale: _probability,
    Normalize: _unchanged,
}
