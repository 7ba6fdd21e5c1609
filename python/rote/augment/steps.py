"""Training steps by number: which samples a step shows, and their rendering in one call."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from rote.augment import arguments
from rote.ops.step import augment_step_addresses

__all__ = ["LabelledStep", "Step", "step_addresses"]

MAX_POOL = 1 << 31


class Step(NamedTuple):
    """What a training step shows: views x [n, C, h, w] and their addresses, each int64 [n]."""

    x: Tensor
    ids: Tensor
    views: Tensor


class LabelledStep(NamedTuple):
    """A `Step` with its labels y: int64 [n], or float32 [n, num_classes] where the recipe mixes labels."""

    x: Tensor
    ids: Tensor
    views: Tensor
    y: Tensor


def step_addresses(
    images: Tensor, step: Any, batch_size: Any, order: Any, steps: Any, pool: Any, subset: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Checked arguments of `Recipe.step` to ids and views, each int64 [steps * min(batch_size, images shown)]."""
    if isinstance(step, int) and not isinstance(step, bool):
        if not 0 <= step < 1 << 63:
            raise ValueError(f"step: wanted 0 <= step < 2^63, got {step}")
        step = torch.tensor([step], dtype=torch.int64, device=images.device)
    if not isinstance(step, Tensor) or step.dtype != torch.int64:
        given = step.dtype if isinstance(step, Tensor) else type(step).__name__
        raise TypeError(f"step: wanted an int or a tensor int64 [1], got {given}")
    if step.numel() != 1 or step.ndim > 1:
        raise ValueError(f"step: wanted shape [1], got {list(step.shape)}")
    if step.device != images.device:
        raise ValueError(f"step: wanted device {images.device} of the images, got {step.device}")
    if subset is not None:
        subset = arguments.addresses(subset, "subset", 1, "M")
        if subset.device != images.device:
            raise ValueError(f"subset: wanted device {images.device} of the images, got {subset.device}")
    num_images = images.shape[0] if subset is None else subset.shape[0]
    if num_images == 0:
        raise ValueError(f"{'images' if subset is None else 'subset'}: wanted at least one image to train on, got none")
    batch_size = arguments.count(batch_size, "batch_size")
    steps = arguments.count(steps, "steps")
    pool = 0 if pool is None else arguments.count(pool, "pool", MAX_POOL)
    seed = arguments.seed(order, "order")
    batch_size = min(batch_size, num_images)
    return augment_step_addresses(step, subset, num_images, batch_size, steps, seed, pool)
