"""The transformations that invariance is asked about: a whole recipe, and each of its operations alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from rote.augment import Normalize, Recipe, parameters

RECIPE = "recipe"


@dataclass(frozen=True)
class Transformation:
    """Two views to compare.

    Attributes:
        name: "recipe", or an operation as in `Recipe.params`, "horizontal_flip".
        first: what makes T1 x.
        second: what makes T2 x, of another view.
    """

    name: str
    first: Recipe
    second: Recipe


def transformations(recipe: Recipe) -> list[Transformation]:
    """The recipe, then each operation alone and always applied (p = 1).

    An operation that draws nothing but whether it acts (a flip, grayscale) does the same to every view once it always
    acts; it is compared with leaving the image alone. Normalization follows every operation, as in the recipe; where
    nothing but it is left, there is nothing to compare.

    Args:
        recipe: without operations that mix images.
    """
    operations = [operation for operation in recipe.operations if not isinstance(operation, Normalize)]
    normalize = [operation for operation in recipe.operations if isinstance(operation, Normalize)]
    alone = []
    for name, operation in zip(parameters.prefixes(operations), operations, strict=True):
        if hasattr(operation, "p"):
            operation = dataclasses.replace(operation, p=1.0)
        drawn = {field.name for field in operation.parameters} - {"applied"}
        always = Recipe(operation, *normalize)
        if drawn:
            alone.append(Transformation(name, always, always))
        elif operation.parameters:
            alone.append(Transformation(name, Recipe(*normalize), always))
    return [Transformation(RECIPE, recipe, recipe), *alone] if alone else []
