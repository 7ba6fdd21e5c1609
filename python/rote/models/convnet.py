"""rote/models/convnet.py: the small convolutional net that two CPU cores train in minutes."""

from __future__ import annotations

from torch import nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

# Width of the stages as a multiple of the first one's; every stage but the first halves the resolution.
MULTIPLES = (1, 2, 4)
# From this size on the first stage halves it too: at full resolution it would cost as much as the whole rest.
STRIDED_STEM_FROM = 24
DEFAULT_WIDTH = 32
# Hidden width of the projector as a multiple of the first stage's width.
PROJECTOR_MULTIPLE = 64


def convnet(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """Three 3x3 convolutions, each with normalization and ReLU; the encoder's output has 4 x width features.

    Images from 24 pixels on are halved three times, smaller ones twice, so that 32 and 16 pixels both end at 4 x 4.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8, so that the last stage still sees a neighbourhood.
        num_classes: number of class scores.
        width: channels of the first stage, 32 by default.
        projector_width: hidden width of the projector, 64 x width by default.
        norm: "batch", "group" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for convnet; got {image_size}")
    width = DEFAULT_WIDTH if width is None else width
    stages = []
    channels = in_channels
    for index, multiple in enumerate(MULTIPLES):
        out = multiple * width
        stride = 1 if index == 0 and min(image_size) < STRIDED_STEM_FROM else 2
        stages.append((f"stage{index + 1}", conv_stage(channels, out, stride, norm)))
        channels = out
    return EncoderProjector(
        stages,
        features=channels,
        num_classes=num_classes,
        projector_width=PROJECTOR_MULTIPLE * width if projector_width is None else projector_width,
    )


def conv_stage(in_channels: int, out_channels: int, stride: int, norm: str) -> nn.Sequential:
    """3x3 convolution -> normalization -> ReLU; the convolution has a bias only where no normalization follows."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=norm == "none"),
        normalization(norm, out_channels, spatial=True),
        nn.ReLU(inplace=True),
    )
