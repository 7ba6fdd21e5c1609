"""What a recipe means, in float64 numpy: one image, one parameter row, one operation after another.

Written from the formulas in the docstrings of `rote.augment`, not from the native core. Each file has a group of
operations: APPLY maps a class to fn(operation, x, p, size) -> x, with x float64 [C, H, W], p the fields of the
operation's part of a row and size the recipe's (h, w). DECIDED, same arguments, says which output pixels do not hang on
the last bits of a comparison (a tie, a step): bool [h, w] or [C, h, w], or True for all.
"""

from __future__ import annotations

import numpy as np

from rote.augment import Recipe

from . import affine, color, crops, noise, rand_augment, resizing, tone

APPLY = {
    **crops.APPLY,
    **resizing.APPLY,
    **affine.APPLY,
    **color.APPLY,
    **tone.APPLY,
    **rand_augment.APPLY,
    **noise.APPLY,
}
DECIDED = {**affine.DECIDED, **tone.DECIDED, **rand_augment.DECIDED}


def render(recipe: Recipe, image: np.ndarray, row: dict, size: tuple[int, int]) -> np.ndarray:
    """float64 [C, h, w] of a uint8 image [C, H, W] under one row of `recipe.params` (scalars by column name)."""
    return render_decided(recipe, image, row, size)[0]


def render_decided(
    recipe: Recipe, image: np.ndarray, row: dict, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """`render`, and bool [C, h, w]: where every operation decided clearly. An undecided pixel of an operation that is
    followed by one that moves pixels is followed nowhere: keep such operations last."""
    x = image.astype(np.float64) / 255
    clear: np.ndarray | bool = True
    for operation, p in operations_with_parameters(recipe, row):
        if type(operation) in DECIDED:
            clear = clear & DECIDED[type(operation)](operation, x, p, size)
        x = APPLY[type(operation)](operation, x, p, size)
    return x, np.broadcast_to(clear, x.shape)


def operations_with_parameters(recipe: Recipe, row: dict):
    """Each operation with its own fields of a row."""
    seen: dict[str, int] = {}
    for operation in recipe.operations:
        seen[operation.kind] = seen.get(operation.kind, 0) + 1
        prefix = operation.kind if seen[operation.kind] == 1 else f"{operation.kind}#{seen[operation.kind]}"
        yield operation, {field.name: row[f"{prefix}.{field.name}"] for field in operation.parameters}


def rows_of(params: dict) -> list[dict]:
    """The rows of `recipe.params(...)` of shape [B] as dicts of Python numbers (lists for an order)."""
    count = len(next(iter(params.values())))
    return [{name: values[i].tolist() for name, values in params.items()} for i in range(count)]
