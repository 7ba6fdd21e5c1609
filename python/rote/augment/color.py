"""Operations on pixel values: colour jitter, grey, normalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.operation import Field, Operation, Size, number, pair, require, set_fields

__all__ = ["ColorJitter", "Grayscale", "Normalize"]


@dataclass(frozen=True)
class ColorJitter(Operation):
    """Changes brightness, contrast, saturation and hue in random order, together with probability `p`.

    With grey L = 0.2989 R + 0.587 G + 0.114 B and blend(a, b, f) = clamp(f·a + (1 - f)·b, 0, 1):
    brightness clamp(f·x); contrast blend(x, mean of L over the image as it stands at that point, f); saturation
    blend(x, L, f); hue: to HSV, h <- (h + f) mod 1 in turns, back. One permutation of the four per view. A
    one-channel image has L = x and keeps its saturation and hue.

    Source: torchvision.transforms.v2.ColorJitter inside RandomApply(p).

    Args:
        brightness, contrast, saturation: a number a for factors uniform in [max(0, 1 - a), 1 + a], or the range.
        hue: a number h in [0, 0.5] for shifts uniform in [-h, h] turns, or the range inside [-0.5, 0.5].
        p: probability that a view is changed at all.
    """

    brightness: float | tuple[float, float] = 0.0
    contrast: float | tuple[float, float] = 0.0
    saturation: float | tuple[float, float] = 0.0
    hue: float | tuple[float, float] = 0.0
    p: float = 1.0

    code: ClassVar[int] = 5
    kind: ClassVar[str] = "color_jitter"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = (
        Field("applied", "bool"),
        Field("order", "int", words=4),
        Field("brightness", "float"),
        Field("contrast", "float"),
        Field("saturation", "float"),
        Field("hue", "float"),
    )

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            value = getattr(self, name)
            if isinstance(value, Sequence):
                value = pair("ColorJitter", name, value, 0, 1e6)
            else:
                value = number("ColorJitter", name, value, 0, 1e6 - 1)
                value = (max(0.0, 1.0 - value), 1.0 + value)
            set_fields(self, **{name: value})
        hue = self.hue
        if isinstance(hue, Sequence):
            hue = pair("ColorJitter", "hue", hue, -0.5, 0.5)
        else:
            hue = number("ColorJitter", "hue", hue, 0, 0.5)
            hue = (-hue, hue) if hue else (0.0, 0.0)
        set_fields(self, hue=hue, p=number("ColorJitter", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [*self.brightness, *self.contrast, *self.saturation, *self.hue, self.p]

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        order = values["order"]
        identity = torch.arange(4, device=order.device)
        is_permutation = (order.sort(dim=-1).values == identity).all(dim=-1)
        require(is_permutation, f"{prefix}.order", "a permutation of 0, 1, 2, 3", order)
        for name in ("brightness", "contrast", "saturation"):
            factor = values[name]
            require((factor >= 0) & (factor <= 1e6), f"{prefix}.{name}", "a factor in [0, 1e6]", factor)
        hue = values["hue"]
        require(hue.abs() <= 0.5, f"{prefix}.hue", "-0.5 <= hue <= 0.5 turns", hue)


@dataclass(frozen=True)
class Grayscale(Operation):
    """Replaces all channels by L = 0.2989 R + 0.587 G + 0.114 B with probability `p`.

    One-channel images stay as they are. Source: torchvision.transforms.v2.RandomGrayscale.
    """

    p: float = 0.1

    code: ClassVar[int] = 6
    kind: ClassVar[str] = "grayscale"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = (Field("applied", "bool"),)

    def __post_init__(self) -> None:
        set_fields(self, p=number("Grayscale", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [self.p]


@dataclass(frozen=True)
class Normalize(Operation):
    """(x - mean) / std per channel: one subtraction, one true division.

    Source: torchvision.transforms.v2.Normalize.

    Args:
        mean, std: one number for all channels or one for each of three, in [0, 1] pixel units; std positive.
    """

    mean: float | tuple[float, ...]
    std: float | tuple[float, ...]

    code: ClassVar[int] = 7
    kind: ClassVar[str] = "normalize"

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            value = getattr(self, name)
            value = tuple(value) if isinstance(value, Sequence) else (value,)
            if len(value) not in (1, 3):
                raise ValueError(f"Normalize: {name} must hold 1 or 3 numbers, got {len(value)}")
            value = tuple(number("Normalize", name, v) for v in value)
            if name == "std" and min(value) <= 0:
                raise ValueError(f"Normalize: std must be positive, got {value}")
            # One number means all channels; written out, so that equal meanings compare equal.
            set_fields(self, **{name: value * 3 if len(value) == 1 else value})

    def constants(self) -> list[float]:
        return [*self.mean, *self.std]
