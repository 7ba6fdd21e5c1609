"""rote/models/encoder_projector.py: the split f = g o h into encoder h and projector g, tapped at every depth."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor, nn

from rote.models.pooling import check_pooling, pooled


class Projector(nn.Module):
    """Linear(no bias) -> ReLU -> Linear(no bias), the head of arXiv 2210.14019.

    Args:
        in_features: width D of the encoder's pooled output.
        width: width H of the hidden layer; the paper's reproduction command uses 65,536.
        num_classes: width C of the output.
    """

    layers = ("projector.hidden", "logits")

    def __init__(self, in_features: int, width: int, num_classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(in_features, width, bias=False)
        self.logits = nn.Linear(width, num_classes, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """float [B, D] -> float [B, C]."""
        return self.logits(torch.relu(self.hidden(features)))

    def outputs(self, features: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each layer's name and output in depth order; a layer is computed when it is asked for."""
        hidden = torch.relu(self.hidden(features))
        yield "projector.hidden", hidden
        yield "logits", self.logits(hidden)


class LinearHead(nn.Module):
    """One linear layer with a bias from the encoder's output to the class scores.

    Args:
        in_features: width D of the encoder's pooled output.
        num_classes: width C of the output.
    """

    layers = ("logits",)

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.logits = nn.Linear(in_features, num_classes)

    def forward(self, features: Tensor) -> Tensor:
        """float [B, D] -> float [B, C]."""
        return self.logits(features)

    def outputs(self, features: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The layer's name and output."""
        yield "logits", self.logits(features)


class EncoderProjector(nn.Module):
    """A network whose depth is named, so that every layer can be probed.

    The encoder is a chain of named stages followed by global average pooling; the projector turns its pooled
    output into class scores. `layers` lists the taps in depth order: the stages but the last, then "encoder" (the
    pooled output of the last stage), "projector.hidden" (after the ReLU) and "logits".

    Args:
        stages: (name, module) in depth order; the first takes float [B, C, H, W], the last gives [B, D] or
            [B, D, H', W'].
        features: D, the width of the pooled output.
        num_classes: number of class scores C.
        projector_width: hidden width H of the projector; None: a linear head in its place.

    Attributes:
        prepare: what is done to the pixels first, the identity unless it is replaced; no layer of its own.

    Example:
        >>> model = rote.models.build("convnet", in_channels=3, image_size=32, num_classes=10)
        >>> model(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self, stages: Sequence[tuple[str, nn.Module]], *, features: int, num_classes: int, projector_width: int | None
    ) -> None:
        super().__init__()
        if not stages:
            raise ValueError("stages must hold at least one (name, module)")
        self.prepare: nn.Module = nn.Identity()
        self.encoder = nn.Sequential(OrderedDict(stages))
        self.projector: Projector | LinearHead = (
            LinearHead(features, num_classes)
            if projector_width is None
            else Projector(features, projector_width, num_classes)
        )
        self.features = features
        self.num_classes = num_classes
        self.projector_width = projector_width
        self.layers: tuple[str, ...] = (
            *(name for name, _ in stages[:-1]),
            "encoder",
            *self.projector.layers,
        )

    def encode(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] in [0, 1] -> the encoder's pooled output, float [B, D]."""
        return pooled(self.encoder(self.prepare(x)))

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] in [0, 1] -> raw class scores, float [B, num_classes]."""
        return self.projector(self.encode(x))

    def activations(
        self, x: Tensor, layers: Iterable[str] | None = None, *, pooling: str = "average"
    ) -> dict[str, Tensor]:
        """Pooled outputs of the named layers.

        Args:
            x: float [B, C, H, W] in [0, 1].
            layers: names out of `layers`; None means all of them. Nothing deeper than the deepest is computed.
            pooling: of layers with a spatial extent, one of `rote.models.POOLINGS`: "average", "flatten", "max" or
                "grid2" (2 x 2 averages). The projector reads the averages whatever is asked for here.

        Returns:
            {layer: float32 [B, D_layer]} in depth order.

        Raises:
            ValueError: a name is not one of `layers`, or an unknown pooling.
        """
        wanted = self.layers if layers is None else tuple(layers)
        unknown = [name for name in wanted if name not in self.layers]
        if unknown:
            raise ValueError(f"layers must be out of {self.layers}; got {unknown}")
        check_pooling(pooling)
        remaining = set(wanted)
        found: dict[str, Tensor] = {}

        def tap(name: str, value: Tensor) -> bool:
            if name in remaining:
                found[name] = value.float()
                remaining.discard(name)
            return not remaining

        if not remaining:
            return found
        x = self.prepare(x)
        *inner, last = self.encoder.named_children()
        for name, stage in inner:
            x = stage(x)
            if name in remaining and tap(name, pooled(x, pooling)):
                return found
        x = last[1](x)
        if "encoder" in remaining and tap("encoder", pooled(x, pooling)):
            return found
        for name, value in self.projector.outputs(pooled(x)):
            if tap(name, value):
                return found
        return found

    def parameter_counts(self) -> dict[str, int]:
        """Number of parameters: {"encoder", "projector", "total"}."""
        encoder = sum(p.numel() for p in self.encoder.parameters())
        projector = sum(p.numel() for p in self.projector.parameters())
        return {"encoder": encoder, "projector": projector, "total": encoder + projector}
