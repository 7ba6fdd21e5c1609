"""rote/models/small_inception.py: the small Inception of arXiv 1611.03530."""

from __future__ import annotations

from torch import Tensor, nn

from rote.models.branches import Branches
from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

DEFAULT_WIDTH = 96
# (channels of the 1x1, of the 3x3 convolution) of an Inception module, or the channels of a downsampling one.
MODULES: tuple[tuple[int, ...], ...] = (
    *((32, 32), (32, 48), (80,)),
    *((112, 48), (96, 64), (80, 80), (48, 96), (96,)),
    *((176, 160), (176, 160)),
)


class ConvModule(nn.Sequential):
    """Convolution with a bias -> normalization -> ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, norm: str) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2),
            normalization(norm, out_channels, spatial=True),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> float [B, C', H / stride, W / stride]."""
        return super().forward(x)


def small_inception(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """A 3x3 convolution, eight Inception modules with a downsampling one before the third and the seventh, the mean.

    An Inception module is a 1x1 beside a 3x3 convolution, a downsampling one a 3x3 convolution of stride 2 beside a
    3x3 max-pooling; every convolution has a bias, normalization and ReLU behind it. The head is one linear layer.
    1,649,402 parameters at width 96, three channels and ten classes, those of normalization layers not counted.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8. The paper crops CIFAR-10 to 28.
        num_classes: number of class scores.
        width: channels of the first convolution, 96 by default; all others in proportion.
        depth: None; the modules are the paper's.
        projector_width: None for the paper's linear head, or the hidden width of a projector.
        norm: "batch" (the paper), "group", "layer" or "none" (its "Inception without BN").

    Raises:
        ValueError: the image is smaller than 8 x 8, or a depth.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for small-inception; got {image_size}")
    if depth is not None:
        raise ValueError(f"depth must be None for small-inception, whose modules are fixed; got {depth}")
    width = DEFAULT_WIDTH if width is None else width

    def scaled(channels: int) -> int:
        return max(1, round(channels * width / DEFAULT_WIDTH))

    stages: list[tuple[str, nn.Module]] = [("conv", ConvModule(in_channels, width, 3, 1, norm))]
    channels, down, inception = width, 0, 0
    for sizes in MODULES:
        if len(sizes) == 1:
            down += 1
            own = scaled(sizes[0])
            pool = nn.MaxPool2d(3, 2, padding=1)
            stages.append((f"down{down}", Branches([ConvModule(channels, own, 3, 2, norm), pool])))
            channels += own
            continue
        inception += 1
        one, three = map(scaled, sizes)
        branches = [ConvModule(channels, one, 1, 1, norm), ConvModule(channels, three, 3, 1, norm)]
        stages.append((f"inception{inception}", Branches(branches)))
        channels = one + three
    return EncoderProjector(stages, features=channels, num_classes=num_classes, projector_width=projector_width)
