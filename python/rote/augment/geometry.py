"""Operations that move pixels: crops, flips, affine maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.operation import Field, Operation, Size, choice, number, pair, require, set_fields

__all__ = ["HorizontalFlip", "RandomAffine", "RandomCrop", "RandomResizedCrop"]

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")
INTERPOLATIONS = ("nearest", "bilinear")


@dataclass(frozen=True)
class RandomResizedCrop(Operation):
    """Crops a random box and resizes it to the recipe's size, bilinear.

    Up to ten tries: area = U(scale)·H·W, r = exp(U(log ratio)), width = round(sqrt(area·r)), height =
    round(sqrt(area/r)), ties to even; the first box that fits is placed uniformly. Failing all, the largest centred
    box of an admissible ratio. An output pixel is then the mean of the crop's pixels j under a triangle of half width
    max(in/out, 1) around (dst + 0.5)·in/out - 0.5, along x, then y: plain bilinear interpolation where the crop is no
    larger than the output, antialiased where it shrinks. Nothing outside the crop is read.

    Source: torchvision.transforms.v2.RandomResizedCrop(antialias=True).

    Args:
        scale: range of the crop's area relative to the image's, 0 < lower <= upper <= 1.
        ratio: range of the crop's width / height, log-uniform; positive.
    """

    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

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
        set_fields(self, scale=scale, ratio=ratio)

    def constants(self) -> list[float]:
        return [*self.scale, *self.ratio, 1.0, 1.0, 1.0]

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
class RandomCrop(Operation):
    """Pads all four sides, then cuts the recipe's size at a uniform integer position.

    top ~ U{0, ..., H + 2·padding - h}, left alike; the identity is top = left = padding.
    Source: torchvision.transforms.v2.RandomCrop.

    Args:
        padding: pixels added on each side, an int.
        padding_mode: "constant", "edge" (repeats the border), "reflect" (mirrors without the border, needs
            padding < H, W) or "symmetric" (mirrors with the border, needs padding <= H, W).
        fill: value of the constant padding in [0, 1] pixel units (or normalized ones behind a `Normalize`).
    """

    padding: int = 0
    padding_mode: str = "constant"
    fill: float = 0.0

    code: ClassVar[int] = 2
    kind: ClassVar[str] = "random_crop"
    parameters: ClassVar[tuple[Field, ...]] = (Field("top", "int"), Field("left", "int"))

    def __post_init__(self) -> None:
        if isinstance(self.padding, bool) or not isinstance(self.padding, int):
            raise TypeError(f"RandomCrop: padding must be an int, got {self.padding!r}")
        if self.padding < 0:
            raise ValueError(f"RandomCrop: padding must be at least 0, got {self.padding}")
        choice("RandomCrop", "padding_mode", self.padding_mode, PADDING_MODES)
        set_fields(self, fill=number("RandomCrop", "fill", self.fill))

    def constants(self) -> list[float]:
        return [float(self.padding), float(PADDING_MODES.index(self.padding_mode)), self.fill, 1.0]

    def output_size(self, image: Size, target: Size) -> Size:
        slack = {"reflect": 1, "symmetric": 0}.get(self.padding_mode)
        if slack is not None and self.padding > min(image) - slack:
            raise ValueError(
                f"RandomCrop: {self.padding_mode} padding must be at most {min(image) - slack} for an image of "
                f"{image[0]} x {image[1]}, got {self.padding}"
            )
        if any(t > i + 2 * self.padding for t, i in zip(target, image, strict=True)):
            raise ValueError(
                f"RandomCrop: cannot cut {target[0]} x {target[1]} from an image of {image[0]} x {image[1]} padded by "
                f"{self.padding}"
            )
        return target

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        for name, extent, wanted in (("top", image[0], target[0]), ("left", image[1], target[1])):
            last = extent + 2 * self.padding - wanted
            given = values[name]
            require(
                (given >= 0) & (given <= last), f"{prefix}.{name}", f"0 <= {name} <= {last} in the padded image", given
            )


@dataclass(frozen=True)
class HorizontalFlip(Operation):
    """Mirrors left and right with probability `p`. Source: torchvision.transforms.v2.RandomHorizontalFlip."""

    p: float = 0.5

    code: ClassVar[int] = 3
    kind: ClassVar[str] = "horizontal_flip"
    parameters: ClassVar[tuple[Field, ...]] = (Field("applied", "bool"),)

    def __post_init__(self) -> None:
        set_fields(self, p=number("HorizontalFlip", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [self.p]


@dataclass(frozen=True)
class RandomAffine(Operation):
    """Rotates, shifts, scales and shears about the image centre, the size kept.

    angle ~ U(degrees); translate_x = round(U(-a·W, a·W)), translate_y = round(U(-b·H, b·H)), whole pixels; scale ~
    U(scale), not log-uniform; shear ~ U. With R = rotation(angle)·scale·shear, each output pixel at offset (x, y) from
    the centre reads the image at R^-1·((x, y) - translate). Outside the image is `fill`; bilinear taps outside count
    as 0 and the result is m·(v - fill) + fill, m the weight of the taps inside (torchvision's mask rule, which
    darkens partly covered pixels twice).

    Source: torchvision.transforms.v2.RandomAffine.

    Args:
        degrees: range of the angle, or a number d for (-d, d); positive turns clockwise on the screen.
        translate: largest shift (a, b) as fractions of width and height in [0, 1]; None: no shift.
        scale: range of the scale factor, positive; None: 1.
        shear: range of the x shear in degrees as a number or a pair, or (x lower, x upper, y lower, y upper).
        interpolation: "nearest" (torchvision's default) or "bilinear".
        fill: value outside the image in [0, 1] pixel units.
    """

    degrees: float | tuple[float, float]
    translate: tuple[float, float] | None = None
    scale: tuple[float, float] | None = None
    shear: float | Sequence[float] | None = None
    interpolation: str = "nearest"
    fill: float = 0.0

    code: ClassVar[int] = 4
    kind: ClassVar[str] = "random_affine"
    parameters: ClassVar[tuple[Field, ...]] = (
        Field("angle", "float"),
        Field("translate_x", "int"),
        Field("translate_y", "int"),
        Field("scale", "float"),
        Field("shear_x", "float"),
        Field("shear_y", "float"),
    )

    def __post_init__(self) -> None:
        name = "RandomAffine"
        translate = self.translate
        if translate is not None:
            if isinstance(translate, str) or not isinstance(translate, Sequence) or len(translate) != 2:
                raise TypeError(f"{name}: translate must be a pair of fractions, got {translate!r}")
            translate = tuple(number(name, "translate", v, 0, 1) for v in translate)
        scale = self.scale
        if scale is not None:
            scale = pair(name, "scale", scale, 0, 1e3)
            if scale[0] <= 0:
                raise ValueError(f"{name}: scale must be positive, got {scale}")
        shear = self.shear
        if shear is not None:
            if isinstance(shear, Sequence) and len(shear) == 4:
                shear = pair(name, "shear", shear[:2], -89, 89) + pair(name, "shear", shear[2:], -89, 89)
            else:
                shear = (*_symmetric(name, "shear", shear, 89), 0.0, 0.0)
        set_fields(
            self,
            degrees=_symmetric(name, "degrees", self.degrees, 360),
            translate=translate,
            scale=scale,
            shear=shear,
            interpolation=choice(name, "interpolation", self.interpolation, INTERPOLATIONS),
            fill=number(name, "fill", self.fill),
        )

    def constants(self) -> list[float]:
        return [
            *self.degrees,
            *(self.translate or (0.0, 0.0)),
            *(self.scale or (1.0, 1.0)),
            *(self.shear or (0.0, 0.0, 0.0, 0.0)),
            float(INTERPOLATIONS.index(self.interpolation)),
            self.fill,
            1.0,
        ]

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        angle, scale = values["angle"], values["scale"]
        require(angle.isfinite(), f"{prefix}.angle", "a finite number of degrees", angle)
        require((scale >= 1e-4) & (scale <= 1e4), f"{prefix}.scale", "a factor in [1e-4, 1e4]", scale)
        for name in ("shear_x", "shear_y"):
            require(values[name].abs() <= 89.9, f"{prefix}.{name}", "at most 89.9 degrees", values[name])
        for name in ("translate_x", "translate_y"):
            require(values[name].abs() <= 16384, f"{prefix}.{name}", "at most 16384 pixels", values[name])


def _symmetric(owner: str, name: str, value: float | Sequence[float], limit: float) -> tuple[float, float]:
    """A pair, or (-value, value) of one number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        high = number(owner, name, value, 0, min(limit, math.inf))
        return -high, high
    return pair(owner, name, value, -limit, limit)
