"""Networks of the memorization papers: an encoder, whose features are probed, and a projector on top of it."""

from __future__ import annotations

from rote.models.build import build, names
from rote.models.convnet import convnet
from rote.models.encoder_projector import EncoderProjector, Projector
from rote.models.mlp import mlp
from rote.models.resnet18 import resnet18

__all__ = ["EncoderProjector", "Projector", "build", "convnet", "mlp", "names", "resnet18"]
