"""What a recipe means, in float64 numpy: one image, one parameter row, one operation after another.

Written from the formulas in the docstrings of `rote.augment`, not from the native core.
"""

from __future__ import annotations

import math

import numpy as np

from rote.augment import (
    ColorJitter,
    Grayscale,
    HorizontalFlip,
    Normalize,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    Recipe,
)

GREY = np.array([0.2989, 0.587, 0.114])


def render(recipe: Recipe, image: np.ndarray, row: dict, size: tuple[int, int]) -> np.ndarray:
    """float64 [C, h, w] of a uint8 image [C, H, W] under one row of `recipe.params` (scalars by column name)."""
    x = image.astype(np.float64) / 255
    for operation, p in operations_with_parameters(recipe, row):
        x = APPLY[type(operation)](operation, x, p, size)
    return x


def operations_with_parameters(recipe: Recipe, row: dict):
    """Each operation with its own fields of a row."""
    seen: dict[str, int] = {}
    for operation in recipe.operations:
        seen[operation.kind] = seen.get(operation.kind, 0) + 1
        prefix = operation.kind if seen[operation.kind] == 1 else f"{operation.kind}#{seen[operation.kind]}"
        yield operation, {field.name: row[f"{prefix}.{field.name}"] for field in operation.parameters}


def rows_of(params: dict) -> list[dict]:
    """The rows of `recipe.params(...)` of shape [B] as dicts of Python numbers (lists for an order)."""
    count = len(next(iter(params.values())))
    return [{name: values[i].tolist() for name, values in params.items()} for i in range(count)]


# Geometry ------------------------------------------------------------------------------------------------------------


def resized_crop(operation: RandomResizedCrop, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    crop = x[:, p["top"] : p["top"] + p["height"], p["left"] : p["left"] + p["width"]]
    return triangle_weights(p["height"], size[0]) @ crop @ triangle_weights(p["width"], size[1]).T


def triangle_weights(extent: int, out: int) -> np.ndarray:
    """[out, extent]: the antialiased bilinear filter, the rows of which sum to 1."""
    scale = extent / out
    support = max(scale, 1.0)
    centre = scale * (np.arange(out)[:, None] + 0.5)
    weights = np.maximum(0, 1 - np.abs(np.arange(extent)[None, :] + 0.5 - centre) / support)
    return weights / weights.sum(axis=1, keepdims=True)


def random_crop(operation: RandomCrop, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    margin = operation.padding
    widths = ((0, 0), (margin, margin), (margin, margin))
    if operation.padding_mode == "constant":
        padded = np.pad(x, widths, constant_values=operation.fill)
    else:
        padded = np.pad(x, widths, mode=operation.padding_mode)
    return padded[:, p["top"] : p["top"] + size[0], p["left"] : p["left"] + size[1]]


def flip(operation: HorizontalFlip, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    return x[:, :, ::-1] if p["applied"] else x


def source_coordinates(p: dict, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each output pixel reads: (x, y) in pixel indices, by the inverse of T·C·R·S·Shy·Shx·C^-1."""
    a, sx, sy = (math.radians(p[name]) for name in ("angle", "shear_x", "shear_y"))
    rotation = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    shear_y = np.array([[1, 0], [-math.tan(sy), 1]])
    shear_x = np.array([[1, -math.tan(sx)], [0, 1]])
    inverse = np.linalg.inv(rotation @ shear_y @ shear_x * p["scale"])
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    offset = np.stack([x - p["translate_x"], y - p["translate_y"]])
    source = np.einsum("ij,jhw->ihw", inverse, offset)
    return source[0] + (width - 1) / 2, source[1] + (height - 1) / 2


def affine(operation: RandomAffine, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    height, width = x.shape[1:]
    u, v = source_coordinates(p, height, width)

    def tap(column, row):
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return x[:, row.clip(0, height - 1), column.clip(0, width - 1)] * inside, inside.astype(float)

    if operation.interpolation == "nearest":
        values, inside = tap(np.floor(u + 0.5).astype(int), np.floor(v + 0.5).astype(int))
        return np.where(inside > 0, values, operation.fill)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    values, covered = 0.0, 0.0
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (1 - np.abs(u - left - dx)) * (1 - np.abs(v - top - dy))
            value, inside = tap(left + dx, top + dy)
            values, covered = values + weight * value, covered + weight * inside
    return (values - operation.fill) * covered + operation.fill


# Colour --------------------------------------------------------------------------------------------------------------


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
    p, q, t = high * (1 - saturation), high * (1 - saturation * rest), high * (1 - saturation * (1 - rest))
    choices = {"r": (high, q, p, p, t, high), "g": (t, high, high, q, p, p), "b": (p, p, t, high, high, q)}
    return np.stack([np.choose(sector.astype(int) % 6, choices[channel]) for channel in "rgb"])


def jitter(operation: ColorJitter, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    if not p["applied"]:
        return x
    for which in p["order"]:
        if which == 0:
            x = np.clip(p["brightness"] * x, 0, 1)
        elif which == 1:
            x = blend(x, grey(x).mean(), p["contrast"])
        elif which == 2 and len(x) == 3:
            x = blend(x, grey(x), p["saturation"])
        elif which == 3 and len(x) == 3:
            x = adjust_hue(x, p["hue"])
    return x


def grayscale(operation: Grayscale, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    return np.broadcast_to(grey(x), x.shape) if p["applied"] else x


def normalize(operation: Normalize, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    mean, std = (np.array(v)[: len(x), None, None] for v in (operation.mean, operation.std))
    return (x - mean) / std


APPLY = {
    RandomResizedCrop: resized_crop,
    RandomCrop: random_crop,
    HorizontalFlip: flip,
    RandomAffine: affine,
    ColorJitter: jitter,
    Grayscale: grayscale,
    Normalize: normalize,
}
