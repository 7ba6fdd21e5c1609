"""rote/models/mlp.py: a fully connected encoder, for the smallest capacity experiments."""

from __future__ import annotations

from torch import nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

DEFAULT_DEPTH = 2
DEFAULT_WIDTH = 128


def mlp(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """Hidden layers, Linear -> normalization -> ReLU, on the flattened pixels; the last is the encoder's output.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels.
        num_classes: number of class scores.
        width: width of the hidden layers, 128 by default.
        depth: number of hidden layers, 2 by default.
        projector_width: hidden width of the projector, the encoder's width by default.
        norm: "batch", "group", "layer" or "none".
    """
    width = DEFAULT_WIDTH if width is None else width
    stages = []
    features = in_channels * image_size[0] * image_size[1]
    for index in range(DEFAULT_DEPTH if depth is None else depth):
        layer = nn.Sequential(
            # Only the first layer meets an image; flattening [B, D] is the identity.
            nn.Flatten(),
            nn.Linear(features, width, bias=norm == "none"),
            normalization(norm, width, spatial=False),
            nn.ReLU(inplace=True),
        )
        stages.append((f"layer{index + 1}", layer))
        features = width
    return EncoderProjector(
        stages,
        features=width,
        num_classes=num_classes,
        projector_width=width if projector_width is None else projector_width,
    )
