"""rote/train/replica_optimizer.py: one fused optimizer for R networks with learning rates of their own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rote.train.config import TrainConfig
from rote.train.schedules import learning_rate

#: Optimizers whose update of a weight depends on that weight's own gradient and history alone.
ELEMENTWISE = ("adam", "sgd")


class ReplicaOptimizer:
    """Adam or SGD over parameters [R n, ...] of R replicas.

    The fused kernels know one learning rate. Where those of the replicas differ, the kernel updates q = w / s with the
    learning rate of replica 0 and the gradient of w, s_r = lr_r / lr_0, and w = s q: the update of w by lr_r. Every
    schedule is a multiple of lr, so that s does not depend on the step.

    Args:
        parameters: leaves of the batched network.
        configs: of the replicas, alike but for lr.
    """

    def __init__(self, parameters: Sequence[Tensor], configs: Sequence[TrainConfig]) -> None:
        self.parameters = list(parameters)
        self.config = configs[0]
        rates = torch.tensor([config.lr for config in configs], dtype=torch.float64)
        self._scales: list[Tensor] = []
        self.stepped = self.parameters
        decay = self.config.weight_decay
        if bool((rates != rates[0]).any()):
            self._scales = [_scale(rates / rates[0], p) for p in self.parameters]
            self.stepped = [
                (p.detach().double() / s).to(p.dtype) for p, s in zip(self.parameters, self._scales, strict=True)
            ]
            self._scales = [s.to(p.dtype) for s, p in zip(self._scales, self.parameters, strict=True)]
            decay = 0.0
        how = {"lr": self.config.lr, "weight_decay": decay, "fused": True}
        self.torch: torch.optim.Optimizer = (
            torch.optim.Adam(self.stepped, **how)
            if self.config.optimizer == "adam"
            else torch.optim.SGD(self.stepped, momentum=self.config.momentum, **how)
        )

    def prepare(self, fields: Sequence[str]) -> None:
        """Makes the state that the first update would make, for values to be put in."""
        for p in self.stepped:
            for field in fields:
                self.torch.state[p][field] = (
                    torch.zeros((), dtype=torch.float32, device=p.device) if field == "step" else torch.zeros_like(p)
                )

    @torch.no_grad()
    def step(self, step: int, total_steps: int) -> None:
        """One update by the gradients of the parameters, which are dropped."""
        self.torch.param_groups[0]["lr"] = learning_rate(self.config, step, total_steps)
        if self._scales:
            gradients = [p.grad for p in self.parameters]
            if self.config.weight_decay:
                torch._foreach_add_(gradients, self.parameters, alpha=self.config.weight_decay)
            for q, gradient in zip(self.stepped, gradients, strict=True):
                q.grad = gradient
        self.torch.step()
        for p, q, s in zip(self.parameters, self.stepped, self._scales, strict=False):
            torch.mul(q, s, out=p)
            q.grad = None
        for p in self.parameters:
            p.grad = None


def _scale(rates: Tensor, parameter: Tensor) -> Tensor:
    """The replicas' numbers, float64 [R n, 1, ...], beside a parameter [R n, ...]."""
    rows = rates.repeat_interleave(len(parameter) // len(rates))
    return rows.view(-1, *[1] * (parameter.dim() - 1)).to(parameter.device)
