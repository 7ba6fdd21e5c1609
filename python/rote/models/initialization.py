"""rote/models/initialization.py: weights that depend on the seed alone, never on the global random state."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def seeded(construct: Callable[[], Module], seed: int) -> Module:
    """Constructs a network and draws its weights from one generator in module order.

    Convolutions: Kaiming normal, fan-out, gain of ReLU (He et al. 2015, as torchvision's ResNet). Linear layers:
    uniform in +-1/sqrt(fan_in), PyTorch's own default. Biases are zero, normalization layers start as the identity.
    The encoder is drawn before the projector, so that its weights do not depend on the projector's width.

    Args:
        construct: makes the network; its own draws are thrown away.
        seed: 0 <= seed < 2**64.

    Raises:
        ValueError: the seed is out of range.
    """
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be in [0, 2**64); got {seed}")
    # The constructors of torch.nn draw from the global generator; the fork gives back its state.
    with torch.random.fork_rng(devices=[]):
        model = construct()
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(module, nn.Linear):
            bound = 1.0 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)):
            nn.init.ones_(module.weight)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return model
