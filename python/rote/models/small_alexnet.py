"""rote/models/small_alexnet.py: two 5x5 convolutions and two dense layers, of arXiv 1611.03530 and arXiv 1706.05394."""

from __future__ import annotations

from torch import nn

from rote.models.dense import dense
from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

ALEXNET_WIDTH, CLOSER_LOOK_WIDTH = 64, 200
DENSE = (384, 192)


def small_alexnet(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """Twice convolution 5x5 -> ReLU -> 3x3 max-pooling -> local response normalization, then dense 384 and 192.

    1,387,786 parameters at width 64, 28 x 28 pixels, three channels, ten classes and norm "none", the paper's. It does
    not state the constants of the response normalization; they are those of TensorFlow's CIFAR-10 example (radius 4,
    bias 1, alpha .001 / 9, beta .75). Another norm stands behind each convolution and dense layer.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8. The paper crops CIFAR-10 to 28.
        num_classes: number of class scores.
        width: filters of each convolution, 64 by default; the dense layers stay.
        depth: None; the layers are the paper's.
        projector_width: None for the paper's linear head, or the hidden width of a projector.
        norm: "none" (the paper), "batch", "group" or "layer".

    Raises:
        ValueError: the image is smaller than 8 x 8, or a depth.
    """
    filters = ALEXNET_WIDTH if width is None else width
    return _network("small-alexnet", filters, True, in_channels, image_size, num_classes, depth, projector_width, norm)


def closer_look_cnn(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """The CNN of arXiv 1706.05394: convolution 5x5 -> norm -> ReLU -> 3x3 max-pooling, twice, then dense 384 and 192.

    Batch normalization behind the dense layers as well. The paper states neither the padding of convolutions nor the
    stride of the poolings: here convolutions keep the size and poolings halve it.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8. The paper crops CIFAR-10 to 28.
        num_classes: number of class scores.
        width: filters of each convolution, 200 by default; the dense layers stay.
        depth: None; the layers are the paper's.
        projector_width: None for the paper's linear head, or the hidden width of a projector.
        norm: "batch" (the paper), "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8, or a depth.
    """
    filters = CLOSER_LOOK_WIDTH if width is None else width
    return _network(
        "closer-look-cnn", filters, False, in_channels, image_size, num_classes, depth, projector_width, norm
    )


def _network(
    name: str,
    filters: int,
    response_norm: bool,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    depth: int | None,
    projector_width: int | None,
    norm: str,
) -> EncoderProjector:
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for {name}; got {image_size}")
    if depth is not None:
        raise ValueError(f"depth must be None for {name}, whose layers are fixed; got {depth}")
    stages: list[tuple[str, nn.Module]] = []
    channels, (height, width) = in_channels, image_size
    for index in (1, 2):
        layers = [
            nn.Conv2d(channels, filters, 5, padding=2),
            normalization(norm, filters, spatial=True),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, padding=1),
        ]
        if response_norm:
            # torch divides alpha by the size, TensorFlow does not.
            layers.append(nn.LocalResponseNorm(9, alpha=1e-3, beta=0.75, k=1.0))
        stages.append((f"conv{index}", nn.Sequential(*layers)))
        channels, height, width = filters, (height + 1) // 2, (width + 1) // 2
    features = channels * height * width
    for index, size in enumerate(DENSE, start=1):
        stages.append((f"dense{index}", dense(features, size, norm)))
        features = size
    return EncoderProjector(stages, features=features, num_classes=num_classes, projector_width=projector_width)
