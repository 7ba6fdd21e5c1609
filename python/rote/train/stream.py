"""rote/train/stream.py: the training samples, a pure function of the step number."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from rote.augment import Recipe, arguments, parameters
from rote.augment.labels import mixes_labels
from rote.augment.steps import MAX_POOL
from rote.ops.step import augment_step_addresses
from rote.train.config import Seeds
from rote.train.labels import LabelSource


class Source(Protocol):
    """Renders views by address: a `rote.augment.Recipe`, or something of your own."""

    def __call__(
        self, images: Tensor, ids: Tensor, views: Tensor, *, seed: int, dtype: torch.dtype, channels_last: bool
    ) -> Tensor:
        """[B, C, h, w] in `dtype` from the bank uint8 [M, C, H, W], rows int64 [B] and views int64 [B].

        A pure function of its arguments, or no run could be resumed or repeated.
        """


class Samples(NamedTuple):
    """What the samples of a step are made from.

    Attributes:
        image_ids, views, labels: int64 [B].
        rows: int64 [B], where the images lie in the bank that is rendered from; None where it is the given bank.
        table: int64 [N], the labels of the bank's rows; None where labels are not mixed.
    """

    image_ids: Tensor
    views: Tensor
    labels: Tensor
    rows: Tensor | None = None
    table: Tensor | None = None


class _Epoch(NamedTuple):
    """The samples of one epoch, in the order of the visits.

    Attributes:
        number: of the epoch.
        image_ids, views, labels: int64 [N].
        rows: int64 [N], where the images lie in the bank that is rendered from.
        table: int64 [N], the labels of its rows in this epoch, where labels are mixed.
    """

    number: int
    image_ids: Tensor
    views: Tensor
    labels: Tensor
    rows: Tensor
    table: Tensor | None


class TrainingStream:
    """Batches of augmented views with their labels; `batch(step)` needs nothing but the step.

    An epoch visits the images once in a keyed permutation of (order seed, epoch). A last partial batch is dropped, as
    in the papers' loaders, so an epoch has N // batch_size steps; a set smaller than a batch is one batch. The view
    shown is the number of the epoch, hence always a new one (views=None), or drawn uniformly out of a pool of B
    addressed views per image (views=B), which costs no memory at any B. `Recipe.step` shows the same
    (docs/addressing.md, "Steps").

    A recipe that mixes images (MixUp, CutMix) draws partners from those trained on alone: they are gathered into a bank
    of N rows, and partner p is the image `image_ids[p]`, so the recipe's `partners` is N. A view's own parameters stay
    those of its image. Where labels are mixed too, a partner brings the label it has itself in that epoch.

    Args:
        images: the bank, uint8 [M, C, H, W]; stays where it is.
        image_ids: int64 [N], the images trained on, each once.
        labels: the label of every sample.
        recipe: a `rote.augment.Recipe`, or a source of views of your own with the call of `Source`.
        batch_size: images per step.
        seeds: `order` and `view` are read here.
        views: None, or the size B >= 1 of the pool, at most 2^31.
        dtype: of the pixels: float32, float16 or bfloat16, rendered as such, or float64, rendered as float32 and cast.
        channels_last: memory layout of the rendered pixels.

    Attributes:
        mixes: whether the recipe mixes images; then `images` are the N trained on, and rows of it are no image ids.
        mixes_labels: whether labels are soft.
        steps_per_epoch: N // batch_size.

    Raises:
        ValueError: ids that repeat or lie outside the bank, images without a label, or a mixing recipe with other
            partners than the N images or with labels that single views of a pool have.
    """

    def __init__(
        self,
        images: Tensor,
        image_ids: Tensor,
        labels: LabelSource,
        recipe: Source,
        batch_size: int,
        seeds: Seeds,
        views: int | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        channels_last: bool = False,
    ) -> None:
        _check(images, image_ids, batch_size, views)
        labels.check(image_ids)
        self.images = images
        self.image_ids = image_ids.cpu().contiguous()
        self.labels = labels
        self.recipe = recipe
        self.batch_size = min(batch_size, len(image_ids))
        self.seeds = seeds
        self.views = views
        self.dtype = dtype
        self.channels_last = channels_last
        self.num_classes = labels.num_classes
        self.steps_per_epoch = len(image_ids) // self.batch_size
        self.mixes = isinstance(recipe, Recipe) and any(map(parameters.mixes, recipe.operations))
        self.mixes_labels = False
        self._epoch: _Epoch | None = None
        self._row_of: Tensor | None = None  # row in the gathered bank of every image id, where images are mixed
        if self.mixes:
            self._gather(recipe)

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

    def samples(self, step: int) -> Samples:
        """What `render` makes the samples of a step from, on the device of the bank."""
        image_ids, views, labels = self.addresses(step)
        if not self.mixes:
            return Samples(image_ids, views, labels)
        start = step % self.steps_per_epoch * self.batch_size
        return Samples(image_ids, views, labels, self._epoch.rows[start : start + self.batch_size], self._epoch.table)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The samples of a step.

        Returns:
            (x, y): float [batch_size, C, H, W], and int64 [batch_size] or, where the recipe mixes labels, float32
            [batch_size, num_classes] with rows of sum 1.
        """
        return self.render(self.samples(step))

    def render(self, samples: Samples) -> tuple[Tensor, Tensor]:
        """`batch` from what `samples` says; with a `rote.augment.Recipe` nothing in it waits for the device."""
        how = {
            "seed": self.seeds.view,
            "dtype": torch.float32 if self.dtype == torch.float64 else self.dtype,
            "channels_last": self.channels_last,
        }
        y = samples.labels
        if not self.mixes:
            x = self.recipe(self.images, samples.image_ids, samples.views, **how)
        else:
            if self.mixes_labels:
                how |= {"labels": samples.table, "num_classes": self.num_classes}
            x = self.recipe(self.images, samples.rows, samples.views, address_ids=samples.image_ids, **how)
            if self.mixes_labels:
                x, y = x
        return x if x.dtype == self.dtype else x.to(self.dtype), y

    def epoch_labels(self, epoch: int) -> tuple[Tensor, Tensor | None]:
        """The labels of an epoch, int64 on the device of the bank.

        Returns:
            ([steps_per_epoch x batch_size] in the order of the visits, [N] of the images trained on where labels are
            mixed, else None).
        """
        found = self._addresses_of_epoch(epoch)
        return found.labels, found.table

    @property
    def rows_of_images(self) -> Tensor | None:
        """Where images are mixed: the row in `images` of every image id, int64, -1 for ids not trained on."""
        return self._row_of

    def _gather(self, recipe: Recipe) -> None:
        count = len(self.image_ids)
        if recipe.partners != count:
            raise ValueError(
                f"recipe: partners must be {count}, the images trained on, so that no others are mixed in; "
                f"got {recipe.partners}"
            )
        self.mixes_labels = mixes_labels(recipe.operations)
        if self.mixes_labels and self.labels.kind == "per_view" and self.views is not None:
            raise ValueError("recipe: labels that single views of a pool have cannot be mixed")
        self.images = self.images[self.image_ids.to(self.images.device)]
        self._row_of = torch.full((int(self.image_ids.max()) + 1,), -1, dtype=torch.int64)
        self._row_of[self.image_ids] = torch.arange(count)

    def _addresses_of_epoch(self, epoch: int) -> _Epoch:
        # Once per epoch, on the CPU: the copies below are the only traffic to the device, and no step waits for it.
        first = torch.tensor([epoch * self.steps_per_epoch])
        count, seed = len(self.image_ids), self.seeds.order
        ids, views = augment_step_addresses(
            first, self.image_ids, count, self.batch_size, self.steps_per_epoch, arguments.seed(seed), self.views or 0
        )
        visits = torch.full_like(ids, epoch)
        labels = self.labels.labels(ids, views, visits)
        rows, table = ids, None
        if self._row_of is not None:
            rows = self._row_of[ids]
            if self.mixes_labels:
                visits = torch.full_like(self.image_ids, epoch)
                table = self.labels.labels(self.image_ids, visits, visits)
        device = self.images.device
        on_device = (None if t is None else t.to(device, non_blocking=True) for t in (ids, views, labels, rows, table))
        return _Epoch(epoch, *on_device)


def _check(images: Tensor, image_ids: Tensor, batch_size: int, views: int | None) -> None:
    if images.dim() != 4 or images.dtype != torch.uint8:
        raise ValueError(f"images must be uint8 [M, C, H, W]; got {images.dtype} {tuple(images.shape)}")
    if image_ids.dim() != 1 or image_ids.dtype != torch.int64 or len(image_ids) == 0:
        raise ValueError(f"image_ids must be int64 [N], N > 0; got {image_ids.dtype} {tuple(image_ids.shape)}")
    if int(image_ids.min()) < 0 or int(image_ids.max()) >= len(images):
        raise ValueError(
            f"image_ids must be in [0, {len(images)}); got values from {int(image_ids.min())} to {int(image_ids.max())}"
        )
    if len(image_ids.unique()) != len(image_ids):
        raise ValueError("image_ids must not repeat an image")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}")
    if views is not None and not 1 <= views <= MAX_POOL:
        raise ValueError(f"views must be None or at least 1 and at most {MAX_POOL}; got {views}")
