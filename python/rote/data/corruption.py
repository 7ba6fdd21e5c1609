"""Corrupted inputs by address: noise in place of images and moved pixels, rendered when asked for, never stored.

Three kinds (arXiv 1611.03530, section 2.2; arXiv 1706.05394 calls the first one randX):

gaussian         every value is drawn from a Gaussian with the mean and variance that the channel has over the training
                 set, rounded to an integer and clipped to [0, 255]
shuffled-pixels  one permutation of the pixel positions for all images, of training and test alike
random-pixels    a permutation of its own for every image

Channels of a pixel stay together. What an image becomes is a function of (seed, id) and, for "gaussian", of the
training set's moments: it is the same in whatever subset or order the image stands. A share of the images is chosen by
one uniform number per image, so that the corrupted ones of a smaller share are among those of a larger one; their
number is binomial, since an exact count would depend on which other images are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rote import address
from rote.address import Stream
from rote.data.bank import ImageBank

INPUT_CORRUPTIONS = ("gaussian", "shuffled-pixels", "random-pixels")
#: Added to the id of a test image, so that its noise is not that of the training image with its number.
TEST_IDS = 1 << 39

# Addresses within (seed, id): the choice of a share reads stream CORRUPTION at a view that label noise does not read.
_SHARE_VIEW = 1
_GAUSSIAN_SLOT = 0
_ORDER_SLOT = 1
_SHUFFLE_VIEW = 1 << 40
# Images rendered at once: bounds the int64 words held to some 25 MB at 3 x 32 x 32.
_CHUNK = 1024
_WORDS = 2.0**32


@dataclass(frozen=True)
class PixelStatistics:
    """Moments of each channel on the scale 0 to 255.

    Attributes:
        mean: one number per channel.
        std: one number per channel, at least 0.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std) or not self.mean or min(self.std) < 0:
            raise ValueError(
                f"statistics must have a mean and a std >= 0 for each channel; got {self.mean} and {self.std}"
            )


def pixel_statistics(images: Tensor) -> PixelStatistics:
    """Mean and population standard deviation of each channel, from exact integer sums.

    Args:
        images: uint8 [N, C, H, W], N > 0.
    """
    _check_images(images)
    if images.numel() == 0:
        raise ValueError(f"images must hold at least one image; got shape {tuple(images.shape)}")
    mean, std = [], []
    for channel in range(images.shape[1]):
        counts = torch.bincount(images[:, channel].reshape(-1).long(), minlength=256).tolist()
        count = sum(counts)
        first = sum(value * n for value, n in enumerate(counts))
        second = sum(value * value * n for value, n in enumerate(counts))
        mean.append(first / count)
        std.append((second * count - first * first) ** 0.5 / count)
    return PixelStatistics(tuple(mean), tuple(std))


def clipped_statistics(statistics: PixelStatistics) -> PixelStatistics:
    """The moments that "gaussian" pixels have, after rounding and clipping, for the moments asked for.

    Exact, from the probability of each of the 256 values. For CIFAR-10 (means 114 to 125, deviations 62 to 67)
    clipping lowers the deviation by 4 to 6 % and moves the mean by less than 1.
    """
    mean, std = [], []
    values = torch.arange(256, dtype=torch.float64)
    for edges in _edges(statistics):
        probability = torch.cat([edges, edges.new_tensor([1.0])]).diff(prepend=edges.new_tensor([0.0]))
        first = float((probability * values).sum())
        mean.append(first)
        std.append(float((probability * (values - first) ** 2).sum()) ** 0.5)
    return PixelStatistics(tuple(mean), tuple(std))


