"""rote/metrics/accuracy.py: training accuracy in eval mode, in its three meanings: clean, fresh views, pool.

The fourth meaning, the running accuracy in train mode, is `rote.train.Trainer.take_running`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from rote.address import FRESH_VIEWS
from rote.metrics.evaluation import (
    BATCH_SIZE,
    checked_ids,
    checked_images,
    checked_labels,
    clean_pixels,
    convolutional,
    device_of,
    evaluating,
)

if TYPE_CHECKING:
    from rote.train import LabelSource

# Logits of a network trained on squared errors are no log-probabilities. Its code is softmax(scale x logits) with the
# best of these scales; naming the scale costs log2(25) bits, which are charged.
_SCALES = tuple(2.0 ** (exponent / 2) for exponent in range(-4, 21))


class PoolScore(NamedTuple):
    """How well a pool is fitted.

    Attributes:
        accuracy: share of the N x B samples whose label is predicted.
        correct: their number.
        samples: N x B.
        cost_bits: mean of -log2 p of the right label, p = softmax(scale x logits); for `bits.code_length_from_cost`.
        scale: the scale with the lowest cost out of 25 between 1/4 and 1024.
    """

    accuracy: float
    correct: int
    samples: int
    cost_bits: float
    scale: float


def clean_accuracy(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    image_ids: Tensor | None = None,
    recipe: Callable[..., Tensor] | None = None,
    batch_size: int = BATCH_SIZE,
) -> float:
    """Accuracy in eval mode on un-augmented images.

    Args:
        model: float [B, C, H, W] -> logits [B, classes].
        images: uint8 [M, C, H, W].
        labels: int64 [N], aligned with `image_ids`.
        image_ids: int64 [N]; None is the whole bank.
        recipe: None for pixels / 255, or a recipe without randomness (Normalize alone).
        batch_size: images per forward pass.

    Raises:
        ValueError: shapes or types that do not fit.
    """
    answers = clean_correct(model, images, labels, image_ids=image_ids, recipe=recipe, batch_size=batch_size)
    return int(answers.sum()) / len(answers)


def clean_correct(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    image_ids: Tensor | None = None,
    recipe: Callable[..., Tensor] | None = None,
    batch_size: int = BATCH_SIZE,
) -> Tensor:
    """bool [N] on the CPU: which un-augmented images a network answers rightly, in eval mode.

    Arguments and errors are those of `clean_accuracy`.
    """
    ids = checked_ids(image_ids, checked_images(images))
    checked_labels(labels, len(ids))
    channels_last = convolutional(model)
    answers = []
    with evaluating(model) as device:
        for chunk in ids.split(batch_size):
            x = clean_pixels(images, chunk, device, recipe=recipe, channels_last=channels_last)
            answers.append(model(x).argmax(1))  # stays there, so that no batch waits for the one before it
    return torch.cat(answers).cpu() == labels.cpu()


def fresh_view_accuracy(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Callable[..., Tensor],
    *,
    seed: int,
    image_ids: Tensor | None = None,
    views: int = 1,
    first_view: int = FRESH_VIEWS,
    batch_size: int = BATCH_SIZE,
) -> float:
    """Accuracy in eval mode on augmented views that were never trained on.

    Args:
        model: float [B, C, H, W] -> logits [B, classes].
        images: uint8 [M, C, H, W].
        labels: int64 [N], aligned with `image_ids`; a label holds for all views of its image.
        recipe: the augmentation trained with.
        seed: the view seed.
        image_ids: int64 [N]; None is the whole bank.
        views: number of fresh views per image.
        first_view: id of the first one; training uses ids below 2**47.
        batch_size: images per forward pass.

    Raises:
        ValueError: shapes, types or numbers that do not fit.
    """
    ids = checked_ids(image_ids, checked_images(images))
    checked_labels(labels, len(ids))
    _check_views(views)
    labels, answers = labels.cpu(), []
    for _, _, logits in _pool_logits(model, images, ids, recipe, views, seed, first_view, batch_size):
        answers.append(logits.argmax(1))
    return int((torch.cat(answers).cpu() == labels.repeat_interleave(views)).sum()) / (len(ids) * views)


def pool_accuracy(
    model: nn.Module,
    images: Tensor,
    labels: LabelSource,
    recipe: Callable[..., Tensor],
    *,
    views: int,
    seed: int,
    image_ids: Tensor | None = None,
    batch_size: int = BATCH_SIZE,
) -> PoolScore:
    """Accuracy and code length in eval mode over exactly the N x B views of a pool, in constant memory.

    Args:
        model: float [B, C, H, W] -> logits [B, classes].
        images: uint8 [M, C, H, W].
        labels: `LabelSource.fixed` or `.per_view`, the one trained on.
        recipe: the augmentation trained with.
        views: B, the size of the pool per image: views 0 to B - 1.
        seed: the view seed.
        image_ids: int64 [N]; None is the whole bank.
        batch_size: images per forward pass.

    Raises:
        ValueError: shapes or numbers that do not fit, or fresh labels, which no pool has.
    """
    ids = checked_ids(image_ids, checked_images(images))
    _check_views(views)
    if labels.kind == "fresh":
        raise ValueError("labels must be fixed or per view; fresh labels belong to visits, not to a pool")
    labels.check(ids)
    # Summed where the network is: no batch waits for the one before it.
    device = device_of(model)
    scales = torch.tensor(_SCALES, dtype=torch.float64, device=device)
    cost, hits = torch.zeros_like(scales), torch.zeros((), dtype=torch.int64, device=device)
    for rows, view_ids, logits in _pool_logits(model, images, ids, recipe, views, seed, 0, batch_size):
        target = labels.labels(ids[rows], view_ids, view_ids).to(device)
        logits = logits.double()
        hits += (logits.argmax(1) == target).sum()
        log_p = torch.log_softmax(scales[:, None, None] * logits, dim=2)  # [scales, B, C]
        cost -= log_p.gather(2, target.expand(len(_SCALES), -1).unsqueeze(2)).sum((1, 2))
    samples, correct, cost = len(ids) * views, int(hits), cost.cpu()
    best = int(cost.argmin())
    bits = (float(cost[best]) / math.log(2.0) + math.log2(len(_SCALES))) / samples
    return PoolScore(correct / samples, correct, samples, bits, _SCALES[best])


def _pool_logits(
    model: nn.Module,
    images: Tensor,
    ids: Tensor,
    recipe: Callable[..., Tensor],
    views: int,
    seed: int,
    first_view: int,
    batch_size: int,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yields (rows int64 [B] into ids, view ids int64 [B], logits [B, C]) for each (image, view), image by image."""
    channels_last = convolutional(model)
    with evaluating(model) as device:
        for start in range(0, len(ids) * views, batch_size):
            flat = torch.arange(start, min(start + batch_size, len(ids) * views))
            rows, view_ids = flat // views, first_view + flat % views
            x = recipe(
                images,
                ids[rows].to(images.device),
                view_ids.to(images.device),
                seed=seed,
                dtype=torch.float32,
                channels_last=channels_last,
            )
            yield rows, view_ids, model(x.to(device))


def _check_views(views: int) -> None:
    if views < 1:
        raise ValueError(f"views must be at least 1; got {views}")
