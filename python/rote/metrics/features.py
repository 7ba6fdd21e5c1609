"""rote/metrics/features.py: features of one layer after another for images and views, in bounded memory.

A layer's features are held where they fit and computed again, chunk by chunk, where they do not: the hidden layer of
the paper's projector has 65,536 units, 12 GiB for 50,000 images.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rote.metrics.evaluation import BATCH_SIZE, clean_pixels, convolutional, device_of, evaluating
from rote.models.pooling import check_pooling

PIXELS = "pixels"
#: Bytes of features that are held at a time.
HELD_BYTES = 2 << 30


@dataclass(frozen=True)
class Shown:
    """Images, or views of them, that a network is shown.

    Args:
        images: the bank, uint8 [M, C, H, W].
        ids: int64 [R], a row of the bank each.
        views: int64 [R], the view of each, or None: the un-augmented images.
        recipe: what the views are of; wanted where `views` is given.
        seed: the view seed.
        address_ids: int64 [R]: the views are drawn as for these images rather than `ids`, so that one transformation
            acts on two images.
    """

    images: Tensor
    ids: Tensor
    views: Tensor | None = None
    recipe: Callable[..., Tensor] | None = None
    seed: int = 0
    address_ids: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.views is None) != (self.recipe is None):
            raise ValueError("views and recipe go together: give both, or neither for un-augmented images")
        for name in ("views", "address_ids"):
            value = getattr(self, name)
            if value is not None and value.shape != self.ids.shape:
                raise ValueError(
                    f"{name} must have the shape of ids, {tuple(self.ids.shape)}; got {tuple(value.shape)}"
                )

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, rows: Tensor | slice) -> Shown:
        """Some of the rows, by int64 indices or a slice."""
        cut = {name: None if (v := getattr(self, name)) is None else v[rows] for name in ("views", "address_ids")}
        return Shown(self.images, self.ids[rows], recipe=self.recipe, seed=self.seed, **cut)

    @classmethod
    def together(cls, parts: Sequence[Shown]) -> Shown:
        """The rows of several, one after another.

        Raises:
            ValueError: they are not of one bank, recipe and seed.
        """
        first = parts[0]
        for part in parts[1:]:
            if part.images is not first.images or part.recipe != first.recipe or part.seed != first.seed:
                raise ValueError("parts must be of one bank, recipe and seed")
        joined = {
            name: None if getattr(first, name) is None else torch.cat([getattr(part, name) for part in parts])
            for name in ("ids", "views", "address_ids")
        }
        return cls(first.images, recipe=first.recipe, seed=first.seed, **joined)

    def pixels(self, start: int, stop: int, device: torch.device, *, channels_last: bool = False) -> Tensor:
        """float32 [stop - start, C, H, W] of a stretch of rows."""
        ids = self.ids[start:stop]
        if self.views is None:
            return clean_pixels(self.images, ids, device, channels_last=channels_last)
        place = self.images.device
        drawn = {} if self.address_ids is None else {"address_ids": self.address_ids[start:stop].to(place)}
        views = self.views[start:stop].to(place)
        x = self.recipe(self.images, ids.to(place), views, seed=self.seed, channels_last=channels_last, **drawn)
        return x.to(device)


class Features:
    """The features of one layer for what is shown, held or computed again at every use.

    Attributes:
        layer: a layer of the network, or "pixels".
        dim: their number D.
        held: float32 [R, D] on the network's device, or None where it is too large.
    """

    def __init__(self, extract: Extractor, layer: str, shown: Shown, dim: int, held: Tensor | None = None) -> None:
        self.layer = layer
        self.dim = dim
        self.held = held
        self._extract = extract
        self._shown = shown

    def __len__(self) -> int:
        return len(self._shown)

    def chunks(self) -> Iterator[Tensor]:
        """float32 [r, D], in order, one forward pass at a time where they are not held."""
        if self.held is not None:
            yield self.held
            return
        for found in self._extract.batches([self.layer], self._shown):
            yield found[self.layer]

    def blocks(self) -> Iterator[Tensor]:
        """float32 [r, D], in order, as many rows at a time as memory holds."""
        rows = len(self) if self.held is not None else self.fitting
        for start in range(0, len(self), rows):
            if self.held is not None:
                yield self.held
            else:
                yield self._extract.held([self.layer], self._shown.at(slice(start, start + rows)))[self.layer]

    def at(self, rows: Tensor) -> Features:
        """The features of some of the rows, int64 indices; held or not as these are."""
        held = None if self.held is None else self.held[rows.to(self.held.device)]
        return Features(self._extract, self.layer, self._shown.at(rows), self.dim, held)

    def matrix(self) -> Tensor:
        """float32 [R, D], whole, whatever memory that takes; `fitting` says how many rows are held easily."""
        return self._extract.held([self.layer], self._shown)[self.layer] if self.held is None else self.held

    @property
    def fitting(self) -> int:
        """How many rows fit the memory meant for features, at least 1."""
        return max(1, self._extract.held_bytes // (4 * self.dim))


class Extractor:
    """Takes features out of a network in eval mode, and of raw pixels.

    Args:
        model: a network with `layers` and `activations`; batch-norm statistics are those it has at each call.
        pooling: what becomes of positions: "average", "max", "flatten" (all of them), "grid2" (averages over a 2 x 2
            grid). Raw pixels are always flat.
        batch_size: images per forward pass.
        held_bytes: bound on the features held.

    Raises:
        ValueError: an unknown pooling, or one that the network does not offer.
    """

    def __init__(
        self, model: nn.Module, pooling: str = "average", *, batch_size: int = BATCH_SIZE, held_bytes: int = HELD_BYTES
    ) -> None:
        check_pooling(pooling)
        if pooling != "average" and "pooling" not in inspect.signature(model.activations).parameters:
            raise ValueError(f"pooling must be 'average' for {type(model).__name__}; got {pooling!r}")
        self.model = model
        self.device = device_of(model)
        self.batch_size = batch_size
        self.held_bytes = held_bytes
        self._pooled = {} if pooling == "average" else {"pooling": pooling}
        self._channels_last = convolutional(model)

    def dims(self, layers: Sequence[str], images: Tensor) -> dict[str, int]:
        """{layer: number of features}, found by showing an image."""
        found = next(self.batches(layers, Shown(images, torch.zeros(1, dtype=torch.int64))))
        return {layer: found[layer].shape[1] for layer in layers}

    def groups(self, layers: Sequence[str], images: Tensor, rows: int) -> list[list[str]]:
        """Consecutive layers whose features of so many rows fit memory together, for one pass each."""
        dims = self.dims(layers, images)
        groups: list[list[str]] = []
        free = 0
        for layer in layers:
            size = 4 * rows * dims[layer]
            if size > free or not groups:
                groups.append([])
                free = self.held_bytes
            groups[-1].append(layer)
            free -= size
        return groups

    def features(self, layers: Sequence[str], shown: Shown) -> dict[str, Features]:
        """{layer: Features}, held where all of them fit together."""
        dims = self.dims(layers, shown.images)
        if 4 * len(shown) * sum(dims.values()) > self.held_bytes:
            return {layer: Features(self, layer, shown, dims[layer]) for layer in layers}
        held = self.held(layers, shown)
        return {layer: Features(self, layer, shown, dims[layer], held[layer]) for layer in layers}

    def held(self, layers: Sequence[str], shown: Shown) -> dict[str, Tensor]:
        """{layer: float32 [R, D]}, whole."""
        whole: dict[str, Tensor] = {}
        start = 0
        for found in self.batches(layers, shown):
            for layer, value in found.items():
                if layer not in whole:  # once and in full: concatenating would need the memory twice
                    whole[layer] = value.new_empty(len(shown), value.shape[1])
                whole[layer][start : start + len(value)] = value
            start += len(value)
        return whole

    def batches(self, layers: Sequence[str], shown: Shown) -> Iterator[dict[str, Tensor]]:
        """{layer: float32 [r, D]} of one forward pass after another."""
        step = self.batch_size
        inside = [layer for layer in layers if layer != PIXELS]
        for start in range(0, len(shown), step):
            with evaluating(self.model):
                x = shown.pixels(start, start + step, self.device, channels_last=self._channels_last)
                found = self.model.activations(x, inside, **self._pooled) if inside else {}
                if PIXELS in layers:
                    found = {PIXELS: x.contiguous().flatten(1), **found}
                found = {layer: found[layer].float().flatten(1) for layer in layers}
            yield found
