"""The labels that images are trained with, and those that memorization is judged by."""

from __future__ import annotations

import torch
from torch import Tensor

from rote.train import LabelSource, random_labels

RANDOM, TRUE, FRESH, EXEMPLAR = "random", "true", "fresh", "exemplar"


class GivenLabels:
    """The labels of one condition.

    Args:
        kind: "random" (one uniform draw per image, fixed), "true", or "fresh" (a new draw at every visit).
        image_ids: int64 [N].
        label_true: int64 [N].
        num_classes: C, of the draws.
        seed: the label seed.
    """

    def __init__(self, kind: str, image_ids: Tensor, label_true: Tensor, num_classes: int, seed: int) -> None:
        self.kind = kind
        self.image_ids = image_ids
        self.label_true = label_true
        self.num_classes = num_classes
        if kind == FRESH:
            self.source = LabelSource.fresh(seed, num_classes)
            return
        self._fixed = random_labels(image_ids, num_classes, seed) if kind == RANDOM else label_true
        self.source = LabelSource.fixed(self._fixed, num_classes=num_classes, image_ids=image_ids)

    @property
    def redrawn(self) -> bool:
        """Whether labels were drawn rather than taken from the data."""
        return self.kind != TRUE

    def used(self, epoch: int) -> Tensor:
        """int64 [N], the labels that a network after `epoch` epochs is asked for.

        Fixed labels are always the same ones. Fresh labels belong to visits: asked for are those of the last visit,
        and before the first visit those it will bring.
        """
        if self.kind != FRESH:
            return self._fixed
        visits = torch.full_like(self.image_ids, max(epoch - 1, 0))
        return self.source.labels(self.image_ids, visits, visits)
