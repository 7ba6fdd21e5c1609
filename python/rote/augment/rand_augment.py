"""RandAugment, and its use as a dial of augmentation strength."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.affine import INTERPOLATIONS
from rote.augment.operation import Field, Operation, Size, choice, number, require, set_fields

__all__ = ["RandAugment"]

MAX_OPERATIONS = 8


@dataclass(frozen=True)
class RandAugment(Operation):
    """Applies `num_ops` operations, each drawn uniformly from fourteen with repetition, all at one magnitude.

    With t = magnitude / (num_magnitude_bins - 1) the operations and their magnitudes are

    ==  ============  =======================================================================================
     0  identity
     1  shear_x       +-0.3 t, a slope: reads at column j + m·(i + 1/2) in row i, so that the upper left corner stays
     2  shear_y       +-0.3 t, the same along y
     3  translate_x   +-whole pixels of 150/331 · W · t
     4  translate_y   +-whole pixels of 150/331 · H · t
     5  rotate        +-30 t degrees about the centre, counter-clockwise
     6  brightness    +-0.9 t, as of `ColorJitter` with the factor 1 + magnitude
     7  color         +-0.9 t, the saturation of `ColorJitter`, the same way
     8  contrast      +-0.9 t, the same way
     9  sharpness     +-0.9 t, `Sharpness`, the same way
    10  posterize     8 - 4 t bits, rounded, ties to even
    11  solarize      the threshold 1 - t
    12  auto_contrast
    13  equalize
    ==  ============  =======================================================================================

    Each sign is a fair coin. `Recipe.params` gives `operation` (the number) and `magnitude` (signed, as applied), of
    shape [..., num_ops], or [...] for one operation; `Recipe.apply` takes any others as well.

    Sources: torchvision.transforms.v2.RandAugment on floats; RandAugment (arXiv 1909.13719). Without a fill torchvision
    leaves the mask of the fill out; the two agree but for the border pixels of bilinear maps.

    Args:
        num_ops: how many operations act one after another, 1 to 8.
        magnitude: the bin of the magnitude, 0 <= magnitude < num_magnitude_bins.
        num_magnitude_bins: at least 2.
        interpolation: "nearest" or "bilinear", for shears, translations and rotations.
        fill: what stands where they read outside the image, in [0, 1].
        p: probability that a view is changed at all; else all its operations are the identity.
    """

    num_ops: int = 2
    magnitude: int = 9
    num_magnitude_bins: int = 31
    interpolation: str = "nearest"
    fill: float = 0.0
    p: float = 1.0

    code: ClassVar[int] = 20
    kind: ClassVar[str] = "rand_augment"
    before_normalize: ClassVar[bool] = True
    #: The names of the operations by their numbers.
    operations: ClassVar[tuple[str, ...]] = (
        "identity",
        "shear_x",
        "shear_y",
        "translate_x",
        "translate_y",
        "rotate",
        "brightness",
        "color",
        "contrast",
        "sharpness",
        "posterize",
        "solarize",
        "auto_contrast",
        "equalize",
    )

    def __post_init__(self) -> None:
        for name, low, high in (
            ("num_ops", 1, MAX_OPERATIONS),
            ("num_magnitude_bins", 2, 10**6),
            ("magnitude", 0, self.num_magnitude_bins - 1 if isinstance(self.num_magnitude_bins, int) else 0),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"RandAugment: {name} must be an int, got {value!r}")
            if not low <= value <= high:
                raise ValueError(f"RandAugment: {name} must be in [{low}, {high}], got {value}")
        choice("RandAugment", "interpolation", self.interpolation, INTERPOLATIONS)
        set_fields(
            self, fill=number("RandAugment", "fill", self.fill, 0, 1), p=number("RandAugment", "p", self.p, 0, 1)
        )

    @classmethod
    def strength(cls, s: float, *, interpolation: str = "nearest", fill: float = 0.0) -> RandAugment:
        """A dial of how strong augmentation is: floor(10 s / 3) + 1 operations at bin min(floor(100 s), 99) of 100.

        One operation at s = 0, four from s = 0.9 on. Source: the code of The Curious Case of Benign Memorization
        (arXiv 2210.14019), where such a number is the whole augmentation: `Recipe(RandAugment.strength(0.5))`.

        Args:
            s: in [0, 1].
            interpolation, fill: as of the class.
        """
        s = number("RandAugment.strength", "s", s, 0, 1)
        return cls(math.floor(10 * s / 3) + 1, min(math.floor(100 * s), 99), 100, interpolation, fill)

    @property
    def parameters(self) -> tuple[Field, ...]:
        return (Field("operation", "int", words=self.num_ops), Field("magnitude", "float", words=self.num_ops))

    def constants(self) -> list[float]:
        return [
            float(self.num_ops),
            float(self.magnitude),
            float(self.num_magnitude_bins),
            float(INTERPOLATIONS.index(self.interpolation)),
            self.fill,
            self.p,
        ]

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        operation, m = values["operation"], values["magnitude"]
        known = (operation >= 0) & (operation < len(self.operations))
        require(self._in_all_places(known), f"{prefix}.operation", "operations in [0, 13]", operation)

        def among(*names: str) -> torch.Tensor:
            return torch.isin(operation, torch.tensor([self.operations.index(n) for n in names]).to(operation))

        whole = m == m.floor()
        good = m.isfinite()
        good &= ~among("shear_x", "shear_y") | (m.abs() <= 100)
        good &= ~among("translate_x", "translate_y") | (whole & (m.abs() <= 16384))
        good &= ~among("brightness", "color", "contrast", "sharpness") | ((m >= -1) & (m <= 1e6))
        good &= ~among("posterize") | (whole & (m >= 0) & (m <= 8))
        good &= ~among("solarize") | ((m >= 0) & (m <= 1))
        require(self._in_all_places(good), f"{prefix}.magnitude", "what the operations of the row can take", m)

    def _in_all_places(self, good: torch.Tensor) -> torch.Tensor:
        return good if self.num_ops == 1 else good.all(dim=-1)
