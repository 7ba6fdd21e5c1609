"""MixUp and CutMix in float64: recipes whose views show two images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rote.augment import CutMix, MixUp, Operation, Recipe

Apply = Callable[[Operation, np.ndarray, dict, tuple[int, int]], np.ndarray]


def mixup(operation: MixUp, x: np.ndarray, partner: np.ndarray, p: dict) -> np.ndarray:
    return p["weight"] * x + (1 - p["weight"]) * partner


def cutmix(operation: CutMix, x: np.ndarray, partner: np.ndarray, p: dict) -> np.ndarray:
    x = x.copy()
    box = np.s_[:, p["top"] : p["top"] + p["height"], p["left"] : p["left"] + p["width"]]
    x[box] = partner[box]
    return x


MIX = {MixUp: mixup, CutMix: cutmix}


def render_mixed(
    recipe: Recipe, bank: np.ndarray, image: int, row: dict, size: tuple[int, int], apply: Apply, mix: dict = MIX
) -> np.ndarray:
    """[C, h, w] of a view of bank[image], uint8 [N, C, H, W], under one row of `recipe.params` (scalars by name).

    `apply` does what mixes nothing; `mix` has fn(operation, x, partner, p) for what does.
    """
    return _render(recipe.operations, bank, image, row, size, apply, mix, "")


def _render(operations, bank, image, row, size, apply, mix, owner):
    x, seen = bank[image] / 255, {}
    for position, operation in enumerate(operations):
        seen[operation.kind] = seen.get(operation.kind, 0) + 1
        prefix = operation.kind if seen[operation.kind] == 1 else f"{operation.kind}#{seen[operation.kind]}"
        p = {field.name: row[f"{owner}{prefix}.{field.name}"] for field in operation.parameters}
        if type(operation) not in mix:
            x = apply(operation, x, p, size)
        elif not owner:  # a partner is not mixed again
            before = operations[:position]
            partner = _render(before, bank, p["partner"], row, size, apply, mix, f"{prefix}.partner.")
            x = mix[type(operation)](operation, x, partner, p)
    return x
