"""The labels that images are trained with, and those that memorization is judged by."""

from __future__ import annotations

import torch
from torch import Tensor

from rote.train import LabelSource, redraw_labels

RANDOM, TRUE, FRESH, EXEMPLAR = "random", "true", "fresh", "exemplar"


class GivenLabels:
    """The labels of one condition.

    Args:
        kind: "random" (one uniform draw per image, fixed), "true", "fresh" (a new draw at every visit) or "exemplar" (a
            class of its own for every image: row i of the subset has label i).
        image_ids: int64 [N].
        label_true: int64 [N].
        num_classes: C, of the draws; N for "exemplar".
        seed: the label seed.
        noise: with "random", the share of images whose label is drawn; the others keep their true one.

    Attributes:
        redrawn: bool [N], which images have a label that was not taken from the data.

    Raises:
        ValueError: noise outside [0, 1].
    """

    def __init__(
        self,
        kind: str,
        image_ids: Tensor,
        label_true: Tensor,
        num_classes: int,
        seed: int,
        noise: float = 1.0,
    ) -> None:
        self.kind = kind
        self.image_ids = image_ids
        self.label_true = label_true
        self.num_classes = num_classes
        self.redrawn = torch.full_like(image_ids, kind != TRUE, dtype=torch.bool)
        if kind == FRESH:
            self.source = LabelSource.fresh(seed, num_classes)
            return
        if kind == RANDOM:
            self._fixed, self.redrawn = redraw_labels(label_true, image_ids, num_classes, seed, noise)
        elif kind == EXEMPLAR:
            self._fixed = torch.arange(len(image_ids))
        else:
            self._fixed = label_true
        self.source = LabelSource.fixed(self._fixed, num_classes=num_classes, image_ids=image_ids)

    def used(self, epoch: int) -> Tensor:
        """int64 [N], the labels that a network after `epoch` epochs is asked for.

        Fixed labels are always the same ones. Fresh labels belong to visits: asked for are those of the last visit,
        and before the first visit those it will bring.
        """
        if self.kind != FRESH:
            return self._fixed
        visits = torch.full_like(self.image_ids, max(epoch - 1, 0))
        return self.source.labels(self.image_ids, visits, visits)
