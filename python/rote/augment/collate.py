"""Addressable augmentation behind a torch DataLoader: the loader hands out ids, the collate function renders them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rote.augment import arguments
from rote.augment.labels import check_labels, hard_labels, mixes_labels
from rote.augment.recipe import Recipe
from rote.augment.views import Views

__all__ = ["Collate"]


class Collate:
    """A `collate_fn` that renders a batch of ids out of a bank in one call.

    The dataset is `range(len(images))`, or anything whose items are ids, so that sampler, batch sampler and
    DistributedSampler decide the order as ever. The view is the epoch that `set_epoch` names (0 at first), or the
    second number of an item that is a pair (id, view). A pixel depends on nothing else: not on the number of workers,
    on which of them renders a batch, or on any random state.

    Args:
        recipe: a `Recipe`, or `Views`, which make x a tuple.
        images: the bank, uint8 [N, C, H, W], on the CPU; workers share its memory.
        labels: int64 [N]; with them a batch is (x, y), else x.
        seed: of the views.
        num_classes: wanted where the recipe mixes labels.
        dtype, channels_last: as in `Recipe.__call__`.

    Raises:
        TypeError, ValueError: as `Recipe.__call__`, and for a bank that is not on the CPU.

    Example:
        >>> from rote.augment import Collate, recipes
        >>> images, labels = torch.zeros(10, 3, 32, 32, dtype=torch.uint8), torch.arange(10)
        >>> collate = Collate(recipes["benign-full"], images, labels)
        >>> loader = torch.utils.data.DataLoader(range(10), batch_size=4, shuffle=True, collate_fn=collate)
        >>> for epoch in range(2):
        ...     collate.set_epoch(epoch)
        ...     shapes = [x.shape for x, y in loader]
        >>> shapes[0]
        torch.Size([4, 3, 32, 32])
    """

    def __init__(
        self,
        recipe: Recipe | Views,
        images: Tensor,
        labels: Tensor | None = None,
        *,
        seed: int = 0,
        num_classes: int | None = None,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
    ) -> None:
        if not isinstance(recipe, (Recipe, Views)):
            raise TypeError(f"recipe: wanted a Recipe or Views, got {recipe!r}")
        self.images = arguments.images(images)
        if self.images.device.type != "cpu":
            raise ValueError(f"images: wanted a bank on the CPU, where loaders collate, got {self.images.device}")
        self.recipe = recipe
        self.labels = labels
        self.seed = seed
        self.num_classes = num_classes
        self._how = {"dtype": dtype, "channels_last": channels_last}
        if labels is not None:
            if isinstance(recipe, Views):
                soft = any(mixes_labels(r.operations) for r in recipe.recipes)
                if soft:
                    raise ValueError("labels: wanted none with Views that mix labels, for each has its own mixture")
                self.labels = check_labels(labels, num_classes, self.images.shape[0], self.images.device, soft)
            else:
                self._how |= {"labels": labels, "num_classes": num_classes}
        # In shared memory, so that it also reaches workers that are kept from epoch to epoch.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()
        self([])  # what does not fit is an error here, not in a worker

    @property
    def epoch(self) -> int:
        """The view that ids without one are rendered as."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Names the epoch; call it before the loader is iterated, for a loader fetches ahead.

        Raises:
            TypeError, ValueError: no int, or outside [0, 2^48).
        """
        self._epoch.fill_(arguments.address(epoch, "epoch"))

    def __call__(self, items: Sequence[Any]) -> Any:
        """x [B, C, h, w], with labels (x, y), of ids or (id, view) pairs."""
        epoch = self.epoch
        pairs = [_pair(item, epoch) for item in items]
        ids, views = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).unbind(1)
        x = self.recipe(self.images, ids.contiguous(), views.contiguous(), self.seed, **self._how)
        if isinstance(self.recipe, Views) and self.labels is not None:
            return x, hard_labels(self.labels, ids, self.num_classes)
        return x


def _pair(item: Any, epoch: int) -> tuple[int, int]:
    values = item if isinstance(item, (tuple, list)) else (item, epoch)
    if len(values) == 2:
        try:
            return int(values[0]), int(values[1])
        except (TypeError, ValueError):
            pass
    raise TypeError(f"items: wanted ids or (id, view) pairs, got {item!r}; the dataset is range(len(images))")
