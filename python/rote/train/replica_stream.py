"""rote/train/replica_stream.py: the batches of several training streams, rendered in one call."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rote.augment import Recipe
from rote.ops.augment_arguments import signed64
from rote.ops.augment_batches import augment_render_batches
from rote.ops.step import augment_step_addresses
from rote.train.stream import TrainingStream


class ReplicaStream:
    """What R streams show at a step, as one batch whose channels hold the replicas.

    Streams of one recipe that mixes no images are rendered together: the addresses of an epoch are made once, and a
    step slices them and calls one operator. All others are asked one after another.

    Args:
        streams: R streams of equal batch size and steps per epoch.
        dtype: of the pixels handed out.
        channels_last: memory layout of the pixels.

    Raises:
        ValueError: streams of different lengths.
    """

    def __init__(self, streams: Sequence[TrainingStream], dtype: torch.dtype, channels_last: bool) -> None:
        lengths = {(stream.batch_size, stream.steps_per_epoch, stream.num_classes) for stream in streams}
        if len(lengths) != 1:
            raise ValueError(
                f"streams must be alike in (batch_size, steps_per_epoch, num_classes); got {sorted(lengths)}"
            )
        self.streams = list(streams)
        self.steps_per_epoch = streams[0].steps_per_epoch
        self._dtype = dtype
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        self.together = _one_recipe(self.streams)
        self._epoch: tuple[int, Tensor, Tensor, Tensor] | None = None
        self._seeds = [signed64(stream.seeds.view) for stream in streams]
        banks = [stream.images for stream in streams]
        self._banks = banks[:1] if all(bank is banks[0] for bank in banks) else banks
        if self.together:
            self._pixels = self._pixel_memory()

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """What a step shows.

        Returns:
            (x, y, own): pixels [B, R C, h, w], which the next call overwrites; labels int64 [R, B], or shares of
            classes [R, B, K] where the recipe mixes them; int64 [R, B], the labels of the images whatever is mixed in.
        """
        if not self.together:
            pixels, labels = zip(*(stream.batch(step) for stream in self.streams), strict=True)
            own = torch.stack([stream.addresses(step)[2] for stream in self.streams])
            x = torch.cat(pixels, 1).to(self._dtype, memory_format=self._layout)
            return x, torch.stack(labels), own
        epoch, position = divmod(step, self.steps_per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, *self._addresses(epoch))
        _, ids, views, labels = self._epoch
        augment_render_batches(
            self._banks, ids[position], views[position], self.streams[0].recipe.program, self._seeds, self._pixels
        )
        labels = labels[position]
        return self._pixels.to(self._dtype), labels, labels

    def _pixel_memory(self) -> Tensor:
        """Where every step is rendered: [B, R C, h, w]."""
        stream, channels = self.streams[0], self._banks[0].shape[1]
        size = stream.recipe.output_size(tuple(self._banks[0].shape[2:]))
        return torch.empty(
            (stream.batch_size, len(self.streams) * channels, *size),
            dtype=torch.float32 if self._dtype == torch.float64 else self._dtype,
            device=self._banks[0].device,
            memory_format=self._layout,
        )

    def _addresses(self, epoch: int) -> tuple[Tensor, ...]:
        """(ids, views, labels) of an epoch, each int64 [steps, R, B]: a step is one slice."""
        first = torch.tensor([epoch * self.steps_per_epoch])
        of_streams = []
        for stream in self.streams:
            ids, views = augment_step_addresses(
                first,
                stream.image_ids,
                len(stream),
                stream.batch_size,
                self.steps_per_epoch,
                signed64(stream.seeds.order),
                stream.views or 0,
            )
            labels = stream.labels.labels(ids, views, torch.full_like(ids, epoch))
            of_streams.append([x.view(self.steps_per_epoch, stream.batch_size) for x in (ids, views, labels)])
        device = self._banks[0].device
        return tuple(torch.stack(column, 1).to(device) for column in zip(*of_streams, strict=True))


def _one_recipe(streams: list[TrainingStream]) -> bool:
    recipe = streams[0].recipe
    return isinstance(recipe, Recipe) and all(
        type(stream) is TrainingStream
        and not stream.mixes
        and stream.recipe == recipe
        and stream.images.shape[1:] == streams[0].images.shape[1:]
        for stream in streams
    )
