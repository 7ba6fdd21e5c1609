"""Affine maps and rotations in float64."""

from __future__ import annotations

import math

import numpy as np

from rote.augment import RandomAffine, RandomRotation


def source_coordinates(p: dict, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each output pixel reads: (x, y) in pixel indices, by the inverse of T·C·R·S·Shy·Shx·C^-1. A rotation is
    the map of the negative angle."""
    if "scale" not in p:
        p = {"angle": -p["angle"], "translate_x": 0, "translate_y": 0, "scale": 1, "shear_x": 0, "shear_y": 0}
    a, sx, sy = (math.radians(p[name]) for name in ("angle", "shear_x", "shear_y"))
    rotation = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    shear_y = np.array([[1, 0], [-math.tan(sy), 1]])
    shear_x = np.array([[1, -math.tan(sx)], [0, 1]])
    inverse = np.linalg.inv(rotation @ shear_y @ shear_x * p["scale"])
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    offset = np.stack([x - p["translate_x"], y - p["translate_y"]])
    source = np.einsum("ij,jhw->ihw", inverse, offset)
    return source[0] + (width - 1) / 2, source[1] + (height - 1) / 2


def moves_nothing(p: dict) -> bool:
    if "scale" not in p:
        return p["angle"] % 360 == 0
    return p["scale"] == 1 and not any(p[name] for name in p if name != "scale")


def affine(operation: RandomAffine | RandomRotation, x: np.ndarray, p: dict, size: tuple[int, int]) -> np.ndarray:
    if moves_nothing(p):
        return x
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


def decided(
    operation: RandomAffine | RandomRotation, x: np.ndarray, p: dict, size: tuple[int, int]
) -> np.ndarray | bool:
    """Where nearest-neighbour coordinates are no closer than 1e-3 to a tie."""
    if operation.interpolation != "nearest" or moves_nothing(p):
        return True
    clear = np.ones(x.shape[1:], dtype=bool)
    for coordinate in source_coordinates(p, *x.shape[1:]):
        clear &= np.abs(coordinate + 0.5 - np.round(coordinate + 0.5)) > 1e-3
    return clear


APPLY = {RandomAffine: affine, RandomRotation: affine}
DECIDED = {RandomAffine: decided, RandomRotation: decided}
