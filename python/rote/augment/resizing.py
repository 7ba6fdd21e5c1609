"""Operations that resize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.operation import (
    MAX_EXTENT,
    Field,
    Operation,
    Size,
    choice,
    extents,
    number,
    pair,
    require,
    set_fields,
)

__all__ = ["RandomResizedCrop", "Resize"]

INTERPOLATIONS = ("nearest", "bilinear", "bicubic")


@dataclass(frozen=True)
class RandomResizedCrop(Operation):
    """Crops a random box and resizes it to the recipe's size.

    Up to ten tries: area = U(scale)·H·W, r = exp(U(log ratio)), width = round(sqrt(area·r)), height =
    round(sqrt(area/r)), ties to even; the first box that fits is placed uniformly. Failing all, the largest centred
    box of an admissible ratio. With probability 1 - p the box is the whole image. Then the box is resized, reading
    nothing outside of it, as `Resize` does.

    Source: torchvision.transforms.v2.RandomResizedCrop.

    Args:
        scale: range of the crop's area relative to the image's, 0 < lower <= upper <= 1.
        ratio: range of the crop's width / height, log-uniform; positive.
        interpolation: "nearest", "bilinear" or "bicubic"; see `Resize`.
        antialias: whether shrinking averages over all pixels; see `Resize`.
        p: probability of a random box.
    """

    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    interpolation: str = "bilinear"
    antialias: bool = True
    p: float = 1.0

    code: ClassVar[int] = 1
    kind: ClassVar[str] = "random_resized_crop"
    parameters: ClassVar[tuple[Field, ...]] = (
        Field("top", "int"),
        Field("left", "int"),
        Field("height", "int"),
        Field("width", "int"),
    )

    def __post_init__(self) -> None:
        scale = pair("RandomResizedCrop", "scale", self.scale, 0, 1)
        ratio = pair("RandomResizedCrop", "ratio", self.ratio, 0, 1e6)
        for name, value in (("scale", scale), ("ratio", ratio)):
            if value[0] <= 0:
                raise ValueError(f"RandomResizedCrop: {name} must be positive, got {value}")
        _check_filter(self)
        set_fields(self, scale=scale, ratio=ratio, p=number("RandomResizedCrop", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [*self.scale, *self.ratio, *_filter_constants(self), self.p]

    def output_size(self, image: Size, target: Size) -> Size:
        return target

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        for start, length, extent in (("top", "height", image[0]), ("left", "width", image[1])):
            first, count = values[start], values[length]
            require(
                (count >= 1) & (count <= extent), f"{prefix}.{length}", f"1 <= {length} <= {extent}, the image's", count
            )
            inside = (first >= 0) & (first + count <= extent)
            require(inside, f"{prefix}.{start}", f"a box inside the image: 0 <= {start} <= {extent} - {length}", first)


@dataclass(frozen=True)
class Resize(Operation):
    """Resizes the whole image, along x, then y.

    With s = in/out, output pixel d sits at c = (d + 1/2)·s - 1/2. "nearest" shows pixel floor(d·s) (s in float32, as
    torch computes it). "bilinear" and "bicubic" weigh pixel j by k((j - c) / r): k is the triangle max(0, 1 - |x|), or
    the cubic convolution kernel (a + 2)|x|^3 - (a + 3)|x|^2 + 1 for |x| <= 1, a|x|^3 - 5a|x|^2 + 8a|x| - 4a up to 2.
    With antialias, r = max(s, 1), a = -1/2, and the weights of the pixels there are add up to 1. Without, r = 1,
    a = -3/4, and pixels beyond the border repeat it. Bicubic overshoots [0, 1] beside edges, and nothing clamps it.

    Source: torchvision.transforms.v2.Resize (float32 images, torch's upsampling); R. Keys, Cubic convolution
    interpolation for digital image processing (1981).

    Args:
        size: (h, w), an int for the shorter side (the longer one in proportion, rounded down), or None for the
            recipe's size.
        interpolation: "nearest", "bilinear" or "bicubic".
        antialias: whether shrinking averages over all pixels; without effect on "nearest".
    """

    size: int | Size | None = None
    interpolation: str = "bilinear"
    antialias: bool = True

    code: ClassVar[int] = 10
    kind: ClassVar[str] = "resize"

    def __post_init__(self) -> None:
        _check_filter(self)
        set_fields(self, size=extents("Resize", "size", self.size))

    def constants(self) -> list[float]:
        height, width = (self.size, 0) if isinstance(self.size, int) else self.size or (0, 0)
        return [float(height), float(width), *_filter_constants(self)]

    def output_size(self, image: Size, target: Size) -> Size:
        if not isinstance(self.size, int):
            return target if self.size is None else self.size
        shorter, longer = min(image), self.size * max(image) // min(image)
        if longer > MAX_EXTENT:
            raise ValueError(
                f"Resize: size {self.size} makes an image of {image[0]} x {image[1]} {longer} pixels long; wanted at "
                f"most {MAX_EXTENT}"
            )
        return (self.size, longer) if image[0] == shorter else (longer, self.size)


def _check_filter(operation: RandomResizedCrop | Resize) -> None:
    owner = type(operation).__name__
    choice(owner, "interpolation", operation.interpolation, INTERPOLATIONS)
    if not isinstance(operation.antialias, bool):
        raise TypeError(f"{owner}: antialias must be True or False, got {operation.antialias!r}")


def _filter_constants(operation: RandomResizedCrop | Resize) -> list[float]:
    return [float(INTERPOLATIONS.index(operation.interpolation)), float(operation.antialias)]
