"""Recipes in words and as hashed values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from rote.augment.operation import Operation, Size
from rote.augment.words import words

if TYPE_CHECKING:
    from rote.augment.specification import Specification

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


def hash_of(recipe: Specification) -> str:
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


def describe(recipe: Specification, image: Size | None) -> str:
    """One line for the whole, one for each operation; in pixels where the images' size is known."""
    target = recipe.size if image is None else recipe.output_size(image)
    ending = _size(target) if target else "the size its operations leave"
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


def _size(size: Size) -> str:
    return f"{size[0]} x {size[1]}"
