"""rote/models/dense.py: fully connected layers with biases, as the networks of 2016 and 2017 end in."""

from __future__ import annotations

from torch import nn

from rote.models.normalization import normalization


def dense(in_features: int, out_features: int, norm: str) -> nn.Sequential:
    """Flatten -> Linear with a bias -> normalization -> ReLU: float [B, ...] -> [B, out_features]."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(in_features, out_features),
        normalization(norm, out_features, spatial=False),
        nn.ReLU(inplace=True),
    )
