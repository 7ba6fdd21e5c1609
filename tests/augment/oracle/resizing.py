"""Resizes in float64."""

from __future__ import annotations

import numpy as np

from rote.augment import RandomResizedCrop, Resize


def resized_crop(operation: RandomResizedCrop, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    return resized(operation, x[:, p["top"] : p["top"] + p["height"], p["left"] : p["left"] + p["width"]], size)


def resize(operation: Resize, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    if isinstance(operation.size, int):
        shorter, longer = operation.size, operation.size * max(x.shape[1:]) // min(x.shape[1:])
        size = (shorter, longer) if x.shape[1] <= x.shape[2] else (longer, shorter)
    return resized(operation, x, operation.size if isinstance(operation.size, tuple) else size)


def resized(operation: RandomResizedCrop | Resize, x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    matrices = [weights(operation, extent, out) for extent, out in zip(x.shape[1:], size, strict=True)]
    return matrices[0] @ x @ matrices[1].T


def weights(operation: RandomResizedCrop | Resize, extent: int, out: int) -> np.ndarray:
    """[out, extent]: the filter, the rows of which sum to 1."""
    if operation.interpolation == "nearest":
        scale = np.float32(extent) / np.float32(out)
        return np.eye(extent)[np.floor(np.arange(out, dtype=np.float32) * scale).astype(int).clip(0, extent - 1)]
    bicubic = operation.interpolation == "bicubic"
    centre = extent / out * (np.arange(out)[:, None] + 0.5) - 0.5
    if operation.antialias:
        distance = (np.arange(extent)[None, :] - centre) / max(extent / out, 1.0)
        values = cubic(distance, -0.5) if bicubic else triangle(distance)
        return values / values.sum(axis=1, keepdims=True)
    values = np.zeros((out, extent))
    for j in range(-3, extent + 3):  # pixels beyond the border repeat it
        values[:, np.clip(j, 0, extent - 1)] += (cubic(j - centre, -0.75) if bicubic else triangle(j - centre))[:, 0]
    return values


def triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(x))


def cubic(x: np.ndarray, a: float) -> np.ndarray:
    x = np.abs(x)
    inner = (a + 2) * x**3 - (a + 3) * x**2 + 1
    outer = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.where(x <= 1, inner, np.where(x < 2, outer, 0.0))


APPLY = {RandomResizedCrop: resized_crop, Resize: resize}
