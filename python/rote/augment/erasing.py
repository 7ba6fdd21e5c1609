"""Operations that replace a box of pixels: RandomErasing, Cutout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from rote.augment.operation import Field, Operation, Size, number, pair, require, set_fields

__all__ = ["Cutout", "RandomErasing"]


@dataclass(frozen=True)
class RandomErasing(Operation):
    """Replaces a random box by a value or by noise with probability `p`.

    Up to ten tries: area = U(scale)·H·W, r = exp(U(log ratio)), height = round(sqrt(area·r)), width =
    round(sqrt(area/r)), ties to even (height and width the other way round than in `RandomResizedCrop`); the first box
    with height < H and width < W is placed uniformly. Failing all, nothing is erased. A side may be 0.

    Source: torchvision.transforms.v2.RandomErasing.

    Args:
        p: probability that a view is changed.
        scale: range of the box's area relative to the image's, 0 <= lower <= upper <= 1.
        ratio: range of the box's height / width, log-uniform; positive.
        value: one number for all channels, one for each of three, or "random" for standard normals, one for each
            element of the box, which follow from `random_erasing.key`. In [0, 1] pixel units, or normalized ones
            behind a `Normalize`, where this operation usually stands.
    """

    p: float = 0.5
    scale: tuple[float, float] = (0.02, 0.33)
    ratio: tuple[float, float] = (0.3, 3.3)
    value: float | str | tuple[float, ...] = 0.0

    code: ClassVar[int] = 21
    kind: ClassVar[str] = "random_erasing"
    parameters: ClassVar[tuple[Field, ...]] = (
        Field("applied", "bool"),
        Field("top", "int"),
        Field("left", "int"),
        Field("height", "int"),
        Field("width", "int"),
        Field("key", "key", words=2),
    )

    def __post_init__(self) -> None:
        name = "RandomErasing"
        ratio = pair(name, "ratio", self.ratio, 1e-6, 1e6)
        value = self.value
        if isinstance(value, str):
            if value != "random":
                raise ValueError(f'{name}: value must be a number, three numbers or "random", got {value!r}')
        else:
            value = _values(name, value)
        set_fields(
            self,
            p=number(name, "p", self.p, 0, 1),
            scale=pair(name, "scale", self.scale, 0, 1),
            ratio=ratio,
            value=value,
        )

    def constants(self) -> list[float]:
        noise = self.value == "random"
        return [self.p, *self.scale, *self.ratio, float(noise), *((0.0, 0.0, 0.0) if noise else self.value)]

    def leaves_unit_range(self) -> bool:
        return self.value == "random"

    def check_unit_range(self) -> None:
        if self.value != "random":
            _check_unit_values("RandomErasing", self.value)

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        still = ~values["applied"]
        for start, length, extent in (("top", "height", image[0]), ("left", "width", image[1])):
            first, count = values[start], values[length]
            wanted = f"0 <= {length} <= {extent}, the image's"
            require(still | ((count >= 0) & (count <= extent)), f"{prefix}.{length}", wanted, count)
            wanted = f"a box inside the image: 0 <= {start} <= {extent} - {length}"
            require(still | ((first >= 0) & (first + count <= extent)), f"{prefix}.{start}", wanted, first)


@dataclass(frozen=True)
class Cutout(Operation):
    """Replaces a box of fixed size by a value with probability `p`.

    With `inside` the whole box lies in the image: top ~ U{0, ..., H - height}, left alike. Without, its centre is a
    uniform pixel, top = centre - height // 2, and what lies outside is cut off, so that boxes at a border are smaller.

    Source: DeVries and Taylor, arXiv 1708.04552, whose code clips (inside=False; of an odd size it erases one pixel
    less a side); loaders such as airbench's keep the box inside.

    Args:
        size: pixels a side, an int or (height, width); at most the image's where `inside`.
        inside: whether boxes lie wholly in the image.
        value: one number for all channels or one for each of three; in [0, 1] pixel units, or normalized ones behind
            a `Normalize`.
        p: probability that a view is changed.
    """

    size: int | tuple[int, int]
    inside: bool = True
    value: float | tuple[float, ...] = 0.0
    p: float = 1.0

    code: ClassVar[int] = 22
    kind: ClassVar[str] = "cutout"
    parameters: ClassVar[tuple[Field, ...]] = (Field("applied", "bool"), Field("top", "int"), Field("left", "int"))

    def __post_init__(self) -> None:
        size = self.size if isinstance(self.size, Sequence) else (self.size, self.size)
        if len(size) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) for v in size):
            raise TypeError(f"Cutout: size must be an int or (height, width), got {self.size!r}")
        if not 1 <= min(size) <= max(size) <= 16384:
            raise ValueError(f"Cutout: size must be in [1, 16384], got {self.size!r}")
        if not isinstance(self.inside, bool):
            raise TypeError(f"Cutout: inside must be a bool, got {self.inside!r}")
        set_fields(self, size=tuple(size), value=_values("Cutout", self.value), p=number("Cutout", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [float(self.size[0]), float(self.size[1]), float(self.inside), *self.value, self.p]

    def check_unit_range(self) -> None:
        _check_unit_values("Cutout", self.value)

    def output_size(self, image: Size, target: Size) -> Size:
        if self.inside and (self.size[0] > image[0] or self.size[1] > image[1]):
            raise ValueError(
                f"Cutout: a box of {self.size[0]} x {self.size[1]} does not lie inside an image of "
                f"{image[0]} x {image[1]}; use inside=False or a smaller size"
            )
        return image

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        for name, side, extent in (("top", self.size[0], image[0]), ("left", self.size[1], image[1])):
            low, high = (0, extent - side) if self.inside else (-(side // 2), extent - 1 - side // 2)
            good = ~values["applied"] | ((values[name] >= low) & (values[name] <= high))
            require(good, f"{prefix}.{name}", f"{low} <= {name} <= {high}", values[name])


def _values(owner: str, value: Any) -> tuple[float, float, float]:
    """One number or three as three, so that equal meanings compare equal."""
    values = tuple(value) if isinstance(value, Sequence) else (value,)
    if len(values) not in (1, 3):
        raise ValueError(f"{owner}: value must hold 1 or 3 numbers, got {len(values)}")
    values = tuple(number(owner, "value", v, -1e6, 1e6) for v in values)
    return values * 3 if len(values) == 1 else values


def _check_unit_values(owner: str, values: Sequence[float]) -> None:
    if not 0 <= min(values) <= max(values) <= 1:
        raise ValueError(f"{owner}: value must be in [0, 1] where no Normalize stands before, got {values}")
