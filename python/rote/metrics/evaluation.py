"""rote/metrics/evaluation.py: eval mode that is undone afterwards, and pixels without augmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

#: Images per forward pass; a bound on memory, without influence on any result but the last bits.
BATCH_SIZE = 512


@contextmanager
def evaluating(model: nn.Module) -> Iterator[torch.device]:
    """Eval mode without gradients; every module's own mode comes back afterwards. Yields the network's device."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield device_of(model)
    finally:
        for module, training in modes:
            module.training = training


def device_of(model: nn.Module) -> torch.device:
    """Where the network's first parameter lies; the CPU for a network without any."""
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def convolutional(model: nn.Module) -> bool:
    """Whether channels-last pixels help this network."""
    return any(isinstance(module, nn.Conv2d) for module in model.modules())


def clean_pixels(
    images: Tensor,
    image_ids: Tensor,
    device: torch.device,
    *,
    recipe: Callable[..., Tensor] | None = None,
    channels_last: bool = False,
) -> Tensor:
    """Un-augmented images: uint8 / 255, or what a recipe without randomness (only Normalize) makes of them.

    Args:
        images: uint8 [N, C, H, W].
        image_ids: int64 [B].
        device: where the pixels are wanted.
        recipe: None, or a recipe whose views are all alike.
        channels_last: memory layout of the result.

    Returns:
        float32 [B, C, H, W].
    """
    image_ids = image_ids.to(images.device)
    if recipe is None:
        pixels = images[image_ids].to(device).float() / 255
        return pixels.contiguous(memory_format=torch.channels_last) if channels_last else pixels
    views = torch.zeros_like(image_ids)
    return recipe(images, image_ids, views, seed=0, channels_last=channels_last).to(device)


def clean_logits(model: nn.Module, images: Tensor, image_ids: Tensor) -> Tensor:
    """What a network answers to un-augmented images, in eval mode and without gradients.

    Args:
        model: float [B, C, H, W] -> logits [B, classes].
        images: uint8 [M, C, H, W].
        image_ids: int64 [N], rows of them.

    Returns:
        float32 [N, classes] on the network's device.
    """
    layout = convolutional(model)
    with evaluating(model) as device:
        found = [
            model(clean_pixels(images, ids, device, channels_last=layout)).float()
            for ids in image_ids.split(BATCH_SIZE)
        ]
    return torch.cat(found)


def checked_images(images: Tensor, name: str = "images") -> Tensor:
    """Returns `images`; raises ValueError when it is not a non-empty uint8 [N, C, H, W]."""
    if images.dim() != 4 or images.dtype != torch.uint8 or len(images) == 0:
        raise ValueError(f"{name} must be uint8 [N, C, H, W], N > 0; got {images.dtype} {tuple(images.shape)}")
    return images


def checked_ids(image_ids: Tensor | None, images: Tensor) -> Tensor:
    """All ids of the bank for None, else `image_ids` on the CPU; raises ValueError where they do not fit."""
    if image_ids is None:
        return torch.arange(len(images))
    if image_ids.dim() != 1 or image_ids.dtype != torch.int64 or len(image_ids) == 0:
        raise ValueError(f"image_ids must be int64 [N], N > 0; got {image_ids.dtype} {tuple(image_ids.shape)}")
    low, high = int(image_ids.min()), int(image_ids.max())
    if low < 0 or high >= len(images):
        raise ValueError(f"image_ids must be in [0, {len(images)}); got values from {low} to {high}")
    return image_ids.cpu()


def checked_labels(labels: Tensor, count: int, name: str = "labels") -> Tensor:
    """Returns `labels`; raises ValueError when it is not int64 [count]."""
    if labels.dtype != torch.int64 or labels.shape != (count,):
        raise ValueError(f"{name} must be int64 [{count}]; got {labels.dtype} {tuple(labels.shape)}")
    return labels
