"""Networks of the memorization papers: an encoder, whose features are probed, and a projector on top of it."""

from __future__ import annotations

from rote.models.build import build, names
from rote.models.convnet import convnet
from rote.models.encoder_projector import EncoderProjector, Projector
from rote.models.mlp import mlp
from rote.models.pooling import POOLINGS, pooled
from rote.models.resnet18 import resnet18
from rote.models.resnet50 import resnet50
from rote.models.vgg16 import vgg16
from rote.models.vit_tiny import vit_tiny

__all__ = [
    "POOLINGS",
    "EncoderProjector",
    "Projector",
    "build",
    "convnet",
    "mlp",
    "names",
    "pooled",
    "resnet18",
    "resnet50",
    "vgg16",
    "vit_tiny",
]
