"""rote/models/residual.py: what the residual networks share, stem and four stages of blocks (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

DEFAULT_WIDTH = 64
# The hidden width of the paper's reproduction command: three times as many parameters as the encoder of ResNet-18.
DEFAULT_PROJECTOR_WIDTH = 65_536
# From this size on the stem halves the image ("medium"); below it keeps every pixel ("small").
MEDIUM_FROM = 64

#: (in channels, inner channels, stride, norm) -> a block.
Block = Callable[[int, int, int, str], nn.Module]


def residual_network(
    name: str,
    block: Block,
    expansion: int,
    blocks: Sequence[int],
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None,
    projector_width: int | None,
    norm: str,
) -> EncoderProjector:
    """A 3x3 stem without max-pooling, then four stages; each but the first halves the image and doubles the channels.

    The stem has stride 1 for images below 64 pixels, "small" of arXiv 2210.14019, and stride 2 from 64 pixels on,
    "medium"; the shorter side decides. Both have the same parameters.

    Args:
        name: of the network, for errors.
        block: makes a block.
        expansion: channels a block gives, as a multiple of its inner channels.
        blocks: number of blocks of each of the four stages.
        in_channels: channels of the images.
        image_size: (height, width) in pixels.
        num_classes: number of class scores.
        width: channels of the stem, 64 by default.
        projector_width: hidden width of the projector, 65,536 by default.
        norm: "batch", "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for {name}; got {image_size}")
    width = DEFAULT_WIDTH if width is None else width
    stem = nn.Sequential(
        nn.Conv2d(in_channels, width, 3, 2 if min(image_size) >= MEDIUM_FROM else 1, padding=1, bias=norm == "none"),
        normalization(norm, width, spatial=True),
        nn.ReLU(inplace=True),
    )
    stages: list[tuple[str, nn.Module]] = [("stem", stem)]
    channels = width
    for index, count in enumerate(blocks):
        inner = width * 2**index
        made = []
        for position in range(count):
            made.append(block(channels, inner, 2 if index > 0 and position == 0 else 1, norm))
            channels = inner * expansion
        stages.append((f"layer{index + 1}", nn.Sequential(*made)))
    return EncoderProjector(
        stages,
        features=channels,
        num_classes=num_classes,
        projector_width=DEFAULT_PROJECTOR_WIDTH if projector_width is None else projector_width,
    )


def shortcut(in_channels: int, out_channels: int, stride: int, norm: str) -> nn.Module:
    """The identity, or a 1x1 convolution with normalization where the shape changes."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, stride, bias=norm == "none"),
        normalization(norm, out_channels, spatial=True),
    )
