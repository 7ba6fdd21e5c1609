"""The pictures of `sensitivity`: grey and small, so that the whole training can be differentiated."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from rote.data import ImageBank, Split

# Luma of ITU-R BT.601, in thousandths.
_LUMA = (299, 587, 114)


def small_grey(bank: ImageBank, side: int) -> ImageBank:
    """The data set in grey at side x side pixels.

    A pixel is the area-weighted mean of the luma (.299 R + .587 G + .114 B) it covers, rounded once, half up; all in
    integers, so that every machine has the same bytes.

    Args:
        bank: the data set.
        side: pixels, at most the smaller side of its images.

    Raises:
        ValueError: a side that is larger, or below 1.
    """
    if not 1 <= side <= min(bank.image_size):
        raise ValueError(
            f"--side must be in [1, {min(bank.image_size)}], the images of {bank.name} being "
            f"{bank.image_size[0]} x {bank.image_size[1]}; got {side}"
        )
    return dataclasses.replace(
        bank,
        train=Split(_shrunken(bank.train.images, side), bank.train.labels),
        test=Split(_shrunken(bank.test.images, side), bank.test.labels),
        source={**bank.source, "grey": f"area-weighted luma of BT.601 at {side} x {side} pixels"},
    )


def _shrunken(images: Tensor, side: int) -> Tensor:
    """uint8 [N, C, H, W] -> uint8 [N, 1, side, side]."""
    channels, height, width = images.shape[1:]
    weights = torch.tensor(_LUMA if channels == 3 else (sum(_LUMA),), device=images.device)
    rows, columns = (_overlaps(length, side).to(images.device) for length in (height, width))
    total = sum(_LUMA) * height * width
    parts = []
    for part in images.split(4096):
        grey = (part.long() * weights[:, None, None]).sum(1)
        small = torch.einsum("ah,nhw,bw->nab", rows, grey, columns)
        parts.append(torch.div(2 * small + total, 2 * total, rounding_mode="floor").to(torch.uint8)[:, None])
    return torch.cat(parts) if parts else images.new_zeros((0, 1, side, side))


def _overlaps(length: int, side: int) -> Tensor:
    """int64 [side, length]: what of each pixel lies in each new one, in parts of 1 / side; rows sum to length."""
    new, old = torch.arange(side)[:, None] * length, torch.arange(length)[None, :] * side
    return (torch.minimum(new + length, old + side) - torch.maximum(new, old)).clamp(min=0)
