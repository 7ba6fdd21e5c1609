"""RandAugment in float64, operation by operation."""

from __future__ import annotations

import math

import numpy as np

from rote.augment import RandAugment

from . import tone
from .color import blend, grey

NAMES = RandAugment.operations


def source_coordinates(name: str, magnitude: float, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each output pixel of a map reads: (x, y) in pixel indices."""
    y, x = np.meshgrid(np.arange(height, dtype=float), np.arange(width, dtype=float), indexing="ij")
    if name == "shear_x":
        return x + magnitude * (y + 0.5), y
    if name == "shear_y":
        return x, y + magnitude * (x + 0.5)
    if name == "translate_x":
        return x - magnitude, y
    if name == "translate_y":
        return x, y - magnitude
    turn = math.radians(magnitude)
    x0, y0 = (width - 1) / 2, (height - 1) / 2
    return (
        x0 + math.cos(turn) * (x - x0) - math.sin(turn) * (y - y0),
        y0 + math.sin(turn) * (x - x0) + math.cos(turn) * (y - y0),
    )


MAPS = NAMES[1:6]


def apply_map(x: np.ndarray, name: str, magnitude: float, interpolation: str, fill: float) -> np.ndarray:
    height, width = x.shape[1:]
    u, v = source_coordinates(name, magnitude, height, width)

    def tap(column, row):
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return x[:, row.clip(0, height - 1), column.clip(0, width - 1)] * inside, inside.astype(float)

    if interpolation == "nearest":
        values, inside = tap(np.floor(u + 0.5).astype(int), np.floor(v + 0.5).astype(int))
        return np.where(inside > 0, values, fill)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    values, covered = 0.0, 0.0
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (1 - np.abs(u - left - dx)) * (1 - np.abs(v - top - dy))
            value, inside = tap(left + dx, top + dy)
            values, covered = values + weight * value, covered + weight * inside
    return (values - fill) * covered + fill


def apply_one(operation: RandAugment, x: np.ndarray, number: int, magnitude: float) -> np.ndarray:
    name, factor = NAMES[number], 1 + magnitude
    if name in MAPS:
        return apply_map(x, name, magnitude, operation.interpolation, operation.fill)
    return {
        "identity": lambda: x,
        "brightness": lambda: np.clip(factor * x, 0, 1),
        "color": lambda: x if len(x) == 1 else blend(x, grey(x), factor),
        "contrast": lambda: blend(x, grey(x).mean(), factor),
        "sharpness": lambda: tone.sharpen(x, factor),
        "posterize": lambda: tone.posterize(x, int(magnitude)),
        "solarize": lambda: tone.solarize(x, magnitude),
        "auto_contrast": lambda: tone.auto_contrast(x),
        "equalize": lambda: tone.equalize(x),
    }[name]()


def one_decided(operation: RandAugment, x: np.ndarray, number: int, magnitude: float) -> np.ndarray | bool:
    name = NAMES[number]
    if name in MAPS and operation.interpolation == "nearest":
        coordinates = source_coordinates(name, magnitude, *x.shape[1:])
        return np.all([np.abs(c + 0.5 - np.round(c + 0.5)) > 1e-3 for c in coordinates], axis=0)
    if name == "posterize":
        return tone.posterize_decided(x, int(magnitude))
    if name == "solarize":
        return tone.solarize_decided(x, magnitude)
    return tone.equalize_decided(x) if name == "equalize" else True


def places(operation: RandAugment, p: dict) -> list[tuple[int, float]]:
    """(operation number, magnitude) of each place of a row."""
    if operation.num_ops == 1:
        return [(p["operation"], p["magnitude"])]
    return list(zip(p["operation"], p["magnitude"], strict=True))


def rand_augment(operation: RandAugment, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    for number, magnitude in places(operation, p):
        x = apply_one(operation, x, number, magnitude)
    return x


def decided(operation: RandAugment, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray | bool:
    """For one operation. A pixel that is undecided in one place is followed nowhere in the next."""
    [(number, magnitude)] = places(operation, p)
    return one_decided(operation, x, number, magnitude)


APPLY = {RandAugment: rand_augment}
DECIDED = {RandAugment: decided}
