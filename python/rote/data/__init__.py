"""Image banks: data sets resident as uint8, whole or shard by shard, and the loaders that make them."""

from __future__ import annotations

from rote.data.bank import DataError, ImageBank, Split
from rote.data.corruption import (
    INPUT_CORRUPTIONS,
    PixelStatistics,
    clipped_statistics,
    corrupt_inputs,
    corrupted,
    pixel_statistics,
)
from rote.data.load import available, load, register
from rote.data.shards import ImageStream, Shard, stream

__all__ = [
    "INPUT_CORRUPTIONS",
    "DataError",
    "ImageBank",
    "ImageStream",
    "PixelStatistics",
    "Shard",
    "Split",
    "available",
    "clipped_statistics",
    "corrupt_inputs",
    "corrupted",
    "load",
    "pixel_statistics",
    "register",
    "stream",
]
