"""rote/train/lars.py: LARS, a learning rate for each layer by the norms of its weights and gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer


class LARS(Optimizer):
    """Layer-wise adaptive rate scaling (You, Gitman and Ginsburg, arXiv 1708.03888, algorithm 1).

    For weights w with gradient g, momentum m, weight decay b and learning rate lr:

        v <- m v + lr s (g + b w),  w <- w - v,  s = trust |w| / (|g| + b |w|)

    s is 1 where |w| or |g| is 0. Parameters with fewer than two dimensions (biases, normalization) have s = 1 and no
    weight decay. Nothing waits for the device.

    Args:
        parameters: the parameters.
        lr: learning rate, a float or a tensor of one element.
        momentum: m.
        weight_decay: b.
        trust: the trust coefficient.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Tensor,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust: float = 1e-3,
    ) -> None:
        parameters = list(parameters)
        groups = [
            {"params": [p for p in parameters if p.dim() >= 2], "adapted": True},
            {"params": [p for p in parameters if p.dim() < 2], "adapted": False},
        ]
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "trust": trust}
        super().__init__([group for group in groups if group["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights = [p for p in group["params"] if p.grad is not None]
            if not weights:
                continue
            gradients = [p.grad for p in weights]
            for p in weights:
                if "momentum_buffer" not in self.state[p]:
                    self.state[p]["momentum_buffer"] = torch.zeros_like(p)
            velocities = [self.state[p]["momentum_buffer"] for p in weights]
            if group["adapted"]:
                changes = _adapted(weights, gradients, group["weight_decay"], group["trust"])
                torch._foreach_mul_(changes, group["lr"])
            else:
                changes = torch._foreach_mul(gradients, group["lr"])
            torch._foreach_mul_(velocities, group["momentum"])
            torch._foreach_add_(velocities, changes)
            torch._foreach_sub_(weights, velocities)
        return loss


def _adapted(weights: list[Tensor], gradients: list[Tensor], weight_decay: float, trust: float) -> list[Tensor]:
    """s (g + b w) of every layer."""
    weight_norms = torch.stack(torch._foreach_norm(weights))
    gradient_norms = torch.stack(torch._foreach_norm(gradients))
    scale = trust * weight_norms / (gradient_norms + weight_decay * weight_norms)
    usable = (weight_norms > 0) & (gradient_norms > 0)
    scale = torch.where(usable, scale, torch.ones_like(scale))
    changes = torch._foreach_add(gradients, weights, alpha=weight_decay) if weight_decay else list(gradients)
    return list(torch._foreach_mul(changes, list(scale.unbind())))
