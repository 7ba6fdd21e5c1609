"""rote/models/vgg16.py: VGG-16 for small images, 13 convolutions and global average pooling."""

from __future__ import annotations

from torch import nn

from rote.models.convnet import conv_stage
from rote.models.encoder_projector import EncoderProjector

# Convolutions of each stage, and its channels as a multiple of the first one's.
CONVOLUTIONS = (2, 2, 3, 3, 3)
MULTIPLES = (1, 2, 4, 8, 8)
DEFAULT_WIDTH = 64
DEFAULT_PROJECTOR_WIDTH = 65_536


def vgg16(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """VGG-16 (Simonyan & Zisserman 2015, configuration D) without its fully connected layers.

    Five stages of 3x3 convolutions, each with normalization and ReLU, and a 2x2 max-pooling at the end of each. Images
    below 32 pixels go without the last poolings: none is made where a side is a single pixel already. 14,718,912
    encoder parameters at width 64 and three channels.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8.
        num_classes: number of class scores.
        width: channels of the first stage, 64 by default; the stages have 1, 2, 4, 8 and 8 times as many.
        depth: convolutions of each stage; 2, 2, 3, 3 and 3 by default.
        projector_width: hidden width of the projector, 65,536 by default.
        norm: "batch", "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for vgg16; got {image_size}")
    width = DEFAULT_WIDTH if width is None else width
    stages: list[tuple[str, nn.Module]] = []
    channels, side = in_channels, min(image_size)
    for index, multiple in enumerate(MULTIPLES):
        layers: list[nn.Module] = []
        for _ in range(CONVOLUTIONS[index] if depth is None else depth):
            layers.append(conv_stage(channels, multiple * width, 1, norm))
            channels = multiple * width
        if side >= 2:
            layers.append(nn.MaxPool2d(2))
            side //= 2
        stages.append((f"stage{index + 1}", nn.Sequential(*layers)))
    return EncoderProjector(
        stages,
        features=channels,
        num_classes=num_classes,
        projector_width=DEFAULT_PROJECTOR_WIDTH if projector_width is None else projector_width,
    )
