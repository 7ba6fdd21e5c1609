"""rote/train/replica_optimizer.py: one fused optimizer for R networks with learning rates of their own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from rote.train.config import TrainConfig
from rote.train.schedules import learning_rate

#: Optimizers whose update of a weight depends on that weight's own gradient and history alone.
ELEMENTWISE = ("adam", "sgd")


class ReplicaOptimizer:
    """Adam or SGD over parameters [R n, ...] of R replicas, whose memory it makes one vector.

    The fused kernels know one learning rate. Where those of the replicas differ, the kernel updates q = w / s with the
    learning rate of replica 0 and the gradient of w, s_r = lr_r / lr_0, and w = s q: the update of w by lr_r. Every
    schedule is a multiple of lr, so that s does not depend on the step.

    Args:
        parameters: leaves of the batched network, replica after replica.
        configs: of the replicas, alike but for lr.

    Attributes:
        state: everything the next update depends on besides weights and gradients, by name; either shaped like a
            parameter, or a scalar that all replicas share.
    """

    def __init__(self, parameters: Sequence[Tensor], configs: Sequence[TrainConfig]) -> None:
        self.parameters = list(parameters)
        self.config = configs[0]
        self._weights, _ = _one_vector(self.parameters)
        rates = torch.tensor([config.lr for config in configs], dtype=torch.float64)
        self._scale: Tensor | None = None
        self._stepped: list[Tensor] = self.parameters
        self.state: dict[str, Tensor] = {}
        if bool((rates != rates[0]).any()):
            rows = [(rates / rates[0]).repeat_interleave(p.numel() // len(rates)) for p in self.parameters]
            scale = torch.cat(rows).to(self._weights.device)
            self._scale = scale.to(self._weights.dtype)
            self._stepped = [p.detach() for p in self.parameters]
            self._scaled, self._stepped = _one_vector(self._stepped)
            self._scaled.copy_(self._weights.double() / scale)
            self.state |= {f"scaled/{i}": q for i, q in enumerate(self._stepped)}
        moments = {"adam": ("exp_avg", "exp_avg_sq"), "sgd": ("momentum_buffer",) if self.config.momentum else ()}
        self._moments = [[torch.zeros_like(q) for q in self._stepped] for _ in moments[self.config.optimizer]]
        for name, tensors in zip(moments[self.config.optimizer], self._moments, strict=True):
            self.state |= {f"{name}/{i}": tensor for i, tensor in enumerate(tensors)}
        if self.config.optimizer == "adam":
            self._step = torch.zeros((), device=self._weights.device)
            self.state["step"] = self._step

    @torch.no_grad()
    def step(self, step: int, total_steps: int) -> None:
        """One update by the gradients of the parameters, which are dropped."""
        gradients = [p.grad for p in self.parameters]
        decay = self.config.weight_decay
        if decay and self._scale is not None:
            torch._foreach_add_(gradients, self.parameters, alpha=decay)
            decay = 0.0
        lr = learning_rate(self.config, step, total_steps)
        if self.config.optimizer == "adam":
            self._step.add_(1)
            # The kernel alone: torch.optim's own step around it costs several times as much for small networks.
            torch._fused_adam_(
                self._stepped,
                gradients,
                *self._moments,
                [],
                [self._step] * len(gradients),
                lr=lr,
                beta1=0.9,
                beta2=0.999,
                weight_decay=decay,
                eps=1e-8,
                amsgrad=False,
                maximize=False,
            )
        else:
            sgd(
                self._stepped,
                gradients,
                self._moments[0] if self._moments else [None] * len(gradients),
                fused=True,
                weight_decay=decay,
                momentum=self.config.momentum,
                lr=lr,
                dampening=0.0,
                nesterov=False,
                maximize=False,
            )
        if self._scale is not None:
            torch.mul(self._scaled, self._scale, out=self._weights)
        for p in self.parameters:
            p.grad = None


@torch.no_grad()
def _one_vector(tensors: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """A vector with the values of all tensors, and its parts in their shapes; leaves are moved into it."""
    vector = torch.cat([t.detach().reshape(-1) for t in tensors])
    parts, begin = [], 0
    for t in tensors:
        parts.append(vector[begin : begin + t.numel()].view(t.shape))
        begin += t.numel()
        if t.is_leaf and t.requires_grad:
            t.data = parts[-1]
    return vector, parts
