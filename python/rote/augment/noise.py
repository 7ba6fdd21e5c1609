"""Noise on pixels, drawn by address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rote.augment.operation import Field, Operation, number, set_fields

__all__ = ["GaussianNoise"]


@dataclass(frozen=True)
class GaussianNoise(Operation):
    """Adds mean + sigma·z to every element with probability `p`, z standard normal and independent.

    z of an element is a function of `gaussian_noise.key`, its channel and its place in the image (docs/addressing.md,
    "Noise"), so that a row of parameters renders the same noise again and nothing is stored. Views have keys of their
    own.

    Source: torchvision.transforms.v2.GaussianNoise.

    Args:
        mean: of the noise, in pixel units of the image as it stands.
        sigma: standard deviation, at least 0.
        clip: whether the result is clamped to [0, 1], behind a `Normalize` too. Colour operations want images in
            [0, 1] and cannot follow noise that is not clipped.
        p: probability that a view is changed.
    """

    mean: float = 0.0
    sigma: float = 0.1
    clip: bool = True
    p: float = 1.0

    code: ClassVar[int] = 23
    kind: ClassVar[str] = "gaussian_noise"
    parameters: ClassVar[tuple[Field, ...]] = (Field("applied", "bool"), Field("key", "key", words=2))

    def __post_init__(self) -> None:
        if not isinstance(self.clip, bool):
            raise TypeError(f"GaussianNoise: clip must be a bool, got {self.clip!r}")
        set_fields(
            self,
            mean=number("GaussianNoise", "mean", self.mean, -1e6, 1e6),
            sigma=number("GaussianNoise", "sigma", self.sigma, 0, 1e6),
            p=number("GaussianNoise", "p", self.p, 0, 1),
        )

    def constants(self) -> list[float]:
        return [self.mean, self.sigma, float(self.clip), self.p]

    def leaves_unit_range(self) -> bool:
        return not self.clip
