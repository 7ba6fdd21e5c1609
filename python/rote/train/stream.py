"""rote/train/stream.py: the training samples, a pure function of the step number."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from rote import address
from rote.address import Stream
from rote.train.config import Seeds
from rote.train.labels import LabelSource


class _Epoch(NamedTuple):
    """The addresses of one epoch, each int64 [N], in the order of the visits."""

    number: int
    image_ids: Tensor
    views: Tensor
    labels: Tensor


class TrainingStream:
    """Batches of augmented views with their labels; `batch(step)` needs nothing but the step.

    An epoch visits the images once in a keyed permutation of (order seed, epoch). A last partial batch is dropped, as
    in the papers' loaders, so an epoch has N // batch_size steps; a set smaller than a batch is one batch. The view
    shown is the number of the epoch, hence always a new one (views=None), or drawn uniformly out of a pool of B
    addressed views per image (views=B), which costs no memory at any B.

    Args:
        images: the bank, uint8 [M, C, H, W]; stays where it is.
        image_ids: int64 [N], the images trained on, each once.
        labels: the label of every sample.
        recipe: a `rote.augment.Recipe`.
        batch_size: images per step.
        seeds: `order` and `view` are read here.
        views: None, or the size B >= 1 of the pool.
        dtype: of the pixels: float32, float16 or bfloat16, rendered as such, or float64, rendered as float32 and cast.
        channels_last: memory layout of the rendered pixels.

    Raises:
        ValueError: ids that repeat or lie outside the bank, or images without a label.
    """

    def __init__(
        self,
        images: Tensor,
        image_ids: Tensor,
        labels: LabelSource,
        recipe: Callable[..., Tensor],
        batch_size: int,
        seeds: Seeds,
        views: int | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        channels_last: bool = False,
    ) -> None:
        if images.dim() != 4 or images.dtype != torch.uint8:
            raise ValueError(f"images must be uint8 [M, C, H, W]; got {images.dtype} {tuple(images.shape)}")
        if image_ids.dim() != 1 or image_ids.dtype != torch.int64 or len(image_ids) == 0:
            raise ValueError(f"image_ids must be int64 [N], N > 0; got {image_ids.dtype} {tuple(image_ids.shape)}")
        if int(image_ids.min()) < 0 or int(image_ids.max()) >= len(images):
            raise ValueError(
                f"image_ids must be in [0, {len(images)}); got values from {int(image_ids.min())} "
                f"to {int(image_ids.max())}"
            )
        if len(image_ids.unique()) != len(image_ids):
            raise ValueError("image_ids must not repeat an image")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; got {batch_size}")
        if views is not None and views < 1:
            raise ValueError(f"views must be None or at least 1; got {views}")
        labels.check(image_ids)
        self.images = images
        self.image_ids = image_ids.cpu()
        self.labels = labels
        self.recipe = recipe
        self.batch_size = min(batch_size, len(image_ids))
        self.seeds = seeds
        self.views = views
        self.dtype = dtype
        self.channels_last = channels_last
        self.num_classes = labels.num_classes
        self.steps_per_epoch = len(image_ids) // self.batch_size
        self._epoch: _Epoch | None = None

    def __len__(self) -> int:
        """Number of images N."""
        return len(self.image_ids)

    def epoch_of(self, step: int) -> int:
        """The epoch that `step` belongs to, which is the visit number of its images."""
        return step // self.steps_per_epoch

    def to(self, device: torch.device | str) -> TrainingStream:
        """Moves the bank to `device`; batches are rendered there. Returns self."""
        self.images = self.images.to(device)
        self._epoch = None
        return self

    def addresses(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """(image_ids, views, labels) of a step, each int64 [batch_size], on the device of the bank."""
        if step < 0:
            raise ValueError(f"step must not be negative; got {step}")
        epoch, position = divmod(step, self.steps_per_epoch)
        if self._epoch is None or self._epoch.number != epoch:
            self._epoch = self._addresses_of_epoch(epoch)
        start = position * self.batch_size
        stop = start + self.batch_size
        return (
            self._epoch.image_ids[start:stop],
            self._epoch.views[start:stop],
            self._epoch.labels[start:stop],
        )

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The samples of a step: (float [batch_size, C, H, W], int64 [batch_size])."""
        image_ids, views, labels = self.addresses(step)
        x = self.recipe(
            self.images,
            image_ids,
            views,
            seed=self.seeds.view,
            dtype=torch.float32 if self.dtype == torch.float64 else self.dtype,
            channels_last=self.channels_last,
        )
        return x.to(self.dtype), labels

    def _addresses_of_epoch(self, epoch: int) -> _Epoch:
        # Once per epoch, on the CPU: the copies below are the only traffic to the device, and no step waits for it.
        order = address.permutation(self.seeds.order, len(self.image_ids), epoch)
        ids = self.image_ids[order]
        visits = torch.full_like(ids, epoch)
        views = visits
        if self.views is not None:
            views = address.integers(self.seeds.order, ids, visits, Stream.POOL_VIEWS, self.views)
        labels = self.labels.labels(ids, views, visits)
        device = self.images.device
        return _Epoch(epoch, *(t.to(device, non_blocking=True) for t in (ids, views, labels)))
