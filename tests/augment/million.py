"""A million views of 64 images that need no data set, and the hash of their pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping

import torch

from rote import address
from rote.augment import Recipe
from rote.augment.description import SEMANTICS_VERSION

IMAGES, SIDE, CHUNK = 64, 32, 1024
SEED = 2210_14019
MILLION = 1_000_000

Render = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def bank() -> torch.Tensor:
    """uint8 [64, 3, 32, 32]: flat blocks, blocks under noise, noise, a grey one, a black one, a white one."""
    images = torch.arange(IMAGES)[:, None]
    pixels = torch.arange(3 * SIDE * SIDE)[None]
    noise = address.integers(SEED, images, pixels, 0xFFFE, 256).view(IMAGES, 3, SIDE, SIDE)
    coarse = address.integers(SEED, images, pixels[:, :48], 0xFFFF, 256).view(IMAGES, 3, 4, 4)
    blocks = coarse.repeat_interleave(SIDE // 4, 2).repeat_interleave(SIDE // 4, 3)
    kind = torch.arange(IMAGES).view(-1, 1, 1, 1) % 3
    mixed = torch.where(kind == 0, blocks, torch.where(kind == 1, (7 * blocks + noise) // 8, noise))
    mixed[0], mixed[1], mixed[2] = 0, 255, mixed[2, :1].clone()
    return mixed.to(torch.uint8)


def addresses(count: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """ids and views, 1024 at a time: the images in turn, views over the whole range of 48 bits, all different."""
    for begin in range(0, count, CHUNK):
        at = torch.arange(begin, min(begin + CHUNK, count))
        yield at % IMAGES, (at // IMAGES * 0x9E3779B97F4B) % (1 << 48)


def digest(renders: Mapping[str, Render], images: torch.Tensor, count: int, device: str = "cpu") -> str:
    """SHA-256 of the first `count` views' bytes, in memory order, after every executor gave the same ones.

    Args:
        renders: (images, ids, views) -> views, by executor.

    Raises:
        AssertionError: an executor gave other bits than the first; names it and the first view that differs.
    """
    hasher = hashlib.sha256()
    for ids, views in addresses(count):
        first = None
        for executor, render in renders.items():
            x = memory_of(render(images, ids.to(device), views.to(device)).cpu())
            if first is None:
                first = x
            elif not torch.equal(x, first):
                at = int((x != first).any(1).nonzero()[0])
                raise AssertionError(
                    f"{executor} differs from {next(iter(renders))}: image {ids[at]}, view {views[at]}"
                )
        hasher.update(first.numpy())
    return hasher.hexdigest()


def memory_of(x: torch.Tensor) -> torch.Tensor:
    """The bytes of views [n, C, h, w] as they lie in memory, uint8 [n, bytes of a view]."""
    if x.is_contiguous(memory_format=torch.channels_last):
        x = x.permute(0, 2, 3, 1)
    return x.reshape(len(x), -1).view(torch.uint8)


def meaning(recipe: Recipe) -> str:
    """What a stored hash of pixels holds for: the program, the size and the version of what they mean."""
    return f"v{SEMANTICS_VERSION} {recipe.size or 'own size'} {recipe.program}"
