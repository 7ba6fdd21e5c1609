"""rote/models/resnet18.py: ResNet-18 as in arXiv 2210.14019, with a 3x3 stem and no max-pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization
from rote.models.residual import residual_network, shortcut

DEFAULT_DEPTH = 2


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016); a 1x1 convolution where the shape changes."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: str) -> None:
        super().__init__()
        bias = norm == "none"
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=bias)
        self.norm1 = normalization(norm, out_channels, spatial=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, padding=1, bias=bias)
        self.norm2 = normalization(norm, out_channels, spatial=True)
        self.shortcut = shortcut(in_channels, out_channels, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> float [B, C', H/stride, W/stride]."""
        out = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


def resnet18(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """ResNet-18: 11,168,832 encoder parameters at width 64 and three channels.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8. From 64 pixels on the stem has stride 2.
        num_classes: number of class scores.
        width: channels of the stem, 64 by default; the stages have 1, 2, 4 and 8 times as many.
        depth: blocks of each stage, 2 by default.
        projector_width: hidden width of the projector, 65,536 by default.
        norm: "batch", "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    return residual_network(
        "resnet18",
        BasicBlock,
        1,
        [DEFAULT_DEPTH if depth is None else depth] * 4,
        in_channels=in_channels,
        image_size=image_size,
        num_classes=num_classes,
        width=width,
        projector_width=projector_width,
        norm=norm,
    )
