"""rote/train/losses.py: the papers' two losses."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def mse(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over batch and classes of (logit - onehot)^2, on raw outputs (arXiv 2210.14019).

    Args:
        logits: float [B, C].
        labels: int64 [B].

    Returns:
        float32 scalar.
    """
    logits = _wide(logits)
    target = torch.zeros_like(logits).scatter_(1, labels.unsqueeze(1), 1.0)
    return F.mse_loss(logits, target)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the batch of -log softmax(logits)[label], in nats; float [B, C], int64 [B] -> float32 scalar."""
    return F.cross_entropy(_wide(logits), labels)


def _wide(logits: Tensor) -> Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": mse, "ce": cross_entropy}
