"""rote/train/replica_losses.py: losses of R networks in one pass, with their gradients by formula."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from rote.train.config import TrainConfig


class ReplicaLoss(NamedTuple):
    """What a step needs to know of its class scores."""

    losses: Tensor  #: [R], as `rote.train.losses` defines them
    gradient: Tensor  #: [R, K, B], of the sum of the losses with respect to the scores
    correct: Tensor  #: [R], predictions that are right


def replica_loss(scores: Tensor, labels: Tensor, own: Tensor, config: TrainConfig) -> ReplicaLoss:
    """Loss, gradient and correct predictions of each replica; nothing here is recorded by autograd.

    mse: mean over batch and classes of (z - t)^2, gradient 2 (z - t) / (B K). ce: -sum_k t log softmax(z), mean over
    the batch, gradient (|t|_1 softmax(z) - t) / B; t = (1 - s) label + s / K under label smoothing s.

    Args:
        scores: float [R, K, B].
        labels: int64 [R, B], or shares of classes float [R, B, K'], K' <= K.
        own: int64 [R, B], the labels that predictions are held to.
        config: loss and label_smoothing are read here.
    """
    with torch.no_grad():
        scores = scores.detach()
        if scores.dtype != torch.float64:
            scores = scores.float()
        _, classes, batch = scores.shape
        if labels.dim() == 2:
            targets = torch.zeros_like(scores).scatter_(1, labels.unsqueeze(1), 1.0)
        else:
            targets = F.pad(labels.to(scores.dtype), (0, classes - labels.shape[2])).transpose(1, 2)
        # As argmax, which takes six times as long along a dimension that is not the last.
        correct = (scores.max(1).indices == own).sum(1)
        if config.loss == "mse":
            difference = scores - targets
            losses = difference.square().mean((1, 2))
            return ReplicaLoss(losses, difference.mul_(2 / (batch * classes)), correct)
        if config.label_smoothing > 0:
            targets = targets.mul_(1 - config.label_smoothing).add_(config.label_smoothing / classes)
        logs = scores.log_softmax(1)
        losses = (targets * logs).sum((1, 2)) / -batch
        gradient = logs.exp_().mul_(targets.sum(1, keepdim=True)).sub_(targets).div_(batch)
        return ReplicaLoss(losses, gradient, correct)
