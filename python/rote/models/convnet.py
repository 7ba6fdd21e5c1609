"""rote/models/convnet.py: the small convolutional net that two CPU cores train in minutes."""

from __future__ import annotations

from torch import nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

# Width of the three resolutions as a multiple of the first one's. The first convolution halves the resolution already:
# at full resolution it would cost as much as the whole rest.
MULTIPLES = (1, 2, 4)
DEFAULT_DEPTH = 3
# Below this size a second convolution follows the first at its resolution, so that the last one sees the whole image
# (19 pixels) rather than most of it; on 16-pixel digits random labels are then memorized in half the epochs.
SMALL_BELOW = 24
DEFAULT_DEPTH_OF_SMALL = 4
DEFAULT_WIDTH = 32
# Hidden width of the projector as a multiple of the first stage's width.
PROJECTOR_MULTIPLE = 32


def convnet(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """3x3 convolutions, each with normalization and ReLU; the encoder's output has 4 x width features.

    Three of them, four for images below 24 pixels; either way the image is halved three times. Every convolution is a
    layer of its own, `stage1`, `stage2`, ...; those beyond the third are added without stride, one to each resolution
    in turn, the first one first. A depth of 1 or 2 ends at the first or second resolution, with width or 2 x width
    features.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8, so that the last stage still sees a neighbourhood.
        num_classes: number of class scores.
        width: channels of the first stage, 32 by default.
        depth: number of convolutions, 3 by default, 4 for images below 24 pixels.
        projector_width: hidden width of the projector, 32 x width by default.
        norm: "batch", "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for convnet; got {image_size}")
    width = DEFAULT_WIDTH if width is None else width
    if depth is None:
        depth = DEFAULT_DEPTH_OF_SMALL if min(image_size) < SMALL_BELOW else DEFAULT_DEPTH
    stages: list[tuple[str, nn.Module]] = []
    channels = in_channels
    for level, multiple in enumerate(MULTIPLES):
        for repeat in range(len(range(level, depth, len(MULTIPLES)))):
            out = multiple * width
            stages.append((f"stage{len(stages) + 1}", conv_stage(channels, out, 1 if repeat else 2, norm)))
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
