"""A recipe as a transform of single images, as torchvision's datasets and `Compose` call one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from rote.augment import arguments
from rote.augment.recipe import Recipe

__all__ = ["Transform"]

#: Workers of one loader that can count at the same time.
MAX_WORKERS = 1023


class Transform:
    """Renders a view of an image: `transform(image, id, view)`, or `transform(image)`, which counts.

    With id and view the result is the pure function that `Recipe.__call__` is. Called with an image alone, as by a
    dataset or by `Compose`, the transform counts its calls: the n-th call in a worker process is view n - 1 of image
    id 1 + worker, and of image id 0 in the main process. There is no random state: the same calls in the same order by
    the same number of workers give the same pixels, and no address comes twice. The counters lie in memory
    that worker processes share, so they go on where loaders start their workers anew for every epoch; one transform
    serves one loader at a time. For pixels that do not depend on the workers, give id and view, or use `Collate`.

    Args:
        recipe: a `Recipe` that mixes in no partner image.
        seed: of the views.
        dtype: of the result, as in `Recipe.__call__`.

    Raises:
        TypeError, ValueError: no recipe, one that wants partners, or as in `Recipe.__call__`.

    Example:
        >>> from rote.augment import Transform, recipes
        >>> transform = Transform(recipes["flip-crop"], seed=1)
        >>> image = torch.zeros(3, 32, 32, dtype=torch.uint8)
        >>> transform(image, 7, 0).shape, transform(image).dtype
        (torch.Size([3, 32, 32]), torch.float32)
    """

    def __init__(self, recipe: Recipe, seed: int = 0, *, dtype: torch.dtype | None = None) -> None:
        if not isinstance(recipe, Recipe):
            raise TypeError(f"recipe: wanted a Recipe, got {recipe!r}")
        if recipe.partners is not None:
            raise ValueError("recipe: wanted one without partners, for a transform sees one image at a time")
        arguments.seed(seed)
        self.recipe = recipe
        self.seed = seed
        self.dtype = arguments.output_dtype(dtype)
        self._calls = torch.zeros(1 + MAX_WORKERS, dtype=torch.int64).share_memory_()

    def __call__(self, image: Any, id: Any = None, view: Any = None) -> Tensor:
        """The view [C, h, w] or [B, C, h, w].

        Args:
            image: uint8 [C, H, W] or [B, C, H, W], a tensor on the CPU, a numpy array, or a PIL image (grey ones have
                one channel, all others become RGB).
            id, view: ints, or int64 [B] for a batch; 0 <= id < 2^40 and 0 <= view < 2^48; both or neither.

        Raises:
            TypeError, ValueError: as in `Recipe.__call__`; only one of id and view is given.
        """
        images, single = _images(image)
        if (id is None) != (view is None):
            raise TypeError(f"id, view: wanted both or neither, got id={id!r}, view={view!r}")
        count = images.shape[0]
        ids, views = self._counted(count) if id is None else (_column(id, "id", count), _column(view, "view", count))
        rows = torch.arange(count)
        x = self.recipe(images, rows, views, self.seed, dtype=self.dtype, address_ids=ids)
        return x[0] if single else x

    def _counted(self, count: int) -> tuple[Tensor, Tensor]:
        worker = get_worker_info()
        place = 0 if worker is None else 1 + worker.id
        if place > MAX_WORKERS:
            raise ValueError(f"workers: wanted at most {MAX_WORKERS}, got worker {worker.id}; give id and view")
        first = int(self._calls[place])
        self._calls[place] = first + count
        return torch.full((count,), place), torch.arange(first, first + count)

    def __repr__(self) -> str:
        return f"Transform({self.recipe!r}, seed={self.seed})"


def _images(image: Any) -> tuple[Tensor, bool]:
    """A bank [B, C, H, W], and whether it was a single image."""
    if hasattr(image, "getbands"):  # PIL, which need not be installed
        image = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
        image = np.ascontiguousarray(image[None] if image.ndim == 2 else image.transpose(2, 0, 1))
    if isinstance(image, np.ndarray):
        image = arguments.from_numpy(image)
    if not isinstance(image, Tensor) or image.ndim not in (3, 4):
        given = list(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise TypeError(f"image: wanted uint8 [C, H, W] or [B, C, H, W] or a PIL image, got {given}")
    if image.device.type != "cpu":
        raise ValueError(f"image: wanted one on the CPU, got {image.device}; render batches on a device by a Recipe")
    image = image.as_subclass(Tensor)  # torchvision's Image among them
    return arguments.images(image if image.ndim == 4 else image.unsqueeze(0)), image.ndim == 3


def _column(value: Any, name: str, count: int) -> Tensor:
    if not isinstance(value, Tensor):
        return torch.full((count,), arguments.address(value, name, 40 if name == "id" else 48))
    value = arguments.addresses(value.reshape(1) if value.ndim == 0 else value, name, 1)
    if value.shape[0] != count:
        raise ValueError(f"{name}: wanted one for each of {count} images, got {list(value.shape)}")
    return value
