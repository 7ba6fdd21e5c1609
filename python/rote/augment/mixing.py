"""Operations that mix in a second image, the partner: MixUp, CutMix.

The partner is an image drawn by address from the first `partners` of the bank (an argument of the recipe). It has gone
through the operations before the mixing one, at the same view number and with parameters of its own,
`<operation>.partner.<column>`; other mixing operations among them do not act in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from rote.augment.operation import Field, Operation, Size, number, require, set_fields

__all__ = ["CutMix", "MixUp"]


@dataclass(frozen=True)
class MixUp(Operation):
    """weight·x + (1 - weight)·partner with probability `p`, weight ~ Beta(alpha, alpha) and the partner by view.

    weight comes from two uniform numbers u, v by Bailey's polar method: T = sqrt(2 alpha (u^(-1/alpha) - 1))
    cos(2 pi v) has Student's t distribution with 2 alpha degrees of freedom, and weight = 1/2 + T / (2 sqrt(2 alpha +
    T^2)).

    Source: Zhang et al., arXiv 1710.09412; torchvision.transforms.v2.MixUp, which draws one weight for a batch; Bailey,
    Mathematics of Computation 62 (1994), 779-781.

    Args:
        alpha: of the Beta distribution, positive; 1 makes weights uniform.
        p: probability that a view is mixed. One that is not has weight 1 and partner 0, which is not read.
        mix_labels: whether labels are mixed with the same weight. False: inputs only, the label stays that of the
            view's own image, as in the released code of The Curious Case of Benign Memorization.
    """

    alpha: float = 1.0
    p: float = 1.0
    mix_labels: bool = True

    code: ClassVar[int] = 24
    kind: ClassVar[str] = "mixup"
    parameters: ClassVar[tuple[Field, ...]] = (Field("partner", "int"), Field("weight", "float"))

    def __post_init__(self) -> None:
        _set_arguments(self)

    def constants(self) -> list[float]:
        return [self.alpha, self.p]

    def label_share(self, values: Mapping[str, torch.Tensor], image: Size) -> torch.Tensor:
        """What share of a view's label is that of its own image, float32 [n]; `image` is the size it is mixed at."""
        return values["weight"]

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        weight = values["weight"]
        _check_partner(values["partner"], prefix)
        require((weight >= 0) & (weight <= 1), f"{prefix}.weight", "0 <= weight <= 1", weight)


@dataclass(frozen=True)
class CutMix(Operation):
    """Pastes a box of the partner with probability `p`.

    With a share ~ Beta(alpha, alpha), drawn as in `MixUp`, and r = sqrt(1 - share) / 2: a box that reaches floor(r·H)
    pixels up and down and floor(r·W) to both sides of a uniform pixel, clipped at the border. The label's own share is
    1 - area of the box / area of the image.

    Source: Yun et al., arXiv 1905.04899; torchvision.transforms.v2.CutMix, which draws one box for a batch.

    Args:
        alpha: of the Beta distribution, positive; 1 makes shares uniform.
        p: probability that a view is mixed. One that is not has a box of height and width 0 and partner 0.
        mix_labels: whether labels are mixed by area. False: inputs only.
    """

    alpha: float = 1.0
    p: float = 1.0
    mix_labels: bool = True

    code: ClassVar[int] = 25
    kind: ClassVar[str] = "cutmix"
    parameters: ClassVar[tuple[Field, ...]] = (
        Field("partner", "int"),
        Field("top", "int"),
        Field("left", "int"),
        Field("height", "int"),
        Field("width", "int"),
    )

    def __post_init__(self) -> None:
        _set_arguments(self)

    def constants(self) -> list[float]:
        return [self.alpha, self.p]

    def label_share(self, values: Mapping[str, torch.Tensor], image: Size) -> torch.Tensor:
        """What share of a view's label is that of its own image, float32 [n]; `image` is the size it is mixed at."""
        area = (values["height"] * values["width"]).double()
        return (1.0 - area / (image[0] * image[1])).float()

    def check_parameters(self, values: Mapping[str, torch.Tensor], prefix: str, image: Size, target: Size) -> None:
        _check_partner(values["partner"], prefix)
        for start, length, extent in (("top", "height", image[0]), ("left", "width", image[1])):
            first, count = values[start], values[length]
            wanted = f"0 <= {length} <= {extent}, the image's"
            require((count >= 0) & (count <= extent), f"{prefix}.{length}", wanted, count)
            wanted = f"a box inside the image: 0 <= {start} <= {extent} - {length}"
            require((first >= 0) & (first + count <= extent), f"{prefix}.{start}", wanted, first)


def _set_arguments(operation: MixUp | CutMix) -> None:
    name = type(operation).__name__
    if not isinstance(operation.mix_labels, bool):
        raise TypeError(f"{name}: mix_labels must be a bool, got {operation.mix_labels!r}")
    alpha = number(name, "alpha", operation.alpha)
    if alpha <= 0:
        raise ValueError(f"{name}: alpha must be positive, got {operation.alpha!r}")
    set_fields(operation, alpha=alpha, p=number(name, "p", operation.p, 0, 1))


def _check_partner(partner: torch.Tensor, prefix: str) -> None:
    require(partner >= 0, f"{prefix}.partner", "an image of the bank", partner)
