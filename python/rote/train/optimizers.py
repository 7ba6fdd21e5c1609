"""rote/train/optimizers.py: the optimizer that a config names, over the parameters of a network."""

from __future__ import annotations

import torch
from torch import nn

from rote.train.adam import Adam
from rote.train.config import TrainConfig
from rote.train.lars import LARS
from rote.train.muon import Muon, hidden_matrices


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The config's optimizer over all parameters that want a gradient.

    adam and sgd are torch's, as one fused kernel a step (adam by way of `rote.train.adam`); lars and muon those of
    `rote.train.lars` and `rote.train.muon`.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    lr, momentum, weight_decay = config.lr, config.momentum, config.weight_decay
    if config.optimizer == "adam":
        return Adam(parameters, lr, weight_decay)
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=weight_decay, fused=True)
    if config.optimizer == "lars":
        return LARS(parameters, lr, momentum, weight_decay)
    matrices = hidden_matrices(model)
    chosen = {id(matrix) for matrix in matrices}
    return Muon(matrices, [p for p in parameters if id(p) not in chosen], lr, momentum, weight_decay)
