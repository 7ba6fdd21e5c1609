"""Recipes in words and as hashed values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from rote.augment.affine import RandomAffine
from rote.augment.color import ColorJitter, Grayscale, Normalize
from rote.augment.crops import RandomCrop
from rote.augment.flips import HorizontalFlip
from rote.augment.operation import Operation, Size
from rote.augment.resizing import RandomResizedCrop

if TYPE_CHECKING:
    from rote.augment.recipe import Recipe

__all__ = ["describe", "hash_of"]

#: Part of every hash: raised when the same recipe and address come to mean other pixels.
SEMANTICS_VERSION = 1
#: The fields of version 1. One that came later enters the hash only where it is not at its default, which means what
#: there was before it, so that the hash of an older recipe stays. Kinds that are not listed came with all their fields.
FIRST_FIELDS = {
    "random_resized_crop": {"scale", "ratio"},
    "random_crop": {"padding", "padding_mode", "fill"},
    "horizontal_flip": {"p"},
    "random_affine": {"degrees", "translate", "scale", "shear", "interpolation", "fill"},
    "color_jitter": {"brightness", "contrast", "saturation", "hue", "p"},
    "grayscale": {"p"},
    "normalize": {"mean", "std"},
}


def hash_of(recipe: Recipe) -> str:
    """SHA-256 (hex) of a recipe's description and the version of its meaning."""
    description: dict[str, Any] = {"semantics": SEMANTICS_VERSION} | recipe.to_dict()
    description["operations"] = [_hashed(operation) for operation in recipe.operations]
    return hashlib.sha256(json.dumps(description, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _hashed(operation: Operation) -> dict[str, Any]:
    description = operation.to_dict()
    first = FIRST_FIELDS.get(operation.kind)
    for field in fields(operation):
        if (
            first is not None
            and field.name not in first
            and operation == replace(operation, **{field.name: field.default})
        ):
            del description[field.name]
    return description


# In words ------------------------------------------------------------------------------------------------------------


def describe(recipe: Recipe, image: Size | None) -> str:
    """One line for the whole, one for each operation; in pixels where the images' size is known."""
    target = recipe.size if image is None else recipe.output_size(image)
    ending = _size(target) if target else "the images' own size"
    lines = [f"views at {ending}, hash {recipe.hash()[:12]}"]
    if image is not None:
        lines[0] = f"images of {_size(image)}, " + lines[0]
    for position, operation in enumerate(recipe.operations, 1):
        lines.append(f"{position}. {type(operation).__name__}: {words(operation, image, target)}")
        if image is not None:
            image = operation.output_size(image, target)
    if not recipe.operations:
        lines.append("the images as they are")
    if recipe.partners is not None:
        lines.append(f"partners drawn from the first {recipe.partners} images")
    return "\n".join(lines)


@singledispatch
def words(operation: Operation, image: Size | None, target: Size | None) -> str:
    """What an operation does to a view, with its numbers. Registered by class; else its fields."""
    values = [f"{f.name} {_value(getattr(operation, f.name))}" for f in fields(operation) if f.name != "p"]
    return ", ".join(values) + _chance(operation) if values else "always" + _chance(operation)


@words.register
def _(operation: RandomResizedCrop, image: Size | None, target: Size | None) -> str:
    low, high = operation.scale
    area = f"{low:.0%} to {high:.0%} of the area"
    if image is not None:
        area += (
            f" ({low * image[0] * image[1]:.0f} to {high * image[0] * image[1]:.0f} of {image[0] * image[1]} pixels)"
        )
    to = f" to {_size(target)}" if target else " to the images' own size"
    kind = getattr(operation, "interpolation", "bilinear")
    return f"a window of {area}, width / height {_range(operation.ratio)}, resized{to}, {kind}{_chance(operation)}"


@words.register
def _(operation: RandomCrop, image: Size | None, target: Size | None) -> str:
    fill = f" with {operation.fill:g}" if operation.padding_mode == "constant" else ""
    text = f"padded by {operation.padding} pixels ({operation.padding_mode}{fill}), then a window"
    if image is None or target is None:
        return text + " anywhere" + _chance(operation)
    rows, columns = (have + 2 * operation.padding - want + 1 for have, want in zip(image, target, strict=True))
    return f"{text} of {_size(target)} at one of {rows} x {columns} places{_chance(operation)}"


@words.register
def _(operation: HorizontalFlip, image: Size | None, target: Size | None) -> str:
    return f"left and right swapped{_chance(operation)}"


@words.register
def _(operation: RandomAffine, image: Size | None, target: Size | None) -> str:
    parts = [f"turned by {_range(operation.degrees)} degrees"]
    if operation.translate and any(operation.translate):
        a, b = operation.translate
        if image is None:
            parts.append(f"moved by up to {a:.3g} of the width and {b:.3g} of the height")
        else:
            parts.append(f"moved by up to {round(a * image[1])} pixels in x and {round(b * image[0])} in y")
    if operation.scale and tuple(operation.scale) != (1.0, 1.0):
        parts.append(f"scaled by {_range(operation.scale)}")
    if operation.shear and any(operation.shear):
        parts.append(f"sheared by {_range(operation.shear[:2])} and {_range(operation.shear[2:])} degrees")
    return f"{', '.join(parts)}, {operation.interpolation}, outside {operation.fill:g}{_chance(operation)}"


@words.register
def _(operation: ColorJitter, image: Size | None, target: Size | None) -> str:
    factors = (("brightness", "x"), ("contrast", "x"), ("saturation", "x"))
    parts = [f"{n} {s} {_range(getattr(operation, n))}" for n, s in factors if getattr(operation, n) != (1.0, 1.0)]
    if operation.hue != (0.0, 0.0):
        parts.append(f"hue + {_range(operation.hue)} turns")
    return f"{', '.join(parts) or 'nothing'}, in random order{_chance(operation)}"


@words.register
def _(operation: Grayscale, image: Size | None, target: Size | None) -> str:
    return f"all channels 0.2989 R + 0.587 G + 0.114 B{_chance(operation)}"


@words.register
def _(operation: Normalize, image: Size | None, target: Size | None) -> str:
    one = len({*operation.mean}) == len({*operation.std}) == 1
    mean, std = (v[0] if one else v for v in (operation.mean, operation.std))
    return f"(x - {_value(mean)}) / {_value(std)}"


def _chance(operation: Operation) -> str:
    p = getattr(operation, "p", 1.0)
    return "" if p == 1.0 else f", with probability {p:g}"


def _range(pair: tuple[float, ...]) -> str:
    return f"{pair[0]:.4g}" if pair[0] == pair[1] else f"{pair[0]:.4g} to {pair[1]:.4g}"


def _size(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))})"
    return f"{value:g}" if isinstance(value, float) else str(value)
