"""The noise of the studies: which of the images trained on are noisy, and what they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rote.data import corrupt_inputs, pixel_statistics
from rote.experiments.inputs.loading import Inputs
from rote.train import LabelSource, TrainingStream, redraw_labels

if TYPE_CHECKING:
    from rote.experiments.size.experiment import SizeConfig
    from rote.train import Seeds

CLEAN, INPUTS, LABELS, REMOVED = "clean", "inputs", "labels", "removed"


@dataclass(frozen=True)
class Noise:
    """One condition.

    Attributes:
        kind: "clean"; "inputs": noisy images are Gaussian noise with the mean and variance of the data, and keep their
            label; "labels": noisy images keep their pixels and have a label drawn anew, which may be right by chance;
            "removed": noisy images are left out.
        level: share of noisy images.
    """

    kind: str
    level: float

    @property
    def name(self) -> str:
        """Part of a file's name."""
        return self.kind if self.kind == CLEAN else f"{self.kind}={self.level:g}"


class NoisySet:
    """The first N images of the run's order under each condition; noise of all kinds falls on the same images.

    Args:
        config: the resolved options; the label seed chooses the noisy images and draws labels and pixels.
        inputs: data and recipe.
        count: N.
        num_classes: C.
    """

    def __init__(self, config: SizeConfig, inputs: Inputs, count: int, num_classes: int) -> None:
        self.seed = config.seeds().label
        self.inputs = inputs
        self.num_classes = num_classes
        self.ids = inputs.order[:count]
        self.images = inputs.bank.train.images[self.ids].contiguous()
        self.label_true = inputs.bank.train.labels.cpu()[self.ids]
        self._statistics = pixel_statistics(inputs.bank.train.images)
        self._made: dict[Noise, tuple[Tensor, Tensor]] = {}

    def of(self, noise: Noise) -> tuple[Tensor, Tensor]:
        """The images trained on, uint8 [N', C, H, W], and their labels, int64 [N']; N' < N where some are removed."""
        if noise not in self._made:
            self._made[noise] = self._make(noise)
        return self._made[noise]

    def _make(self, noise: Noise) -> tuple[Tensor, Tensor]:
        drawn, noisy = redraw_labels(self.label_true, self.ids, self.num_classes, self.seed, noise.level)
        if noise.kind == REMOVED:
            return self.images[~noisy].contiguous(), self.label_true[~noisy]
        if noise.kind == LABELS:
            return self.images, drawn
        if noise.kind == INPUTS and noisy.any():
            images = self.images.clone()
            images[noisy], _ = corrupt_inputs(
                self.images[noisy], self.ids[noisy], "gaussian", seed=self.seed, statistics=self._statistics
            )
            return images, self.label_true
        return self.images, self.label_true

    def stream(self, noise: Noise, batch_size: int, seeds: Seeds) -> TrainingStream:
        """The samples of a network; images are numbered by their place among those trained on."""
        images, labels = self.of(noise)
        source = LabelSource.fixed(labels, num_classes=self.num_classes)
        return TrainingStream(images, torch.arange(len(images)), source, self.inputs.recipe, batch_size, seeds)
