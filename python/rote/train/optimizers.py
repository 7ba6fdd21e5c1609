"""rote/train/optimizers.py: Adam and SGD, and learning rates that are functions of the step."""

from __future__ import annotations

import math

import torch
from torch import nn

from rote.train.config import TrainConfig

# One-cycle: linear from lr / 25 to lr over the first 30 %, then a half cosine down to nothing.
_WARMUP_SHARE = 0.3
_WARMUP_START = 1 / 25


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The config's optimizer over all parameters that want a gradient; one fused kernel a step."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    if config.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)
    return torch.optim.SGD(
        parameters, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay, fused=True
    )


def learning_rate(config: TrainConfig, step: int, total_steps: int) -> float:
    """The learning rate of `step` out of `total_steps`; past the end it stays what it was at the end.

    Raises:
        ValueError: total_steps < 1 or a negative step.
    """
    if total_steps < 1 or step < 0:
        raise ValueError(f"step must be >= 0 and total_steps >= 1; got {step} and {total_steps}")
    if config.schedule == "constant":
        return config.lr
    done = min(step / total_steps, 1.0)
    if config.schedule == "cosine":
        return config.lr * 0.5 * (1.0 + math.cos(math.pi * done))
    if done < _WARMUP_SHARE:
        return config.lr * (_WARMUP_START + (1.0 - _WARMUP_START) * done / _WARMUP_SHARE)
    return config.lr * 0.5 * (1.0 + math.cos(math.pi * (done - _WARMUP_SHARE) / (1.0 - _WARMUP_SHARE)))
