"""Operations that cut out and pad without resampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.operation import Field, Operation, Size, choice, extents, number, require, set_fields

__all__ = ["CenterCrop", "RandomCrop"]

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


@dataclass(frozen=True)
class RandomCrop(Operation):
    """Pads all four sides, then cuts the recipe's size at a uniform integer position.

    top ~ U{0, ..., H + 2·padding - h}, left alike; the identity is top = left = padding. With probability 1 - p the
    window is the central one, top = floor((H + 2·padding - h) / 2).
    Source: torchvision.transforms.v2.RandomCrop.

    Args:
        padding: pixels added on each side, an int.
        padding_mode: "constant", "edge" (repeats the border), "reflect" (mirrors without the border, needs
            padding < H, W) or "symmetric" (mirrors with the border, needs padding <= H, W).
        fill: value of the constant padding in [0, 1] pixel units (or normalized ones behind a `Normalize`).
        p: probability of a random window.
    """

    padding: int = 0
    padding_mode: str = "constant"
    fill: float = 0.0
    p: float = 1.0

    code: ClassVar[int] = 2
    kind: ClassVar[str] = "random_crop"
    parameters: ClassVar[tuple[Field, ...]] = (Field("top", "int"), Field("left", "int"))

    def __post_init__(self) -> None:
        if isinstance(self.padding, bool) or not isinstance(self.padding, int):
            raise TypeError(f"RandomCrop: padding must be an int, got {self.padding!r}")
        if self.padding < 0:
            raise ValueError(f"RandomCrop: padding must be at least 0, got {self.padding}")
        choice("RandomCrop", "padding_mode", self.padding_mode, PADDING_MODES)
        set_fields(self, fill=number("RandomCrop", "fill", self.fill), p=number("RandomCrop", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [float(self.padding), float(PADDING_MODES.index(self.padding_mode)), self.fill, self.p]

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
class CenterCrop(Operation):
    """Cuts the middle out, and pads with zeros where the image is smaller.

    top = round((H - h) / 2), ties to even, left alike; where h > H, floor((h - H) / 2) rows of zeros come before the
    image and the rest behind it. Zero is black, or 0 in normalized units behind a `Normalize`.
    Source: torchvision.transforms.v2.CenterCrop.

    Args:
        size: an int for a square or (h, w); None: the recipe's size.
    """

    size: int | Size | None = None

    code: ClassVar[int] = 11
    kind: ClassVar[str] = "center_crop"

    def __post_init__(self) -> None:
        size = extents("CenterCrop", "size", self.size)
        set_fields(self, size=(size, size) if isinstance(size, int) else size)

    def constants(self) -> list[float]:
        return [0.0, 0.0] if self.size is None else [float(v) for v in self.size]

    def output_size(self, image: Size, target: Size) -> Size:
        return target if self.size is None else self.size
