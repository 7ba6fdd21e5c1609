"""rote/models/zhang_mlp.py: the multilayer perceptrons of arXiv 1611.03530, with biases and a linear head."""

from __future__ import annotations

from torch import nn

from rote.models.dense import dense
from rote.models.encoder_projector import EncoderProjector

DEFAULT_DEPTH = 1
DEFAULT_WIDTH = 512


def zhang_mlp(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """Hidden layers, Linear with a bias -> normalization -> ReLU, on the flattened pixels, and one linear layer.

    At norm "none" (the paper), 28 x 28 pixels, three channels and ten classes: 1,209,866 parameters at 1 x 512,
    1,735,178 at 3 x 512.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels.
        num_classes: number of class scores.
        width: width of the hidden layers, 512 by default.
        depth: number of hidden layers, 1 by default.
        projector_width: None for the paper's linear head, or the hidden width of a projector.
        norm: "none" (the paper), "batch", "group" or "layer".
    """
    width = DEFAULT_WIDTH if width is None else width
    stages: list[tuple[str, nn.Module]] = []
    features = in_channels * image_size[0] * image_size[1]
    for index in range(DEFAULT_DEPTH if depth is None else depth):
        stages.append((f"layer{index + 1}", dense(features, width, norm)))
        features = width
    return EncoderProjector(stages, features=features, num_classes=num_classes, projector_width=projector_width)
