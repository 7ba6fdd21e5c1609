"""Networks of the memorization papers: an encoder, whose features are probed, and a projector on top of it."""

from __future__ import annotations

from rote.models.build import build, names
from rote.models.convnet import convnet
from rote.models.encoder_projector import EncoderProjector, LinearHead, Projector
from rote.models.mlp import mlp
from rote.models.pooling import POOLINGS, pooled
from rote.models.resnet18 import resnet18
from rote.models.resnet50 import resnet50
from rote.models.small_alexnet import closer_look_cnn, small_alexnet
from rote.models.small_inception import small_inception
from rote.models.vgg16 import vgg16
from rote.models.vit_tiny import vit_tiny
from rote.models.whitening import PerImageWhitening
from rote.models.wrn_28_1 import wrn_28_1
from rote.models.zhang_mlp import zhang_mlp

__all__ = [
    "POOLINGS",
    "EncoderProjector",
    "LinearHead",
    "PerImageWhitening",
    "Projector",
    "build",
    "closer_look_cnn",
    "convnet",
    "mlp",
    "names",
    "pooled",
    "resnet18",
    "resnet50",
    "small_alexnet",
    "small_inception",
    "vgg16",
    "vit_tiny",
    "wrn_28_1",
    "zhang_mlp",
]
