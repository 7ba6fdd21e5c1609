"""rote/models/build.py: networks by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rote.models.convnet import convnet
from rote.models.encoder_projector import EncoderProjector
from rote.models.initialization import seeded
from rote.models.mlp import mlp
from rote.models.normalization import check_norm
from rote.models.resnet18 import resnet18
from rote.models.resnet50 import resnet50
from rote.models.small_alexnet import closer_look_cnn, small_alexnet
from rote.models.small_inception import small_inception
from rote.models.vgg16 import vgg16
from rote.models.vit_tiny import vit_tiny
from rote.models.whitening import PerImageWhitening
from rote.models.wrn_28_1 import wrn_28_1
from rote.models.zhang_mlp import zhang_mlp

_NETWORKS: dict[str, Callable[..., EncoderProjector]] = {
    "closer-look-cnn": closer_look_cnn,
    "convnet": convnet,
    "mlp": mlp,
    "resnet18": resnet18,
    "resnet50": resnet50,
    "small-alexnet": small_alexnet,
    "small-inception": small_inception,
    "vgg16": vgg16,
    "vit-tiny": vit_tiny,
    "wrn-28-1": wrn_28_1,
    "zhang-mlp": zhang_mlp,
}


def names() -> tuple[str, ...]:
    """The names that `build` knows."""
    return tuple(_NETWORKS)


def build(
    name: str,
    *,
    in_channels: int,
    image_size: int | Sequence[int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
    whiten: bool = False,
    seed: int = 0,
) -> EncoderProjector:
    """A named network with weights that depend on `seed` alone.

    Args:
        name: one of `names()`: "closer-look-cnn", "convnet", "mlp", "resnet18", "resnet50", "small-alexnet",
            "small-inception", "vgg16", "vit-tiny", "wrn-28-1" or "zhang-mlp".
        in_channels: channels of the images.
        image_size: pixels, one number or (height, width).
        num_classes: number of class scores.
        width: the network's width dial; None is the network's own default.
        depth: the network's depth dial; None is the network's own default. Convolutions of `convnet`, hidden layers of
            `mlp`, blocks of each of the four stages of a residual network, convolutions of each of the five stages of
            `vgg16`, blocks of `vit-tiny`, blocks of each of the three groups of `wrn-28-1`, hidden layers of
            `zhang-mlp`. `closer-look-cnn`, `small-alexnet` and `small-inception` have none.
        projector_width: hidden width of the projector; None is the network's own default, of the networks of arXiv
            1611.03530 and 1706.05394 a linear head in its place.
        norm: "batch", "group" (groups of eight channels), "layer" (all channels and positions of an image) or "none".
            Tokens of `vit-tiny` are normalized one by one; the transformer of the literature is "layer", not the
            default.
        whiten: bring every image to mean 0 and variance 1 first (`PerImageWhitening`).
        seed: of the initialization, 0 <= seed < 2**64.

    Returns:
        The network in train mode on the CPU, float32.

    Raises:
        ValueError: an unknown name or normalization, or a size that is not positive.

    Example:
        >>> rote.models.build("resnet18", in_channels=3, image_size=32, num_classes=10).parameter_counts()
        {'encoder': 11168832, 'projector': 34209792, 'total': 45378624}
    """
    if name not in _NETWORKS:
        raise ValueError(f"model name must be one of {', '.join(names())}; got {name!r}")
    check_norm(norm)
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(size) != 2:
        raise ValueError(f"image_size must be one number or (height, width); got {image_size!r}")
    sizes = {"in_channels": in_channels, "image_size": min(size), "num_classes": num_classes}
    sizes |= {"width": width, "depth": depth, "projector_width": projector_width}
    for argument, value in sizes.items():
        if value is not None and value < 1:
            raise ValueError(f"{argument} must be at least 1; got {value}")
    network = seeded(
        lambda: _NETWORKS[name](
            in_channels=in_channels,
            image_size=size,
            num_classes=num_classes,
            width=width,
            depth=depth,
            projector_width=projector_width,
            norm=norm,
        ),
        seed,
    )
    if whiten:
        network.prepare = PerImageWhitening()
    return network
