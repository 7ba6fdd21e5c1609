"""rote/train/regularized_stream.py: a training stream that disturbs its pixels and says which samples it shows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rote.data import pixel_statistics
from rote.train.current_samples import MAX_REGULARIZED_IMAGES, CurrentSamples
from rote.train.regularization import Regularizers, disturbed_pixels
from rote.train.stream import TrainingStream


class RegularizedStream(TrainingStream):
    """`TrainingStream` for a network whose layers draw by address (`rote.train.regularize_layers`).

    `batch(step)` stays a pure function of the step, with one effect: `current` then holds the samples. So the trainer
    needs nothing new. A step that is captured or rendered elsewhere has no such moment: execution="graph" refuses this
    class, and "auto" runs it eagerly on CUDA too.

    Args:
        *args: those of `TrainingStream`.
        regularizers: what is done to the pixels.
        current: told at every batch what it holds; the one that the network's layers were given.
        **kwargs: those of `TrainingStream`.

    Raises:
        ValueError: as `TrainingStream`, or an image id from 2^32 on.

    Example:
        >>> current = CurrentSamples(seed=0)
        >>> regularize_layers(model, Regularizers(dropout=0.5), current, (3, 32, 32))
        >>> stream = RegularizedStream(*arguments, regularizers=Regularizers(dropout=0.5), current=current)
        >>> Trainer(model, stream, config)
    """

    def __init__(self, *args: Any, regularizers: Regularizers, current: CurrentSamples, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if int(self.image_ids.max()) >= MAX_REGULARIZED_IMAGES:
            raise ValueError(f"image_ids must be below 2^32; got {int(self.image_ids.max())}")
        self.regularizers = regularizers
        self.current = current
        self._pixel_std = torch.tensor(pixel_statistics(self.images).std) / 255 if regularizers.input_noise else None

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """As `TrainingStream.batch`, disturbed."""
        samples = self.samples(step)
        x, y = self.render(samples)
        self.current.show(samples.image_ids, self.epoch_of(step))
        x = disturbed_pixels(x, self.current, self.regularizers, self._pixel_std)
        self.current.pixels = x
        return x, y
