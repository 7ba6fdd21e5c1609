"""Picture folders to decode: the real CIFAR-10 JPEG files, and larger pictures put together from them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rote.data.decoder import Decoder
from rote.data.decoding import Sheet, Size, decode
from rote.data.tree import PictureFile, scan

#: Of mosaics, (H, W) in pixels: that of a common photograph data set.
MOSAIC = (384, 512)
MOSAIC_QUALITY = 90


def cifar_root() -> Path | None:
    """The folder with train/ and test/, where ROTE_CIFAR10 says it is."""
    root = os.environ.get("ROTE_CIFAR10")
    return Path(root) if root else None


def cifar_files(root: Path, count: int | None = None) -> tuple[PictureFile, ...]:
    """`count` files spread evenly over all 60,000, or all of them."""
    tree = scan(root)
    files = tree.train + tree.test
    if count is None:
        return files
    return tuple(files[index * len(files) // count] for index in range(count))


def write_mosaics(root: Path, files: Sequence[PictureFile], folder: Path, count: int) -> tuple[PictureFile, ...]:
    """`count` JPEG files of 384 x 512 (4:2:0, quality 90), each 192 of the given pictures side by side.

    There are no photographs among the data; these have photographs' sizes, detail and colour, with more edges.
    """
    from PIL import Image

    rows, columns = MOSAIC[0] // 32, MOSAIC[1] // 32
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for index in range(count):
        tiles = [files[(index * rows * columns + tile) % len(files)].path for tile in range(rows * columns)]
        pixels = np.stack([np.asarray(Image.open(root / path).convert("RGB")) for path in tiles])
        pixels = pixels.reshape(rows, columns, 32, 32, 3).transpose(0, 2, 1, 3, 4).reshape(*MOSAIC, 3)
        path = folder / f"{index:04}.jpg"
        Image.fromarray(pixels).save(path, quality=MOSAIC_QUALITY, subsampling=2)
        status = path.stat()
        made.append(PictureFile(path.name, 0, status.st_size, status.st_mtime_ns))
    return tuple(made)


def decoded(root: Path, files: Sequence[PictureFile], size: Size | None, decoder: Decoder) -> Sheet:
    """Decoded anew, past every cache."""
    return decode(root, files, size, decoder, progress=False)
