"""rote/metrics/search_noise.py: the noise of adversarial searches, by address."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rote.address import Stream, words

_PIXEL_BITS = 24


def normal_noise(seed: int, ids: Tensor, iteration: int, like: Tensor) -> Tensor:
    """Standard normal numbers of the shape, type and device of `like`, functions of (seed, id, iteration, pixel).

    Box and Muller's method: of the words u, v of an even pixel and the odd one after it (views iteration * 2^24 + pixel
    of the stream SEARCH) come sqrt(-2 log u) times the cosine and the sine of 2 pi v.

    Args:
        seed: 0 <= seed < 2^64.
        ids: int64 [B], 0 <= id < 2^40.
        iteration: of the search, 0 <= iteration < 2^16; views from 2^40 on are other draws of the stream.
        like: float [B, ...], fewer than 2^24 pixels each.

    Raises:
        ValueError: samples of more pixels.
    """
    pixels = like[0].numel()
    pairs = (pixels + 1) // 2
    if 2 * pairs >= 1 << _PIXEL_BITS:
        raise ValueError(f"samples must have fewer than 2^{_PIXEL_BITS} pixels; got {pixels}")
    views = (iteration << _PIXEL_BITS) + torch.arange(2 * pairs)
    drawn = words(seed, ids[:, None], views[None, :], Stream.SEARCH).to(like.device).view(len(ids), pairs, 2)
    uniform = (drawn.double() + 0.5) * 2.0**-32
    length = uniform[..., 0].log().mul_(-2).sqrt_()
    angle = uniform[..., 1] * (2 * math.pi)
    both = torch.stack((length * angle.cos(), length * angle.sin()), dim=2)
    return both.view(len(ids), 2 * pairs)[:, :pixels].reshape(like.shape).to(like.dtype)
