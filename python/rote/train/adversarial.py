"""rote/train/adversarial.py: a loss on the samples of a step and on points found near them (Goodfellow et al. 2015)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from rote.train.current_samples import CurrentSamples
from rote.train.losses import Loss

Search = Callable[[nn.Module, Tensor, Tensor, int], Tensor]
"""(network, pixels [B, C, H, W], image_ids int64 [B], visit) -> points [B, C, H, W], without gradient.

A pure function of its arguments, or no run could be resumed or repeated; where it finds nothing near a sample, the
sample itself."""


class AdversarialLoss:
    """(1 - w) loss(samples) + w loss(points found near them), both means over the batch.

    The points go through the network in train mode, with the numbers that its layers drew for the samples they belong
    to; batch normalization counts them as a batch of their own. Running loss and accuracy of a trainer: the loss is
    this one, the accuracy that of the samples.

    Args:
        model: the network that is trained.
        loss: of a batch.
        current: what the network's `RegularizedStream` shows.
        search: what finds the points.
        weight: w in [0, 1].

    Raises:
        ValueError: a weight outside [0, 1].
    """

    def __init__(self, model: nn.Module, loss: Loss, current: CurrentSamples, search: Search, weight: float) -> None:
        if not 0 <= weight <= 1:
            raise ValueError(f"weight must be in [0, 1]; got {weight}")
        self.model = model
        self.loss = loss
        self.current = current
        self.search = search
        self.weight = weight

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Scalar from logits [B, C] of the samples shown and their labels."""
        current = self.current
        if current.pixels is None or current.image_ids is None:
            raise RuntimeError("an adversarial loss needs the samples that a RegularizedStream shows; it showed none")
        points = self.search(self.model, current.pixels, current.image_ids, current.visit)
        found = self.loss(self.model(points), labels)
        return (1 - self.weight) * self.loss(logits, labels) + self.weight * found
