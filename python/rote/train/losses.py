"""rote/train/losses.py: the papers' two losses, on hard and on soft labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from rote.train.config import TrainConfig

Loss = Callable[[Tensor, Tensor], Tensor]
"""(logits [B, C], labels int64 [B] or float [B, classes]) -> scalar."""


def mse(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over batch and classes of (logit - label)^2, on raw outputs (arXiv 2210.14019).

    Args:
        logits: float [B, C].
        labels: int64 [B], one-hot in the formula; or float [B, K], K <= C, whose classes from K on have share 0.

    Returns:
        float32 scalar; float64 for float64 logits.

    Raises:
        ValueError: labels of another shape.
    """
    logits = _wide(logits)
    if labels.dim() == 1:
        target = torch.zeros_like(logits).scatter_(1, labels.unsqueeze(1), 1.0)
    else:
        target = _shares(labels, logits)
    return F.mse_loss(logits, target)


def cross_entropy(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Mean over the batch of -sum_c t_c log softmax(logits)_c in nats, t = (1 - smoothing) label + smoothing / C.

    Label smoothing is that of Szegedy et al. (arXiv 1512.00567) as torch defines it.

    Args:
        logits: float [B, C].
        labels: int64 [B]; or float [B, K], K <= C, whose classes from K on have share 0.
        label_smoothing: share of a label spread evenly over all C classes, in [0, 1].

    Returns:
        float32 scalar; float64 for float64 logits.

    Raises:
        ValueError: labels of another shape.
    """
    logits = _wide(logits)
    target = labels if labels.dim() == 1 else _shares(labels, logits)
    return F.cross_entropy(logits, target, label_smoothing=label_smoothing)


def make_loss(config: TrainConfig) -> Loss:
    """The config's loss."""
    if config.loss == "mse":
        return mse
    if config.label_smoothing == 0:
        return cross_entropy
    return partial(cross_entropy, label_smoothing=config.label_smoothing)


def _wide(logits: Tensor) -> Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()


def _shares(labels: Tensor, logits: Tensor) -> Tensor:
    """Soft labels with as many columns as the logits have."""
    if labels.dim() != 2 or len(labels) != len(logits) or labels.shape[1] > logits.shape[1]:
        raise ValueError(
            f"labels must be int64 [B] or float [B, classes] for logits {list(logits.shape)}; got {list(labels.shape)}"
        )
    return F.pad(labels, (0, logits.shape[1] - labels.shape[1])).to(logits.dtype)
