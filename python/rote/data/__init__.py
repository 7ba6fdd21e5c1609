"""Image banks: whole data sets resident as uint8, and the loaders that make them."""

from __future__ import annotations

from rote.data.bank import DataError, ImageBank, Split
from rote.data.load import available, load, register

__all__ = ["DataError", "ImageBank", "Split", "available", "load", "register"]
