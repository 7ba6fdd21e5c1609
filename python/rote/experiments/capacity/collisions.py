"""Views of a pool that coincide: what accuracy they leave within reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from rote.augment import Recipe
from rote.ops.row_hash import row_hash
from rote.train import LabelSource

# Rows of parameters made at once. Views of one image are always compared together, for only they can coincide.
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
    """Counts the distinct views of a pool by 64-bit hashes of their parameters.

    Memory is that of one piece of rows, and 16 bytes a view of one image.

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
        hashes, targets = [], []
        for numbers in torch.arange(len(ids) * views).split(_ROWS):
            flat_ids, flat_views = ids[numbers // views], numbers % views
            parameters = recipe.params(flat_ids, flat_views, seed, image_size=image_size)
            # 0.0 is added so that -0.0 and 0.0 are one number.
            rows = torch.cat([flat_ids[:, None].double(), *_columns(parameters)], dim=1) + 0.0
            hashes.append(row_hash(rows))
            targets.append(labels.labels(flat_ids, flat_views, flat_views))
        unique, group = torch.unique(torch.cat(hashes), return_inverse=True)
        pairs, counts = torch.unique(group * labels.num_classes + torch.cat(targets), return_counts=True)
        most = torch.zeros(len(unique), dtype=torch.int64)
        most.scatter_reduce_(0, pairs // labels.num_classes, counts, "amax")
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
