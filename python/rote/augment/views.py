"""Several views of each image in one call, each under its own recipe (BYOL's asymmetric pair, multi-crop)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rote.address import FRESH_VIEWS, MAX_VIEWS
from rote.augment import arguments
from rote.augment.recipe import Recipe

__all__ = ["Views"]


class Views:
    """L recipes, one for each of the L views that a call renders of an image.

    View v of recipe i has the address L·v + i, so the L views of one call never share a draw, and no two calls share
    an address. Views v >= `fresh_views` have only addresses that are kept for evaluation (docs/addressing.md). An
    `AlternatingFlip` goes by the address, so with an even L it does not alternate from v to v + 1.

    Args:
        *recipes: at least one; they may end at different sizes.

    Raises:
        TypeError: an argument is no recipe.
        ValueError: there is none.

    Example:
        >>> from rote.augment import Views, recipes
        >>> pair = Views(recipes["benign-full"], recipes["benign-mild"])
        >>> images = torch.zeros(10, 3, 32, 32, dtype=torch.uint8)
        >>> x1, x2 = pair(images, torch.tensor([3, 4]), torch.tensor([0, 0]))
        >>> x1.shape, pair.stacked(images, torch.tensor([3, 4]), torch.tensor([0, 0])).shape
        (torch.Size([2, 3, 32, 32]), torch.Size([2, 2, 3, 32, 32]))
    """

    def __init__(self, *recipes: Recipe) -> None:
        for position, recipe in enumerate(recipes):
            if not isinstance(recipe, Recipe):
                raise TypeError(f"recipes[{position}]: wanted a Recipe, got {recipe!r}")
        if not recipes:
            raise ValueError("recipes: wanted at least one, got none")
        self.recipes = recipes

    def __len__(self) -> int:
        return len(self.recipes)

    @property
    def max_views(self) -> int:
        """Views v are 0 .. max_views - 1."""
        return MAX_VIEWS // len(self)

    @property
    def fresh_views(self) -> int:
        """The first view whose addresses all lie among those that are never trained on."""
        return -(-FRESH_VIEWS // len(self))

    def __call__(
        self,
        images: Tensor,
        ids: Tensor,
        views: Tensor,
        seed: int = 0,
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
        out: Sequence[Tensor] | None = None,
        address_ids: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Renders L views of each image.

        Args:
            images, ids, seed, dtype, channels_last, address_ids: as in `Recipe.__call__`.
            views: int64 [B] or [B, V], 0 <= view < 2^48 // L.
            out: L tensors to write into.

        Returns:
            L tensors [B, C, h, w] or [B, V, C, h, w], the i-th under recipe i.

        Raises:
            TypeError, ValueError: as in `Recipe.__call__`.
        """
        if out is not None and (not isinstance(out, Sequence) or len(out) != len(self)):
            given = f"{len(out)}" if isinstance(out, Sequence) else type(out).__name__
            raise ValueError(f"out: wanted {len(self)} tensors, one for each recipe, got {given}")
        outs = [None] * len(self) if out is None else out
        how = {"dtype": dtype, "channels_last": channels_last, "address_ids": address_ids}
        addresses = self.addresses(views)
        return tuple(
            recipe(images, ids, v, seed, out=o, **how)
            for recipe, v, o in zip(self.recipes, addresses, outs, strict=True)
        )

    def stacked(
        self,
        images: Tensor,
        ids: Tensor,
        views: Tensor,
        seed: int = 0,
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
        address_ids: Tensor | None = None,
    ) -> Tensor:
        """The same views as one tensor [B, L, C, h, w], recipe i in column i, rendered in place.

        Args:
            images, ids, seed, dtype, channels_last, address_ids: as in `Recipe.__call__`.
            views: int64 [B].

        Raises:
            TypeError, ValueError: as in `Recipe.__call__`; the recipes end at different sizes.
        """
        images = arguments.images(images)
        views = arguments.addresses(views, "views", 1)
        sizes = {recipe.output_size(tuple(images.shape[2:])) for recipe in self.recipes}
        if len(sizes) > 1:
            raise ValueError(f"recipes: wanted one size to stack their views, got {sorted(sizes)}")
        batch, channels, (height, width) = views.shape[0], images.shape[1], sizes.pop()
        options = {"dtype": arguments.output_dtype(dtype), "device": images.device}
        if channels_last:
            memory = torch.empty((batch, len(self), height, width, channels), **options).permute(0, 1, 4, 2, 3)
        else:
            memory = torch.empty((batch, len(self), channels, height, width), **options)
        self(images, ids, views, seed, out=memory.unbind(1), address_ids=address_ids)
        return memory

    def addresses(self, views: Tensor) -> tuple[Tensor, ...]:
        """The views L·v + i of the addresses, one tensor for each recipe; a view out of range stays out of range."""
        views = arguments.addresses(views, "views", 2)
        good = (views >= 0) & (views < self.max_views)
        if arguments.may_read_values(views) and not bool(good.all()):
            bad = int(views[~good][0])
            raise ValueError(f"views: wanted 0 <= view < {self.max_views} (2^48 / {len(self)} recipes), got {bad}")
        first = torch.where(good, views, -1) * len(self)  # never wrapped
        return tuple(torch.where(good, first + i, -1) for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return self.recipes == other.recipes if isinstance(other, Views) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.recipes)

    def __repr__(self) -> str:
        return f"Views({', '.join(map(repr, self.recipes))})"
