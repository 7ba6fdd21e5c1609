"""rote/models/resnet50.py: ResNet-50 with a 3x3 stem and no max-pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization
from rote.models.residual import residual_network, shortcut

BLOCKS = (3, 4, 6, 3)
# Channels that a bottleneck gives, as a multiple of those of its 3x3 convolution.
EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution with a shortcut (He et al. 2016); the 3x3 one has the stride, as in torchvision."""

    def __init__(self, in_channels: int, inner: int, stride: int, norm: str) -> None:
        super().__init__()
        bias = norm == "none"
        out_channels = EXPANSION * inner
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=bias)
        self.norm1 = normalization(norm, inner, spatial=True)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, bias=bias)
        self.norm2 = normalization(norm, inner, spatial=True)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=bias)
        self.norm3 = normalization(norm, out_channels, spatial=True)
        self.shortcut = shortcut(in_channels, out_channels, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> float [B, 4 x inner, H/stride, W/stride]."""
        out = torch.relu(self.norm1(self.conv1(x)))
        out = torch.relu(self.norm2(self.conv2(out)))
        return torch.relu(self.norm3(self.conv3(out)) + self.shortcut(x))


def resnet50(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """ResNet-50: 23,500,352 encoder parameters at width 64 and three channels.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8. From 64 pixels on the stem has stride 2.
        num_classes: number of class scores.
        width: channels of the stem, 64 by default; the stages give 4, 8, 16 and 32 times as many.
        depth: blocks of each stage; 3, 4, 6 and 3 by default.
        projector_width: hidden width of the projector, 65,536 by default.
        norm: "batch", "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    return residual_network(
        "resnet50",
        Bottleneck,
        EXPANSION,
        BLOCKS if depth is None else [depth] * 4,
        in_channels=in_channels,
        image_size=image_size,
        num_classes=num_classes,
        width=width,
        projector_width=projector_width,
        norm=norm,
    )
