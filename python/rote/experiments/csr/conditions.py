"""What the networks of `csr` are trained on: real data, noise in place of images (randX) or of labels (randY)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rote.data.corruption import corrupted
from rote.data.order import balanced_order
from rote.experiments.inputs.loading import Inputs
from rote.metrics.evaluation import clean_pixels
from rote.train import redraw_labels

if TYPE_CHECKING:
    from rote.experiments.csr import CSRConfig

REAL, RAND_X, RAND_Y = "real", "randX", "randY"
KINDS = (REAL, RAND_X, RAND_Y)
#: The kinds of test inputs that samples are searched around.
REAL_INPUTS, NOISE_INPUTS = "real", "noise"


@dataclass(frozen=True)
class Condition:
    """One training.

    Attributes:
        kind: "real", "randX" or "randY".
        share: of the training images whose pixels or label are noise; 0 for "real".
    """

    kind: str
    share: float

    @property
    def name(self) -> str:
        return self.kind if self.kind == REAL else f"{self.kind}_{self.share:g}"

    @property
    def headline_inputs(self) -> str:
        """Test inputs of the training's own kind: noise where all of the training images are, else real images."""
        return NOISE_INPUTS if self.kind == RAND_X and self.share == 1 else REAL_INPUTS


def conditions_of(config: CSRConfig) -> list[Condition]:
    """Every training of a run, real data first."""
    return [
        condition
        for kind in config.conditions
        for condition in ([Condition(REAL, 0.0)] if kind == REAL else [Condition(kind, s) for s in config.shares])
    ]


class TrainingData:
    """The images and labels of a condition.

    Attributes:
        images: uint8 [M, C, H, W], the training split, with noise in the place of some of the images trained on.
        labels: int64 [N], the labels used.
    """

    def __init__(self, condition: Condition, config: CSRConfig, inputs: Inputs) -> None:
        self.images = inputs.bank.train.images
        self.labels = inputs.label_true
        ids, seed = inputs.image_ids, config.seeds().label
        if condition.kind == RAND_X:
            noisy, _ = corrupted(inputs.bank, "gaussian", share=condition.share, seed=seed, ids=ids)
            self.images = self.images.clone()
            self.images[ids] = noisy
        elif condition.kind == RAND_Y:
            self.labels, _ = redraw_labels(self.labels, ids, inputs.bank.num_classes, seed, condition.share)


def query_ids(config: CSRConfig, inputs: Inputs) -> Tensor:
    """int64 [Q], the test images asked, the first of a seeded class-balanced order."""
    test = inputs.bank.test
    order = balanced_order(test.labels.cpu(), inputs.bank.num_classes, seed=config.seeds().data)
    return order[: config.queries]


def query_pixels(kind: str, ids: Tensor, config: CSRConfig, inputs: Inputs, device: torch.device) -> Tensor:
    """float32 [Q, C, H, W] in [0, 1]: test images, or noise with the moments of the training images."""
    images, rows = inputs.bank.test.images, ids
    if kind == NOISE_INPUTS:
        images, _ = corrupted(inputs.bank, "gaussian", seed=config.seeds().label, ids=ids, split="test")
        rows = torch.arange(len(ids))
    return clean_pixels(images, rows, device)
