"""Crops and flips in float64."""

from __future__ import annotations

import numpy as np

from rote.augment import AlternatingFlip, CenterCrop, HorizontalFlip, RandomCrop, VerticalFlip


def random_crop(operation: RandomCrop, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    margin = operation.padding
    widths = ((0, 0), (margin, margin), (margin, margin))
    if operation.padding_mode == "constant":
        padded = np.pad(x, widths, constant_values=operation.fill)
    else:
        padded = np.pad(x, widths, mode=operation.padding_mode)
    return padded[:, p["top"] : p["top"] + size[0], p["left"] : p["left"] + size[1]]


def center_crop(operation: CenterCrop, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    size = operation.size or size
    for axis, wanted in ((1, size[0]), (2, size[1])):
        given = x.shape[axis]
        before = max(wanted - given, 0) // 2
        widths = [(0, 0)] * 3
        widths[axis] = (before, max(wanted - given, 0) - before)
        start = round(max(given - wanted, 0) / 2)
        x = np.take(np.pad(x, widths), range(start, start + wanted), axis=axis)
    return x


def vertical_flip(operation: VerticalFlip, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    return x[:, ::-1] if p["applied"] else x


def horizontal_flip(
    operation: HorizontalFlip | AlternatingFlip, x: np.ndarray, p: dict, size: tuple[int, int]
) -> np.ndarray:
    return x[:, :, ::-1] if p["applied"] else x


APPLY = {
    RandomCrop: random_crop,
    CenterCrop: center_crop,
    HorizontalFlip: horizontal_flip,
    AlternatingFlip: horizontal_flip,
    VerticalFlip: vertical_flip,
}
