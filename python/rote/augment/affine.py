"""Operations that turn, shift, scale and shear."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.operation import Field, Operation, Size, choice, number, pair, require, set_fields

__all__ = ["RandomAffine", "RandomRotation"]

INTERPOLATIONS = ("nearest", "bilinear")


@dataclass(frozen=True)
class RandomAffine(Operation):
    """Rotates, shifts, scales and shears about the image centre, the size kept.

    angle ~ U(degrees); translate_x = round(U(-a·W, a·W)), translate_y = round(U(-b·H, b·H)), whole pixels; scale ~
    U(scale), not log-uniform; shear ~ U. With R = rotation(angle)·scale·shear, each output pixel at offset (x, y) from
    the centre reads the image at R^-1·((x, y) - translate). Outside the image is `fill`; bilinear taps outside count
    as 0 and the result is m·(v - fill) + fill, m the weight of the taps inside (torchvision's mask rule, which
    darkens partly covered pixels twice). A map that moves nothing leaves the image untouched.

    Source: torchvision.transforms.v2.RandomAffine.

    Args:
        degrees: range of the angle, or a number d for (-d, d); positive turns clockwise on the screen.
        translate: largest shift (a, b) as fractions of width and height in [0, 1]; None: no shift.
        scale: range of the scale factor, positive; None: 1.
        shear: range of the x shear in degrees as a number or a pair, or (x lower, x upper, y lower, y upper).
        interpolation: "nearest" (torchvision's default) or "bilinear".
        fill: value outside the image in [0, 1] pixel units.
        p: probability of a map; else the image is untouched.
    """

    degrees: float | tuple[float, float]
    translate: tuple[float, float] | None = None
    scale: tuple[float, float] | None = None
    shear: float | Sequence[float] | None = None
    interpolation: str = "nearest"
    fill: float = 0.0
    p: float = 1.0

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
            p=number(name, "p", self.p, 0, 1),
        )

    def constants(self) -> list[float]:
        return [
            *self.degrees,
            *(self.translate or (0.0, 0.0)),
            *(self.scale or (1.0, 1.0)),
            *(self.shear or (0.0, 0.0, 0.0, 0.0)),
            float(INTERPOLATIONS.index(self.interpolation)),
            self.fill,
            self.p,
        ]

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        angle, scale = values["angle"], values["scale"]
        require(angle.isfinite(), f"{prefix}.angle", "a finite number of degrees", angle)
        require((scale >= 1e-4) & (scale <= 1e4), f"{prefix}.scale", "a factor in [1e-4, 1e4]", scale)
        for name in ("shear_x", "shear_y"):
            require(values[name].abs() <= 89.9, f"{prefix}.{name}", "at most 89.9 degrees", values[name])
        for name in ("translate_x", "translate_y"):
            require(values[name].abs() <= 16384, f"{prefix}.{name}", "at most 16384 pixels", values[name])


@dataclass(frozen=True)
class RandomRotation(Operation):
    """Turns about the image centre, the size kept.

    angle ~ U(degrees), positive counter-clockwise on the screen (unlike `RandomAffine`). Sampling and `fill` as in
    `RandomAffine`; whole turns leave the image untouched.

    Source: torchvision.transforms.v2.RandomRotation(expand=False).

    Args:
        degrees: range of the angle, or a number d for (-d, d).
        interpolation: "nearest" (torchvision's default) or "bilinear".
        fill: value outside the image in [0, 1] pixel units.
        p: probability of a rotation; else the image is untouched.
    """

    degrees: float | tuple[float, float]
    interpolation: str = "nearest"
    fill: float = 0.0
    p: float = 1.0

    code: ClassVar[int] = 12
    kind: ClassVar[str] = "random_rotation"
    parameters: ClassVar[tuple[Field, ...]] = (Field("angle", "float"),)

    def __post_init__(self) -> None:
        name = "RandomRotation"
        set_fields(
            self,
            degrees=_symmetric(name, "degrees", self.degrees, 360),
            interpolation=choice(name, "interpolation", self.interpolation, INTERPOLATIONS),
            fill=number(name, "fill", self.fill),
            p=number(name, "p", self.p, 0, 1),
        )

    def constants(self) -> list[float]:
        return [*self.degrees, float(INTERPOLATIONS.index(self.interpolation)), self.fill, self.p]

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        angle = values["angle"]
        require(angle.isfinite(), f"{prefix}.angle", "a finite number of degrees", angle)


def _symmetric(owner: str, name: str, value: float | Sequence[float], limit: float) -> tuple[float, float]:
    """A pair, or (-value, value) of one number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        high = number(owner, name, value, 0, min(limit, math.inf))
        return -high, high
    return pair(owner, name, value, -limit, limit)
