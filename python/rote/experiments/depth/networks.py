"""Networks of several depths that have their width or their number of parameters in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from rote.data import ImageBank
from rote.experiments.inputs.loading import architecture, build_model

if TYPE_CHECKING:
    from rote.experiments.depth import DepthConfig

WIDTH, PARAMETERS = "width", "parameters"


@dataclass(frozen=True)
class Shape:
    """One network; those of several comparisons are trained once.

    Attributes:
        norm: normalization.
        depth: depth dial.
        width: width dial.
    """

    norm: str
    depth: int
    width: int

    @property
    def name(self) -> str:
        return f"norm={self.norm}_depth={self.depth}_width={self.width}"


class Networks:
    """Builds the networks of a config.

    Args:
        config: the resolved options.
        bank: the data.
        num_classes: classes of the labels.
    """

    def __init__(self, config: DepthConfig, bank: ImageBank, num_classes: int) -> None:
        self.config = config
        self.bank = bank
        self.num_classes = num_classes

    def build(self, shape: Shape) -> nn.Module:
        """A network at its initialization."""
        config = dataclasses.replace(self.config, norm=shape.norm, width=shape.width)
        built = {**architecture(config, self.bank, self.num_classes), "depth": shape.depth}
        return build_model(built, None, None, self.bank)

    def parameters(self, shape: Shape) -> int:
        """Number of its parameters."""
        return sum(p.numel() for p in self.build(shape).parameters())

    def compared(self) -> Iterator[tuple[str, Shape]]:
        """(what is equal, network) for every row of the table."""
        for equal in self.config.equal:
            for norm in self.config.norms:
                for depth in self.config.depths:
                    shape = Shape(norm, depth, self.config.width)
                    yield equal, shape if equal == WIDTH else self._as_large(shape)

    def _as_large(self, shape: Shape) -> Shape:
        """The widest network of a depth with at most as many parameters as the shallowest one has."""
        budget = self.parameters(dataclasses.replace(shape, depth=self.config.depths[0]))
        low, high = 1, shape.width + 1  # a deeper network is never wider
        while high - low > 1:
            middle = (low + high) // 2
            fits = self.parameters(dataclasses.replace(shape, width=middle)) <= budget
            low, high = (middle, high) if fits else (low, middle)
        return dataclasses.replace(shape, width=low)
