"""rote/models/wrn_28_1.py: a wide residual network of width 1 (Zagoruyko & Komodakis 2016)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

DEFAULT_WIDTH = 16
# Blocks of each of the three groups; with two convolutions each, the stem and the head, 28 layers.
DEFAULT_DEPTH = 4


class PreActivationBlock(nn.Module):
    """Normalization -> ReLU -> 3x3 convolution, twice, with a shortcut (He et al. 2016, identity mappings).

    Where the shape changes, the shortcut is a 1x1 convolution behind the first activation.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: str) -> None:
        super().__init__()
        self.norm1 = normalization(norm, in_channels, spatial=True)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm2 = normalization(norm, out_channels, spatial=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        changes = stride != 1 or in_channels != out_channels
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> float [B, C', H / stride, W / stride]."""
        active = torch.relu(self.norm1(x))
        out = self.conv2(torch.relu(self.norm2(self.conv1(active))))
        return out + (x if self.shortcut is None else self.shortcut(active))


def wrn_28_1(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """WRN-28-1: a 3x3 convolution, three groups of pre-activation blocks of 16, 32 and 64 channels, norm, ReLU, mean.

    369,498 parameters at three channels and ten classes, those of batch normalization counted.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8.
        num_classes: number of class scores.
        width: channels of the first group, 16 by default; the others have two and four times as many.
        depth: blocks of each group, 4 by default (28 layers).
        projector_width: None for a linear head, or the hidden width of a projector.
        norm: "batch", "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for wrn-28-1; got {image_size}")
    width = DEFAULT_WIDTH if width is None else width
    stages: list[tuple[str, nn.Module]] = [("stem", nn.Conv2d(in_channels, width, 3, padding=1, bias=False))]
    channels = width
    for group in range(3):
        blocks: list[nn.Module] = []
        for block in range(DEFAULT_DEPTH if depth is None else depth):
            blocks.append(PreActivationBlock(channels, width * 2**group, 2 if group > 0 and block == 0 else 1, norm))
            channels = width * 2**group
        if group == 2:
            blocks += [normalization(norm, channels, spatial=True), nn.ReLU(inplace=True)]
        stages.append((f"group{group + 1}", nn.Sequential(*blocks)))
    return EncoderProjector(stages, features=channels, num_classes=num_classes, projector_width=projector_width)
