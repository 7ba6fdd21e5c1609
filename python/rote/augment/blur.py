"""Operations on a pixel's neighbourhood: Gaussian blur, sharpness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.operation import Field, Operation, Size, number, pair, require, set_fields

__all__ = ["GaussianBlur", "Sharpness"]

MAX_KERNEL = 2 * 16384 - 1


@dataclass(frozen=True)
class GaussianBlur(Operation):
    """Convolves each channel with a Gaussian of random width, with probability `p`.

    sigma ~ U(sigma); the weight at distance i is exp(-i² / (2·sigma²)), normalized over the kernel to sum 1; along x,
    then along y; the image is reflected at its border without repeating it. The result is not clamped, so that it may
    also act behind a `Normalize`.

    Source: torchvision.transforms.v2.GaussianBlur.

    Args:
        kernel_size: odd pixels, an int or (width, height) as torchvision has it. The usual choice for SimCLR is about
            a tenth of the image's side: 3 for 32 px, 23 for 224 px.
        sigma: a number, or the range (lower, upper), in pixels; positive.
        p: probability that a view is blurred.

    Raises:
        ValueError: a kernel size is even or not positive; when rendering, half a kernel is not below the image's side.
    """

    kernel_size: int | tuple[int, int]
    sigma: float | tuple[float, float] = (0.1, 2.0)
    p: float = 1.0

    code: ClassVar[int] = 13
    kind: ClassVar[str] = "gaussian_blur"
    parameters: ClassVar[tuple[Field, ...]] = (Field("applied", "bool"), Field("sigma", "float"))

    def __post_init__(self) -> None:
        sizes = tuple(self.kernel_size) if isinstance(self.kernel_size, (tuple, list)) else (self.kernel_size,) * 2
        if len(sizes) != 2 or not all(isinstance(v, int) and not isinstance(v, bool) for v in sizes):
            raise TypeError(f"GaussianBlur: kernel_size must be an int or (width, height), got {self.kernel_size!r}")
        if any(v % 2 == 0 or not 1 <= v <= MAX_KERNEL for v in sizes):
            raise ValueError(f"GaussianBlur: kernel_size must be odd and in [1, {MAX_KERNEL}], got {self.kernel_size}")
        sigma = self.sigma if isinstance(self.sigma, Sequence) else (self.sigma, self.sigma)
        sigma = pair("GaussianBlur", "sigma", sigma, 1e-6, 1e6)
        set_fields(self, kernel_size=sizes, sigma=sigma, p=number("GaussianBlur", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [*map(float, self.kernel_size), *self.sigma, self.p]

    def output_size(self, image: Size, target: Size) -> Size:
        for kernel, side in zip(self.kernel_size, image[::-1], strict=True):
            if kernel // 2 >= side:
                raise ValueError(
                    f"GaussianBlur: kernel_size must be at most {2 * side - 1} to be reflected at the border of an "
                    f"image of {image[0]} x {image[1]}, got {kernel}"
                )
        return image

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        sigma = values["sigma"]
        require((sigma > 0) & sigma.isfinite(), f"{prefix}.sigma", "a positive finite number", sigma)


@dataclass(frozen=True)
class Sharpness(Operation):
    """Sharpens (factor above 1) or smooths (below 1) with probability `p`.

    x <- clamp(x + (1 - f)·(s - x), 0, 1), where s is the mean of the 3 x 3 neighbourhood in which the pixel itself
    counts five times: weights 1/13 and 5/13. The border, one pixel wide, is only clamped; an image with a side below
    three pixels stays as it is.

    Source: torchvision.transforms.v2.RandomAdjustSharpness, whose factor is one number.

    Args:
        factor: a number, or the range (lower, upper) of a factor drawn for each view; at least 0, 1 changes nothing.
        p: probability that a view is changed.
    """

    factor: float | tuple[float, float]
    p: float = 0.5

    code: ClassVar[int] = 17
    kind: ClassVar[str] = "sharpness"
    before_normalize: ClassVar[bool] = True
    parameters: ClassVar[tuple[Field, ...]] = (Field("applied", "bool"), Field("factor", "float"))

    def __post_init__(self) -> None:
        factor = self.factor if isinstance(self.factor, Sequence) else (self.factor, self.factor)
        factor = pair("Sharpness", "factor", factor, 0, 1e6)
        set_fields(self, factor=factor, p=number("Sharpness", "p", self.p, 0, 1))

    def constants(self) -> list[float]:
        return [*self.factor, self.p]

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        factor = values["factor"]
        require((factor >= 0) & (factor <= 1e6), f"{prefix}.factor", "a factor in [0, 1e6]", factor)
