"""Networks that a training may start from, beside a new one: what was learnt from random labels, whole or in part."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rote.metrics.alignment import first_layer
from rote.models import EncoderProjector

SCRATCH, RANDOM_LABELS, RESCALED, COVARIANCE = "scratch", "random-labels", "rescaled", "covariance"
STARTS = (SCRATCH, RANDOM_LABELS, RESCALED, COVARIANCE)


def taken_over(new: EncoderProjector, learnt: EncoderProjector, part: str) -> EncoderProjector:
    """`new` with the weights and buffers of `learnt`, of its encoder alone or of the whole network.

    Args:
        new: changed in place, and returned.
        learnt: of the same architecture, up to the number of classes where only the encoder is taken.
        part: "encoder" or "network".
    """
    if part == "encoder":
        new.encoder.load_state_dict(learnt.encoder.state_dict())
    else:
        new.load_state_dict(learnt.state_dict())
    return new


@torch.no_grad()
def rescaled(model: nn.Module, initial: nn.Module) -> nn.Module:
    """`model` with every parameter tensor scaled to the l2 norm that it has in `initial`; changed in place.

    Directions stay as learnt; what was zero at first (biases) is zero again, and a tensor that became zero stays zero.
    """
    for parameter, first in zip(model.parameters(), initial.parameters(), strict=True):
        norm = parameter.double().norm()
        scale = first.double().norm() / norm if norm > 0 else torch.zeros((), dtype=torch.float64)
        parameter.copy_((parameter.double() * scale).to(parameter.dtype))
    return model


@torch.no_grad()
def with_gaussian_filters(model: nn.Module, covariance: Tensor, seed: int) -> nn.Module:
    """`model` with first-layer filters drawn from N(0, covariance); changed in place.

    Args:
        model: any network.
        covariance: [d, d], of what a filter sees.
        seed: of the draw.
    """
    layer = first_layer(model)
    values, vectors = torch.linalg.eigh(covariance.double())
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(layer.weight.shape[0], len(values), dtype=torch.float64, generator=generator)
    filters = drawn * values.clamp(min=0.0).sqrt() @ vectors.T
    layer.weight.copy_(filters.view(layer.weight.shape).to(layer.weight.dtype))
    return model