def corrupt_inputs(
    images: Tensor,
    ids: Tensor,
    kind: str,
    *,
    share: float = 1.0,
    seed: int,
    statistics: PixelStatistics | None = None,
) -> tuple[Tensor, Tensor]:
    """Corrupts a share of the images.

    Args:
        images: uint8 [N, C, H, W] on the CPU; never changed.
        ids: int64 [N], the images' ids, in [0, 2^40).
        kind: one of `INPUT_CORRUPTIONS`.
        share: probability, in [0, 1], with which an image is corrupted; nested in it.
        seed: 0 <= seed < 2^64.
        statistics: moments of the whole training set, for "gaussian"; None takes those of `images`, which makes the
            result depend on which images are given.

    Returns:
        (images uint8 [N, C, H, W], is_corrupted bool [N]).

    Raises:
        TypeError: images that are not uint8.
        ValueError: an unknown kind, a share out of [0, 1], shapes or channels that do not fit, an id out of range.
    """
    _check_images(images)
    if kind not in INPUT_CORRUPTIONS:
        raise ValueError(f"kind must be one of {INPUT_CORRUPTIONS}; got {kind!r}")
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share must be in [0, 1]; got {share}")
    if ids.dim() != 1 or len(ids) != len(images):
        raise ValueError(f"ids must be int64 [{len(images)}] as images; got shape {tuple(ids.shape)}")
    corrupted = address.uniform(seed, ids, _SHARE_VIEW, Stream.CORRUPTION) < share
    if kind == "gaussian" and statistics is None and len(images):
        statistics = pixel_statistics(images)
    out = images.clone()
    chosen = corrupted.nonzero()[:, 0]
    for rows in chosen.split(_CHUNK):
        if kind == "gaussian":
            out[rows] = _gaussian(ids[rows], tuple(images.shape[1:]), seed, statistics)
        elif kind == "shuffled-pixels":
            out[rows] = _moved(
                images[rows], pixel_permutation(images.shape[2] * images.shape[3], seed).expand(len(rows), -1)
            )
        else:
            out[rows] = _moved(images[rows], pixel_permutations(ids[rows], images.shape[2] * images.shape[3], seed))
    return out, corrupted


def corrupted(
    bank: ImageBank, kind: str, *, share: float = 1.0, seed: int, ids: Tensor | None = None, split: str = "train"
) -> tuple[Tensor, Tensor]:
    """Images of a bank, a share of them corrupted with the training set's moments.

    Args:
        bank: the data.
        kind: one of `INPUT_CORRUPTIONS`.
        share: as for `corrupt_inputs`.
        seed: as for `corrupt_inputs`.
        ids: int64 [N], which images of the split; None: all.
        split: "train" or "test". Noise of a test image is not that of the training image with its number.

    Returns:
        (images uint8 [N, C, H, W], is_corrupted bool [N]).
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test'; got {split!r}")
    images = (bank.train if split == "train" else bank.test).images
    ids = torch.arange(len(images)) if ids is None else ids
    statistics = pixel_statistics(bank.train.images) if kind == "gaussian" else None
    offset = TEST_IDS if split == "test" else 0
    return corrupt_inputs(images[ids], ids + offset, kind, share=share, seed=seed, statistics=statistics)


def pixel_permutation(pixels: int, seed: int) -> Tensor:
    """The one permutation of "shuffled-pixels", int64 [pixels]: position p shows what stood at the p-th entry."""
    return address.permutation(seed, pixels, _SHUFFLE_VIEW, Stream.PIXELS)


def pixel_permutations(ids: Tensor, pixels: int, seed: int) -> Tensor:
    """The permutations of "random-pixels", int64 [N, pixels], each by sorting one 32-bit word per position.

    Two of 1,024 words are equal in one image of 8,000; they keep their order.
    """
    return address.words(seed, ids[:, None], torch.arange(pixels), Stream.PIXELS, _ORDER_SLOT).argsort(
        dim=1, stable=True
    )


def _gaussian(ids: Tensor, shape: tuple[int, int, int], seed: int, statistics: PixelStatistics) -> Tensor:
    """Inversion: a value is the number of edges that the word, as a number in [0, 1), has passed."""
    channels, height, width = shape
    if len(statistics.mean) != channels:
        raise ValueError(f"statistics must have {channels} channels as images; got {len(statistics.mean)}")
    words = address.words(seed, ids[:, None], torch.arange(channels * height * width), Stream.PIXELS, _GAUSSIAN_SLOT)
    words = words.reshape(len(ids), channels, height, width)
    out = torch.empty(words.shape, dtype=torch.uint8)
    for channel, edges in enumerate(_edges(statistics)):
        thresholds = (edges * _WORDS).round().long()
        out[:, channel] = torch.searchsorted(thresholds, words[:, channel].contiguous(), right=True).to(torch.uint8)
    return out


def _edges(statistics: PixelStatistics) -> list[Tensor]:
    """Per channel the probability that a rounded, clipped value is at most v, v = 0 ... 254, float64 [255]."""
    halves = torch.arange(255, dtype=torch.float64) + 0.5
    return [
        torch.special.ndtr((halves - mean) / std) if std > 0 else (halves > mean).double()
        for mean, std in zip(statistics.mean, statistics.std, strict=True)
    ]


def _moved(images: Tensor, order: Tensor) -> Tensor:
    flat = images.flatten(2)
    return flat.gather(2, order[:, None, :].expand(-1, flat.shape[1], -1)).reshape(images.shape)


def _check_images(images: Tensor) -> None:
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8 [N, C, H, W]; got {images.dtype}")
    if images.dim() != 4:
        raise ValueError(f"images must be uint8 [N, C, H, W]; got shape {tuple(images.shape)}")
