"""Image banks: data sets resident as uint8, whole or shard by shard, and the loaders that make them."""

from __future__ import annotations

from rote.data.bank import DataError, ImageBank, Split
from rote.data.load import available, load, register
from rote.data.shards import ImageStream, Shard, stream

__all__ = ["DataError", "ImageBank", "ImageStream", "Shard", "Split", "available", "load", "register", "stream"]
