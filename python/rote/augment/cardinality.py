"""How many different views an image has under a recipe, counted as tuples of drawn parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rote.augment import arguments, parameters
from rote.augment.operation import Operation, Size
from rote.augment.support import FACTORS, acting_factors, support

if TYPE_CHECKING:
    from rote.augment.recipe import Recipe

__all__ = ["Cardinality", "cardinality"]


@dataclass(frozen=True)
class Cardinality:
    """The size of an image's set of views.

    Two views count as one where all parameters that act are equal (those of an operation that was not applied do not
    act). They then show the same pixels; different tuples nearly always show different ones.

    Attributes:
        distinct: tuples of positive probability: exact, `math.inf` where a parameter is continuous, None where an
            operation does not know its own.
        sampled: views drawn for the rest; 0 without a sample.
        seen: different tuples among these.
        coinciding: pairs of these that are equal.
        counts: int64, how often each tuple seen was drawn.
    """

    distinct: int | float | None
    sampled: int = 0
    seen: int = 0
    coinciding: int = 0
    counts: Tensor | None = field(default=None, repr=False, compare=False)

    @property
    def effective(self) -> float:
        """1 / sum p^2, how many equally likely views would coincide as often; inf where none coincided.

        From the share of coinciding pairs, which is an unbiased estimate of sum p^2 (the plug-in sum of squared
        frequencies is too large by 1 / sampled). Without a sample: exact for a recipe of one view, else not known,
        nan.
        """
        if self.sampled == 0:
            return 1.0 if self.distinct == 1 else math.nan
        pairs = self.sampled * (self.sampled - 1) // 2
        return pairs / self.coinciding if self.coinciding else math.inf

    def duplicates(self, views: int) -> float:
        """How many of `views` views of one image are expected to repeat another of them.

        Unbiased, from all subsets of that size of the sample (rarefaction; Hurlbert, 1971).

        Raises:
            TypeError: views is no int.
            ValueError: more views than were sampled, unless the recipe cannot repeat one.
        """
        views = arguments.count(views, "views")
        if self.distinct == 1:
            return float(views - 1)
        if self.counts is None or views > self.sampled:
            raise ValueError(f"views: wanted at most the {self.sampled} that were sampled, got {views}")
        # A tuple that was drawn c times is missed with chance (n - b) ... (n - b - c + 1) / (n ... (n - c + 1)).
        drawn = torch.arange(int(self.counts.max()), dtype=torch.float64)
        factors = (self.sampled - views - drawn).clamp(min=0) / (self.sampled - drawn)
        missing = torch.cat([torch.ones(1, dtype=torch.float64), factors.cumprod(0)])
        return max(0.0, views - float((1 - missing[self.counts]).sum()))

    def __str__(self) -> str:
        known = {None: "a number of views that its operations do not know", math.inf: "views without end"}
        lines = [known.get(self.distinct) or f"{self.distinct:,} distinct view{'s' * (self.distinct != 1)}"]
        if self.sampled:
            lines.append(f"{self.seen:,} different ones among {self.sampled:,} drawn")
            if self.coinciding:
                lines.append(f"as many as {self.effective:,.0f} equally likely ones")
        return "; ".join(lines)


def cardinality(recipe: Recipe, image_size: int | Size, sample: int | None, seed: int, image: int) -> Cardinality:
    """See `Recipe.cardinality`."""
    size = arguments.size(image_size, "image_size")
    if size is None:
        raise TypeError("image_size: wanted an int or (H, W), got None")
    distinct = _distinct(recipe, size)
    if sample is None:
        return Cardinality(distinct)
    sample = arguments.count(sample, "sample")
    if sample < 2:
        raise ValueError(f"sample: wanted at least 2 views, got {sample}")
    counts = _counts(recipe, size, seed, image, sample)
    return Cardinality(distinct, sample, counts.numel(), int((counts * (counts - 1) // 2).sum()), counts)


def _distinct(recipe: Recipe, image: Size) -> int | float | None:
    target = recipe.output_size(image)
    product: int | float | None = 1
    for operation in recipe.operations:
        own = support(operation, image, target)
        product = None if own is None or product is None else product * own
        image = operation.output_size(image, target)
    return product


def _counts(recipe: Recipe, size: Size, seed: int, image: int, sample: int) -> Tensor:
    """How often each different tuple stands among the first views, int64."""
    if not recipe.columns:
        return torch.tensor([sample])
    views = torch.arange(sample)
    params = recipe.params(torch.full_like(views, image), views, seed, image_size=size)
    for operation, prefix in zip(recipe.operations, parameters.prefixes(recipe.operations), strict=True):
        if (applied := params.get(f"{prefix}.applied")) is not None:
            for field in operation.parameters:
                values = params[f"{prefix}.{field.name}"]
                acts = applied.reshape(sample, *[1] * (values.ndim - 1))
                params[f"{prefix}.{field.name}"] = torch.where(acts, values, torch.zeros_like(values))
        if operation.kind == "color_jitter":
            _drop_orders_without_effect(operation, params, prefix)
    params = {name: values + 0.0 if values.is_floating_point() else values for name, values in params.items()}  # no -0
    rows = parameters.pack(params, recipe.columns, sample, views.device)[0].numpy()
    whole = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1] * rows.itemsize)))
    return torch.from_numpy(np.unique(whole, return_counts=True)[1].astype(np.int64))


def _drop_orders_without_effect(operation: Operation, params: dict[str, Tensor], prefix: str) -> None:
    """The order of a view among those factors alone that change a pixel at all."""
    order = params[f"{prefix}.order"]
    acting = torch.tensor([factor in acting_factors(operation) for factor in FACTORS])
    kept = torch.where(acting[order], order, torch.full_like(order, len(FACTORS)))
    places = (kept == len(FACTORS)).long().argsort(dim=1, stable=True)  # acting ones first, in their order
    params[f"{prefix}.order"] = kept.gather(1, places)
