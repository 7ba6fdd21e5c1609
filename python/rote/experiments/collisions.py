"""Views of a pool that coincide: what accuracy they leave within reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from rote.augment import Recipe
from rote.train import LabelSource

# Rows of parameters looked at at once; images are never divided, since only views of one image can coincide.
_ROWS = 1 << 18


class Collisions(NamedTuple):
    """How many different views a pool holds.

    Attributes:
        distinct: number of distinct (image, parameters) among the N x B of the pool.
        ceiling: the best accuracy that any classifier can have on the pool, since coinciding views are one input;
            below 1 only where they carry different labels.
    """

    distinct: int
    ceiling: float


def pool_collisions(
    recipe: Recipe, labels: LabelSource, image_ids: Tensor, views: int, *, seed: int, image_size: tuple[int, int]
) -> Collisions:
    """Counts the distinct views of a pool by their parameters.

    Args:
        recipe: the augmentation.
        labels: of the pool, fixed or per view.
        image_ids: int64 [N].
        views: B.
        seed: the view seed.
        image_size: (H, W).
    """
    distinct, reachable = 0, 0
    for ids in image_ids.split(max(1, _ROWS // views)):
        flat_ids = ids.repeat_interleave(views)
        flat_views = torch.arange(views).repeat(len(ids))
        parameters = recipe.params(flat_ids, flat_views, seed, image_size=image_size)
        rows = torch.cat([flat_ids[:, None].double(), *_columns(parameters)], dim=1)
        unique, group = torch.unique(rows, dim=0, return_inverse=True)
        target = labels.labels(flat_ids, flat_views, flat_views)
        pairs, counts = torch.unique(torch.stack((group, target), dim=1), dim=0, return_counts=True)
        most = torch.zeros(len(unique), dtype=torch.int64).scatter_reduce(0, pairs[:, 0], counts, "amax")
        distinct += len(unique)
        reachable += int(most.sum())
    return Collisions(distinct, reachable / (len(image_ids) * views))


def _columns(parameters: Mapping[str, Tensor]) -> list[Tensor]:
    """Each parameter as float64 [n, words], zero where its operation is not applied. (Integers are below 2^53.)"""
    columns = []
    for name, values in parameters.items():
        column = values.reshape(len(values), -1).double()
        applied = parameters.get(name.rsplit(".", 1)[0] + ".applied")
        columns.append(column if applied is None else torch.where(applied.bool()[:, None], column, 0.0))
    return columns
