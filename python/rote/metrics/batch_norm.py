"""rote/metrics/batch_norm.py: batch-norm statistics of clean images, in force for as long as one measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rote import address
from rote.address import Stream
from rote.metrics.evaluation import BATCH_SIZE, checked_ids, checked_images, clean_pixels, convolutional, evaluating

# At initialization the running statistics are 0 and 1 and fit nothing; a few thousand images settle them.
NUM_IMAGES = 2048


@contextmanager
def recalibrated(
    model: nn.Module,
    images: Tensor,
    recipe: Callable[..., Tensor] | None = None,
    *,
    image_ids: Tensor | None = None,
    num_images: int = NUM_IMAGES,
    batch_size: int = BATCH_SIZE,
) -> Iterator[nn.Module]:
    """Inside the block, batch normalization uses statistics of clean images; the trained ones come back after it.

    The statistics are the means over equally large batches, in a fixed shuffled order (banks are often sorted by
    class). A network without batch normalization passes through untouched.

    Args:
        model: any network.
        images: uint8 [N, C, H, W].
        recipe: None for pixels / 255, or a recipe without randomness.
        image_ids: int64, the images to take; None is all of them.
        num_images: at most so many of them are used.
        batch_size: images per forward pass.

    Yields:
        The network.

    Example:
        >>> with recalibrated(model, bank.train.images):
        ...     accuracy = clean_accuracy(model, bank.train.images, labels)
    """
    layers = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    layers = [layer for layer in layers if layer.track_running_stats]
    if not layers:
        yield model
        return
    ids = checked_ids(image_ids, checked_images(images))
    ids = ids[address.permutation(0, len(ids), 0, Stream.SUBSET)][:num_images]
    kept = [(layer.momentum, {name: value.clone() for name, value in layer.named_buffers()}) for layer in layers]
    try:
        _measure(model, layers, images, ids, recipe, batch_size)
        yield model
    finally:
        for layer, (momentum, buffers) in zip(layers, kept, strict=True):
            layer.momentum = momentum
            for name, value in layer.named_buffers():
                value.copy_(buffers[name])


def _measure(
    model: nn.Module,
    layers: list[nn.Module],
    images: Tensor,
    ids: Tensor,
    recipe: Callable[..., Tensor] | None,
    batch_size: int,
) -> None:
    channels_last = convolutional(model)
    with evaluating(model) as device:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # torch's cumulative average: every batch weighs the same
            layer.train()
        for chunk in torch.tensor_split(ids, -(-len(ids) // batch_size)):
            model(clean_pixels(images, chunk, device, recipe=recipe, channels_last=channels_last))
