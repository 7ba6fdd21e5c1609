"""How different the views of an image are: the diversity of a recipe as a measured number."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# All pairs of so many images are a hundred thousand distances.
NUM_IMAGES = 512


def view_distance(
    recipe: Callable[..., Tensor],
    images: Tensor,
    image_ids: Tensor,
    *,
    seed: int,
    num_images: int = NUM_IMAGES,
) -> float:
    """Mean distance of two views of one image over that of views of two images, in raw pixels.

    0 where all views of an image are alike; 1 where they differ as much as those of different images. Distances are
    Euclidean, between view 0 of one image and view 1 of another over all pairs of images, in float64.

    Args:
        recipe: what renders the views.
        images: the bank, uint8 [M, C, H, W].
        image_ids: int64 [N], the images, of which the first `num_images` are taken.
        seed: the view seed.
        num_images: at most so many.

    Raises:
        ValueError: fewer than two images.
    """
    ids = image_ids[:num_images].to(images.device)
    if len(ids) < 2:
        raise ValueError(f"image_ids must hold at least two images; got {len(ids)}")
    first, second = (
        recipe(images, ids, torch.full_like(ids, view), seed=seed, dtype=torch.float32).flatten(1).double()
        for view in (0, 1)
    )
    distances = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
    own = distances.diagonal().mean()
    others = (distances.sum() - distances.diagonal().sum()) / (len(ids) * (len(ids) - 1))
    return float(own / others)
