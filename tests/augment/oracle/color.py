"""Colour operations in float64."""

from __future__ import annotations

import numpy as np

from rote.augment import ColorJitter, Grayscale, Normalize

GREY = np.array([0.2989, 0.587, 0.114])


def grey(x: np.ndarray) -> np.ndarray:
    return x[0] if len(x) == 1 else np.tensordot(GREY, x, axes=1)


def blend(a: np.ndarray, b: np.ndarray | float, factor: float) -> np.ndarray:
    return np.clip(factor * a + (1 - factor) * b, 0, 1)


def adjust_hue(x: np.ndarray, turns: float) -> np.ndarray:
    high, low = x.max(axis=0), x.min(axis=0)
    chroma = high - low
    safe = np.where(chroma == 0, 1, chroma)
    r, g, b = (high - x) / safe
    hue = np.where(high == x[0], b - g, np.where(high == x[1], 2 + r - b, 4 + g - r))
    hue = (hue / 6 + turns) % 1.0
    saturation = np.where(high == 0, 0, chroma / np.where(high == 0, 1, high))
    sector = np.floor(6 * hue)
    rest = 6 * hue - sector
    p, q, t = (np.clip(high * (1 - saturation * part), 0, 1) for part in (1, rest, 1 - rest))
    choices = {"r": (high, q, p, p, t, high), "g": (t, high, high, q, p, p), "b": (p, p, t, high, high, q)}
    return np.stack([np.choose(sector.astype(int) % 6, choices[channel]) for channel in "rgb"])


def jitter(operation: ColorJitter, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    if not p["applied"]:
        return x
    for which in p["order"]:
        if which == 0 and p["brightness"] != 1:
            x = np.clip(p["brightness"] * x, 0, 1)
        elif which == 1 and p["contrast"] != 1:
            x = blend(x, grey(x).mean(), p["contrast"])
        elif which == 2 and len(x) == 3 and p["saturation"] != 1:
            x = blend(x, grey(x), p["saturation"])
        elif which == 3 and len(x) == 3 and p["hue"] != 0:
            x = adjust_hue(x, p["hue"])
    return x


def grayscale(operation: Grayscale, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    return np.broadcast_to(grey(x), x.shape) if p["applied"] else x


def normalize(operation: Normalize, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    mean, std = (np.array(v)[: len(x), None, None] for v in (operation.mean, operation.std))
    return (x - mean) / std


APPLY = {ColorJitter: jitter, Grayscale: grayscale, Normalize: normalize}
