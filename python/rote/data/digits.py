"""`digits`: scikit-learn's 1,797 handwritten digits, made hard for raw pixels.

Each 8 x 8 digit is enlarged to 12 x 12, placed at a seeded position on a 16 x 16 RGB canvas and drawn in a seeded
light ink on a seeded dark ground, with slight noise. Everything is integer arithmetic on addressed words, so every
machine has the same bytes. The digits themselves come with scikit-learn (the test part of the UCI set of Alpaydin and
Kaynak, 1998). A vote of the 20 nearest raw pixel rows (cosine) gets 0.71 of the test digits right, and 0.98
of the plain 8 x 8 digits.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch

from rote.address import Stream, integers, words
from rote.data.bank import DataError, ImageBank, Split
from rote.data.order import stratified_split

VERSION = 1
SEED = 0
NUM_TEST = 360
CANVAS, GLYPH = 16, 12
INK = (168, 256)  # light: range of each colour channel, upper end excluded
GROUND = (0, 88)  # dark
NOISE = 6  # standard deviation in grey levels
FULL = 16 * 36  # largest enlarged value: 16 grey levels times the 6 * 6 of the bilinear weights
SOURCE_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"

# Slots of the DIGITS stream (view 0): what each word of an image decides. Noise has its own views from 1 on.
TOP_SLOT, LEFT_SLOT, INK_SLOT, GROUND_SLOT = 0, 1, 2, 5


def load_digits() -> ImageBank:
    """The embedded data set: 1,437 train and 360 test pictures, uint8 [N, 3, 16, 16], ten classes "0" to "9".

    Raises:
        ModuleNotFoundError: scikit-learn is not installed.
        DataError: the installed scikit-learn ships other digits.
    """
    glyphs, labels = _source()
    images = draw(glyphs)
    train, test = stratified_split(labels, 10, NUM_TEST, SEED)
    return ImageBank(
        name="digits",
        train=Split(images[train], labels[train]),
        test=Split(images[test], labels[test]),
        classes=tuple("0123456789"),
        source={
            "origin": "scikit-learn load_digits (UCI optical recognition of handwritten digits, test part)",
            "version": VERSION,
            "seed": SEED,
        },
    )


def draw(glyphs: torch.Tensor) -> torch.Tensor:
    """Draws digit i at its addressed position and colours.

    Args:
        glyphs: int64 [N, 8, 8] with values 0 (paper) to 16 (ink).

    Returns:
        uint8 [N, 3, 16, 16].
    """
    count = len(glyphs)
    ids = torch.arange(count)
    top, left = (integers(SEED, ids, 0, Stream.DIGITS, CANVAS - GLYPH + 1, slot) for slot in (TOP_SLOT, LEFT_SLOT))
    canvas = torch.zeros(count, CANVAS, CANVAS, dtype=torch.int64)
    rows = (top[:, None] + torch.arange(GLYPH))[:, :, None]
    columns = (left[:, None] + torch.arange(GLYPH))[:, None, :]
    canvas[ids[:, None, None], rows, columns] = enlarge(glyphs)
    ink, ground = _colour(ids, INK, INK_SLOT), _colour(ids, GROUND, GROUND_SLOT)
    mixed = ground * FULL + (ink - ground) * canvas[:, None]
    # Half is added before the floor division: rounding to nearest.
    return ((mixed + FULL // 2) // FULL + _noise(ids)).clamp_(0, 255).to(torch.uint8)


def enlarge(glyphs: torch.Tensor) -> torch.Tensor:
    """Bilinear enlargement from 8 to 12 pixels a side, exact: int64 [N, 8, 8] -> [N, 12, 12], times 36.

    Pixel centres: output i lies at (i + 1/2) * 8/12 - 1/2 = (4i - 1) / 6 of the input, so weights are whole sixths.
    """
    position = 4 * torch.arange(GLYPH) - 1
    low = torch.div(position, 6, rounding_mode="floor")
    weight = position - 6 * low
    lower, upper = low.clamp(0, 7), (low + 1).clamp(0, 7)
    rows = glyphs[:, lower] * (6 - weight)[:, None] + glyphs[:, upper] * weight[:, None]
    return rows[:, :, lower] * (6 - weight) + rows[:, :, upper] * weight


def _colour(ids: torch.Tensor, span: tuple[int, int], slot: int) -> torch.Tensor:
    """One addressed level per image and channel, int64 [N, 3, 1, 1]."""
    low, high = span
    channels = [integers(SEED, ids, 0, Stream.DIGITS, high - low, slot + c) for c in range(3)]
    return low + torch.stack(channels, dim=1)[:, :, None, None]


def _noise(ids: torch.Tensor) -> torch.Tensor:
    """Nearly Gaussian integer noise, int64 [N, 3, 16, 16]: the four bytes of a word summed (Irwin-Hall).

    The sum has mean 510 and standard deviation sqrt(4 (256^2 - 1) / 12), about 148.
    """
    views = 1 + torch.arange(3 * CANVAS * CANVAS)
    word = words(SEED, ids[:, None], views[None, :], Stream.DIGITS)
    total = sum((word >> shift) & 255 for shift in (0, 8, 16, 24)) - 510
    return torch.div(total * NOISE + 74, 148, rounding_mode="floor").view(-1, 3, CANVAS, CANVAS)


def _source() -> tuple[torch.Tensor, torch.Tensor]:
    """(int64 [1797, 8, 8] in 0..16, int64 [1797]) as scikit-learn ships them, checked against a known digest."""
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the data set 'digits' comes with scikit-learn, which is not installed: pip install 'rote[lab]'"
        ) from error
    bunch = datasets.load_digits()
    glyphs, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.uint8)
    if hashlib.sha256(glyphs.tobytes() + labels.tobytes()).hexdigest() != SOURCE_SHA256:
        import sklearn

        raise DataError(f"digits: scikit-learn {sklearn.__version__} ships other pictures than the 1,797 expected")
    return torch.from_numpy(glyphs).long(), torch.from_numpy(labels).long()
