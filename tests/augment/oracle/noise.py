"""Erasing, cutout and noise in float64 (but a word becomes a float32 uniform number, as the page says)."""

from __future__ import annotations

import numpy as np

from rote.augment import Cutout, GaussianNoise, RandomErasing


def philox(block: np.ndarray, channel: int, key: int) -> list[np.ndarray]:
    """Four words, uint64 below 2^32, at the counters (block, channel, 0, 0) under a signed 64-bit key."""
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    words = [block.astype(np.uint64), np.full(block.shape, channel, np.uint64)]
    words += [np.zeros(block.shape, np.uint64) for _ in range(2)]
    k0, k1 = key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF
    for _ in range(10):
        first, second = words[0] * np.uint64(0xD2511F53), words[2] * np.uint64(0xCD9E8D57)
        words = [
            second >> shift ^ words[1] ^ np.uint64(k0),
            second & low,
            first >> shift ^ words[3] ^ np.uint64(k1),
            first & low,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return words


def normals(key: int, channel: int, count: int) -> np.ndarray:
    """float64 [count]: the first normals of a channel (docs/addressing.md, "Noise")."""
    words = philox(np.arange(-(-count // 64) * 16), channel, key)
    tiles = np.stack([*_pair(words[0], words[1]), *_pair(words[2], words[3])])  # [4, 16 tiles]
    return tiles.reshape(4, -1, 16).transpose(1, 0, 2).reshape(-1)[:count]


def _pair(word: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    uniform = word.astype(np.float32) * np.float32(2.0**-32) + np.float32(2.0**-33)
    radius = np.sqrt(-2 * np.log(uniform.astype(np.float64)))
    angle = (turn % (1 << 29)).astype(np.float64) * 2.0**-29 * np.pi / 4
    swapped = (turn >> np.uint64(29)) % 2 == 1
    signs = [1 - 2.0 * ((turn >> np.uint64(bit)) % 2) for bit in (31, 30)]
    cosine, sine = np.cos(angle), np.sin(angle)
    return radius * signs[0] * np.where(swapped, sine, cosine), radius * signs[1] * np.where(swapped, cosine, sine)


def box_values(operation: RandomErasing, p: dict, channels: int) -> np.ndarray:
    """[channels, height, width] or [channels, 1, 1]: what a box is filled with."""
    if operation.value != "random":
        return np.array(operation.value)[:channels, None, None]
    shape = (p["height"], p["width"])
    return np.stack([normals(p["key"], c, shape[0] * shape[1]).reshape(shape) for c in range(channels)])


def erase(operation: RandomErasing, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    if not p["applied"]:
        return x
    x = x.copy()
    rows, columns = (slice(p[a], p[a] + p[b]) for a, b in (("top", "height"), ("left", "width")))
    x[:, rows, columns] = box_values(operation, p, len(x))
    return x


def cutout(operation: Cutout, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    if not p["applied"]:
        return x
    rows, columns = (np.arange(n)[:, None] for n in x.shape[1:])
    inside = (rows >= p["top"]) & (rows < p["top"] + operation.size[0])
    inside = inside & ((columns >= p["left"]) & (columns < p["left"] + operation.size[1])).T
    return np.where(inside, np.array(operation.value)[: len(x), None, None], x)


def image_normals(key: int, shape: tuple[int, int, int]) -> np.ndarray:
    return np.stack([normals(key, c, shape[1] * shape[2]).reshape(shape[1:]) for c in range(shape[0])])


def gaussian_noise(operation: GaussianNoise, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    if not p["applied"]:
        return x
    x = x + (operation.mean + operation.sigma * image_normals(p["key"], x.shape))
    return np.clip(x, 0, 1) if operation.clip else x


APPLY = {RandomErasing: erase, Cutout: cutout, GaussianNoise: gaussian_noise}
