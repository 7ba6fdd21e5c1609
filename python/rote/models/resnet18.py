"""rote/models/resnet18.py: "ResNet18 small" of arXiv 2210.14019, the 3x3 stride-1 stem without max-pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

DEFAULT_WIDTH = 64
# The hidden width of the paper's reproduction command: three times as many parameters as the encoder.
DEFAULT_PROJECTOR_WIDTH = 65_536


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016); a 1x1 convolution where the shape changes."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: str) -> None:
        super().__init__()
        bias = norm == "none"
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=bias)
        self.norm1 = normalization(norm, out_channels, spatial=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, padding=1, bias=bias)
        self.norm2 = normalization(norm, out_channels, spatial=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=bias),
                normalization(norm, out_channels, spatial=True),
            )

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
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """ResNet-18 for small images: 11,168,832 encoder parameters at width 64 and three channels.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8 (the last stage works at an eighth).
        num_classes: number of class scores.
        width: channels of the stem, 64 by default; the stages have 1, 2, 4 and 8 times as many.
        projector_width: hidden width of the projector, 65,536 by default.
        norm: "batch", "group" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for resnet18; got {image_size}")
    width = DEFAULT_WIDTH if width is None else width
    stem = nn.Sequential(
        nn.Conv2d(in_channels, width, 3, 1, padding=1, bias=norm == "none"),
        normalization(norm, width, spatial=True),
        nn.ReLU(inplace=True),
    )
    stages: list[tuple[str, nn.Module]] = [("stem", stem)]
    channels = width
    for index in range(4):
        out = width * 2**index
        stride = 1 if index == 0 else 2
        blocks = nn.Sequential(BasicBlock(channels, out, stride, norm), BasicBlock(out, out, 1, norm))
        stages.append((f"layer{index + 1}", blocks))
        channels = out
    return EncoderProjector(
        stages,
        features=channels,
        num_classes=num_classes,
        projector_width=DEFAULT_PROJECTOR_WIDTH if projector_width is None else projector_width,
    )
