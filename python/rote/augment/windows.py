"""The window sizes that RandomResizedCrop can draw."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rote.augment.operation import Size

__all__ = ["crop_windows", "fallback_window"]


def crop_windows(image: Size, scale: tuple[float, float], ratio: tuple[float, float]) -> Iterator[tuple[int, int]]:
    """(height, width) of all windows within an image that a try draws with positive probability.

    A try takes x = sqrt(area ratio) and y = sqrt(area / ratio), so x y lies in the range of areas and x / y in that of
    ratios, and rounds both. In logarithms each of the four ranges, of x and y around a whole number and of the two
    combinations, is a strip of the plane. Four strips of four directions meet where every three of them do (Helly).
    """
    height, width = image
    total = (math.log(scale[0] * height * width), math.log(scale[1] * height * width))
    difference = (math.log(ratio[0]), math.log(ratio[1]))
    for w in range(1, width + 1):
        x = (math.log(w - 0.5), math.log(w + 0.5))
        for h in range(1, height + 1):
            y = (math.log(h - 0.5), math.log(h + 0.5))
            if (
                _meet((x[0] + y[0], x[1] + y[1]), total)
                and _meet((x[0] - y[1], x[1] - y[0]), difference)
                and _meet(((total[0] + difference[0]) / 2, (total[1] + difference[1]) / 2), x)
                and _meet(((total[0] - difference[1]) / 2, (total[1] - difference[0]) / 2), y)
            ):
                yield h, w


def _meet(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether two intervals share more than an end. A range of one number may lie inside the other."""
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return low < high or (low == high and (a[0] == a[1] or b[0] == b[1]))


def fallback_window(image: Size, ratio: tuple[float, float]) -> tuple[int, int]:
    """(height, width) of the central window that stands where all tries failed."""
    height, width = image
    if width / height < ratio[0]:
        return max(1, min(height, round(width / ratio[0]))), width
    if width / height > ratio[1]:
        return height, max(1, min(width, round(height * ratio[1])))
    return height, width
