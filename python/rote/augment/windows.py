"""The boxes that area-and-ratio samplers draw: RandomResizedCrop's windows, RandomErasing's boxes."""

from __future__ import annotations

import math

from rote.augment.operation import Size

__all__ = ["fallback_window", "rounded_boxes"]

Range = tuple[float, float]


def rounded_boxes(image: Size, scale: Range, ratio: Range) -> set[Size]:
    """All (height, width) that a try draws with positive probability, larger than the image or not.

    A try takes width = sqrt(area ratio) and height = sqrt(area / ratio), so that their product lies in the range of
    areas and their quotient in that of ratios, and rounds both. In logarithms each of the four ranges, of either side
    around a whole number and of the two combinations, is a strip of the plane; four strips of four directions meet
    where every three of them do (Helly).
    """
    area = (_log(scale[0] * image[0] * image[1]), _log(scale[1] * image[0] * image[1]))
    quotient = (_log(ratio[0]), _log(ratio[1]))
    if area[1] == -math.inf:
        return {(0, 0)}
    widest, highest = ((area[1] + q) / 2 for q in (quotient[1], -quotient[0]))
    boxes = set()
    for w in range(math.ceil(math.exp(widest)) + 1):
        x = (_log(w - 0.5), _log(w + 0.5))
        for h in range(math.ceil(math.exp(highest)) + 1):
            y = (_log(h - 0.5), _log(h + 0.5))
            if (
                _meet((x[0] + y[0], x[1] + y[1]), area)
                and _meet((x[0] - y[1], x[1] - y[0]), quotient)
                and _meet(((area[0] + quotient[0]) / 2, (area[1] + quotient[1]) / 2), x)
                and _meet(((area[0] - quotient[1]) / 2, (area[1] - quotient[0]) / 2), y)
            ):
                boxes.add((h, w))
    return boxes


def fallback_window(image: Size, ratio: Range) -> Size:
    """(height, width) of the central window that stands where all tries for a crop failed."""
    height, width = image
    if width / height < ratio[0]:
        return max(1, min(height, round(width / ratio[0]))), width
    if width / height > ratio[1]:
        return height, max(1, min(width, round(height * ratio[1])))
    return height, width


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _meet(a: Range, b: Range) -> bool:
    """Whether two intervals share more than an end; one that is a single number may lie in the other."""
    low, high = max(a[0], b[0]), min(a[1], b[1])
    return low < high or (low == high and (a[0] == a[1] or b[0] == b[1]))
