"""Operations on tone: solarize, posterize, invert, auto-contrast, equalize."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rote.augment.operation import Field, Operation, number, set_fields

__all__ = ["AutoContrast", "Equalize", "Invert", "Posterize", "Solarize"]

_APPLIED = (Field("applied", "bool"),)


@dataclass(frozen=True)
class Solarize(Operation):
    """Inverts what is bright, with probability `p`: x <- 1 - x where x >= threshold.

    Source: torchvision.transforms.v2.RandomSolarize on floats.

    Args:
        threshold: in [0, 1].
        p: probability that a view is changed.
    """

    threshold: float = 0.5
    p: float = 0.5

    code: ClassVar[int] = 14
    kind: ClassVar[str] = "solarize"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = _APPLIED

    def __post_init__(self) -> None:
        threshold = number("Solarize", "threshold", self.threshold, 0, 1)
        set_fields(self, threshold=threshold, p=number("Solarize", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [self.threshold, self.p]


@dataclass(frozen=True)
class Posterize(Operation):
    """Keeps 2^bits levels, with probability `p`: x <- clamp(floor(x·2^bits), 0, 2^bits - 1) / 2^bits.

    Source: torchvision.transforms.v2.RandomPosterize on floats (there white becomes 1 - 2^-bits, also at 8 bits).

    Args:
        bits: an int in [0, 8].
        p: probability that a view is changed.
    """

    bits: int
    p: float = 0.5

    code: ClassVar[int] = 15
    kind: ClassVar[str] = "posterize"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = _APPLIED

    def __post_init__(self) -> None:
        if isinstance(self.bits, bool) or not isinstance(self.bits, int):
            raise TypeError(f"Posterize: bits must be an int, got {self.bits!r}")
        if not 0 <= self.bits <= 8:
            raise ValueError(f"Posterize: bits must be in [0, 8], got {self.bits}")
        set_fields(self, p=number("Posterize", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [float(self.bits), self.p]


@dataclass(frozen=True)
class Invert(Operation):
    """x <- 1 - x with probability `p`. Source: torchvision.transforms.v2.RandomInvert."""

    p: float = 0.5

    code: ClassVar[int] = 16
    kind: ClassVar[str] = "invert"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = _APPLIED

    def __post_init__(self) -> None:
        set_fields(self, p=number("Invert", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [self.p]


@dataclass(frozen=True)
class AutoContrast(Operation):
    """Stretches each channel over [0, 1] with probability `p`.

    x <- clamp((x - min) / (max - min), 0, 1) with the channel's least and greatest value; a flat channel keeps its
    values. Source: torchvision.transforms.v2.RandomAutocontrast.
    """

    p: float = 0.5

    code: ClassVar[int] = 18
    kind: ClassVar[str] = "auto_contrast"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = _APPLIED

    def __post_init__(self) -> None:
        set_fields(self, p=number("AutoContrast", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [self.p]


@dataclass(frozen=True)
class Equalize(Operation):
    """Flattens the histogram of each channel, with probability `p`.

    Values become bytes b = floor(255.999·x) first and x = b / 255 at the end, as torchvision does with floats. With n
    pixels, c[b] of them below b and m at the greatest byte that occurs, s = floor((n - m) / 255) and
    b <- min(floor((c[b] + floor(s / 2)) / s), 255); where s = 0 the bytes stay.

    Source: torchvision.transforms.v2.RandomEqualize, which has the rule from Pillow.
    """

    p: float = 0.5

    code: ClassVar[int] = 19
    kind: ClassVar[str] = "equalize"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = _APPLIED

    def __post_init__(self) -> None:
        set_fields(self, p=number("Equalize", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [self.p]
