"""`stream`: a picture folder that does not fit memory, decoded shard by shard in an addressed order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rote import address
from rote.data import decoder as decoders
from rote.data.decoding import Size, decode, size_of_first
from rote.data.load import height_width
from rote.data.tree import PictureFile, PictureTree, scan

#: Bytes of pixels in a shard when the caller does not say how many images.
SHARD_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class Shard:
    """A part of an epoch, resident as a bank of its own.

    Attributes:
        images: uint8 [M, C, H, W].
        labels: int64 [M], the true labels.
        ids: int64 [M], the images' global ids: their rows in the bank that `load` makes of the same folder.
        epoch, number: which shard this is; `epoch(epoch, start=number)` begins with it.
    """

    images: torch.Tensor
    labels: torch.Tensor
    ids: torch.Tensor
    epoch: int
    number: int

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device | str) -> Shard:
        """The shard on another device."""
        tensors = (t.to(device) for t in (self.images, self.labels, self.ids))
        return Shard(*tensors, self.epoch, self.number)

    def views(
        self,
        recipe: Callable[..., torch.Tensor],
        rows: torch.Tensor,
        views: torch.Tensor,
        seed: int = 0,
        **options: Any,
    ) -> torch.Tensor:
        """Renders views, the same pixels as `recipe(bank.train.images, shard.ids[rows], views, seed)` of a whole bank.

        Args:
            recipe: a `rote.augment.Recipe`.
            rows: int64 [B], rows of this shard, on its device.
            views: int64 [B] or [B, V].
            seed, **options: as in the recipe's call.

        Returns:
            [B, C, h, w] or [B, V, C, h, w].

        Raises:
            ValueError: the recipe mixes in other images, which are rows of a whole bank; else as the recipe's call.
        """
        if getattr(recipe, "partners", None) is not None:
            raise ValueError("recipe: draws partners, which are rows of a whole bank; a shard holds some of them only")
        return recipe(self.images, rows, views, seed, address_ids=self.ids[rows], **options)


class ImageStream:
    """One split of a folder, shard by shard; see `stream`.

    Attributes:
        classes: name of class c at position c.
        labels: int64 [N], the true label of every image of the split, by global id.
        image_ids: int64 [n], the images that an epoch visits.
        image_size: (H, W).
        shard_images: images of every shard but the last.
        source: JSON-ready facts about origin and decoder.
    """

    def __init__(
        self,
        root: Path,
        tree: PictureTree,
        files: tuple[PictureFile, ...],
        size: Size | None,
        decoder: decoders.Decoder,
        shard_images: int | None,
        image_ids: torch.Tensor | None,
        seed: int,
    ) -> None:
        self._root, self._files, self._size, self._decoder, self.seed = root, files, size, decoder, seed
        self.classes = tree.classes
        self.labels = torch.tensor([file.label for file in files], dtype=torch.int64)
        self.image_ids = torch.arange(len(files)) if image_ids is None else _checked(image_ids, len(files))
        self.image_size = size or size_of_first(root, files)
        height, width = self.image_size
        self.shard_images = shard_images or max(1, SHARD_BYTES // (3 * height * width))
        self.source = {"root": str(tree.root), "ignored_files": tree.ignored, "decoder": decoder.facts}

    def __len__(self) -> int:
        """Images in an epoch."""
        return len(self.image_ids)

    @property
    def num_shards(self) -> int:
        """Shards in an epoch."""
        return -(-len(self) // self.shard_images)

    def order(self, epoch: int) -> torch.Tensor:
        """The global ids in the order of an epoch, int64 [n]: `image_ids` under the keyed permutation of
        docs/addressing.md, which depends on (seed, n, epoch) and not on the size of shards.

        Raises:
            ValueError: `epoch` is outside [0, 2^48).
        """
        if not 0 <= epoch < address.MAX_VIEWS:
            raise ValueError(f"epoch: wanted 0 <= epoch < 2^48, got {epoch}")
        return self.image_ids[address.permutation(self.seed, len(self), epoch)]

    def epoch(self, epoch: int = 0, start: int = 0) -> Iterator[Shard]:
        """The shards of an epoch from number `start` on; the next one is decoded while the caller holds one.

        Args:
            epoch: 0 <= epoch < 2^48.
            start: 0 <= start <= num_shards.

        Yields:
            Shards that hold every image of the epoch once, in its order. Two or three of them exist at a time.

        Raises:
            ValueError: an argument is out of range.
            DataError: pictures of a shard cannot be used; raised when that shard is asked for.
        """
        if not 0 <= start <= self.num_shards:
            raise ValueError(f"start: wanted a shard in [0, {self.num_shards}], got {start}")
        return self._shards(self.order(epoch), epoch, start)

    def _shards(self, order: torch.Tensor, epoch: int, start: int) -> Iterator[Shard]:
        cancelled = threading.Event()
        worker = ThreadPoolExecutor(1)
        numbers = range(start, self.num_shards)
        try:
            pending = [worker.submit(self._shard, order, epoch, number, cancelled) for number in numbers[:1]]
            for number in numbers:
                shard = pending.pop().result()
                if number + 1 in numbers:
                    pending.append(worker.submit(self._shard, order, epoch, number + 1, cancelled))
                yield shard
        finally:  # also when the caller stops early
            cancelled.set()
            worker.shutdown()

    def _shard(self, order: torch.Tensor, epoch: int, number: int, cancelled: threading.Event) -> Shard:
        ids = order[number * self.shard_images : (number + 1) * self.shard_images]
        files = [self._files[i] for i in ids.tolist()]
        sheet = decode(self._root, files, self._size, self._decoder, False, shape=self.image_size, cancelled=cancelled)
        return Shard(torch.from_numpy(sheet.images), self.labels[ids], ids, epoch, number)


def stream(
    root: str | Path,
    *,
    split: str = "train",
    size: int | tuple[int, int] | None = None,
    shard_images: int | None = None,
    image_ids: torch.Tensor | None = None,
    decoder: str = "auto",
    seed: int = 0,
) -> ImageStream:
    """A folder of pictures as a stream of shards, for banks that do not fit memory.

    Nothing but file names is kept: each epoch decodes anew, the next shard in the background. The order of an epoch
    is a pure function of (seed, epoch); global ids are the rows that `load("folder", root)` would give the images, so
    that order, labels and augmented views are those of a bank in memory.

    Args:
        root: holds train/<class>/*.jpg and test/<class>/*.jpg (or val/), png as well.
        split: "train" or "test".
        size: resize to this many pixels, an int or (H, W). None: all must have the size of the first.
        shard_images: images of a shard; by default as many as 1 GiB holds. Up to three shards exist at a time.
        image_ids: int64 [n], global ids to visit, each once; all by default.
        decoder: "pillow", "dali", or "auto": DALI where it is installed, Pillow otherwise.
        seed: of the order, 0 <= seed < 2^64.

    Raises:
        FileNotFoundError: the folder, its train/ or its test/ is missing.
        DataError: the tree is wrong, or no picture can be read.
        ValueError: an argument is out of range, or ids repeat.
        ModuleNotFoundError: the decoder is not installed; the message names the extra.

    Example:
        for shard in stream("pictures", size=224).epoch(epoch):
            for rows in torch.arange(len(shard)).split(256):
                x = shard.views(recipe, rows, torch.full_like(rows, epoch), seed=seed)
                train_step(x, shard.labels[rows])
    """
    if split not in ("train", "test"):
        raise ValueError(f"split: wanted train or test, got {split!r}")
    if shard_images is not None and (not isinstance(shard_images, int) or shard_images < 1):
        raise ValueError(f"shard_images: wanted a positive int, got {shard_images!r}")
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed: wanted 0 <= seed < 2^64, got {seed}")
    root = Path(root).expanduser()
    tree = scan(root)
    files = tree.train if split == "train" else tree.test
    return ImageStream(root, tree, files, height_width(size), decoders.choose(decoder), shard_images, image_ids, seed)


def _checked(image_ids: torch.Tensor, count: int) -> torch.Tensor:
    if not isinstance(image_ids, torch.Tensor) or image_ids.dtype != torch.int64 or image_ids.ndim != 1:
        raise TypeError(f"image_ids: wanted int64 [n], got {getattr(image_ids, 'dtype', type(image_ids).__name__)}")
    if len(image_ids) == 0 or int(image_ids.min()) < 0 or int(image_ids.max()) >= count:
        raise ValueError(f"image_ids: wanted ids in [0, {count}), at least one, got {image_ids.tolist()[:5]} ...")
    if len(image_ids.unique()) != len(image_ids):
        raise ValueError("image_ids: wanted every id once, got a repeated one")
    return image_ids.cpu()
