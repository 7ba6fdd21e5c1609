"""rote/models/replica_layers.py: the layers of R networks in one, whose channels hold the replicas.

Features of linear networks may lie transposed in memory: a batched product gives [R, D, B], which as [B, R D] has
strides (1, B). Each layer here takes and gives either layout without copying where its operator allows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ReplicaLinear(nn.Module):
    """R linear layers as one batched product; weight [R, out, in], bias [R, out, 1] or None."""

    def __init__(self, replicas: int, layer: nn.Linear) -> None:
        super().__init__()
        self.replicas, self.in_features, self.out_features = replicas, layer.in_features, layer.out_features
        self.weight = nn.Parameter(layer.weight.detach().repeat(replicas, 1, 1))
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().repeat(replicas, 1).unsqueeze(2))

    def forward(self, x: Tensor) -> Tensor:
        """float [B, R in] -> float [B, R out] with strides (1, B)."""
        replicas = self.replicas
        columns = x.t()
        if columns.is_contiguous():
            columns = columns.view(replicas, self.in_features, -1)
        else:
            columns = x.reshape(-1, replicas, self.in_features).permute(1, 2, 0)
        out = torch.bmm(self.weight, columns) if self.bias is None else torch.baddbmm(self.bias, self.weight, columns)
        return out.view(replicas * self.out_features, -1).t()


class ReplicaConv2d(nn.Module):
    """R convolutions as one with R times as many groups."""

    def __init__(self, replicas: int, layer: nn.Conv2d) -> None:
        super().__init__()
        self.weight = _repeated(replicas, layer.weight)
        self.bias = None if layer.bias is None else _repeated(replicas, layer.bias)
        self.how = (layer.stride, layer.padding, layer.dilation, layer.groups * replicas)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, R in, H, W] -> float [B, R out, H', W']."""
        return F.conv2d(x, self.weight, self.bias, *self.how)


class ReplicaBatchNorm(nn.Module):
    """R batch normalizations as one over R times as many channels."""

    def __init__(self, replicas: int, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        self.momentum, self.eps = layer.momentum, layer.eps
        self.weight = None if layer.weight is None else _repeated(replicas, layer.weight)
        self.bias = None if layer.bias is None else _repeated(replicas, layer.bias)
        self.register_buffer("running_mean", layer.running_mean.repeat(replicas))
        self.register_buffer("running_var", layer.running_var.repeat(replicas))
        self.register_buffer("num_batches_tracked", layer.num_batches_tracked.repeat(replicas))

    def forward(self, x: Tensor) -> Tensor:
        """float [B, R C] or [B, R C, H, W] -> the same shape."""
        if self.training:
            self.num_batches_tracked.add_(1)
        columns = x.t() if x.dim() == 2 else None
        if columns is None or not columns.is_contiguous():
            return self._normalized(x)
        return self._normalized(columns.unsqueeze(0)).squeeze(0).t()

    def _normalized(self, x: Tensor) -> Tensor:
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training, self.momentum, self.eps
        )


class ReplicaGroupNorm(nn.Module):
    """R group normalizations as one with R times as many groups."""

    def __init__(self, replicas: int, layer: nn.GroupNorm) -> None:
        super().__init__()
        self.groups, self.eps = replicas * layer.num_groups, layer.eps
        self.weight = None if layer.weight is None else _repeated(replicas, layer.weight)
        self.bias = None if layer.bias is None else _repeated(replicas, layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, R C, ...] -> the same shape."""
        return F.group_norm(x, self.groups, self.weight, self.bias, self.eps)


def _repeated(replicas: int, parameter: Tensor) -> nn.Parameter:
    """A parameter of R times the first dimension, replica after replica, filled with that of the first."""
    return nn.Parameter(parameter.detach().repeat(replicas, *[1] * (parameter.dim() - 1)))
