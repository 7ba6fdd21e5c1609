"""rote/train/muon.py: Muon for the hidden matrices of a network, Adam for everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.adam import adam

# The quintic of Jordan et al.: its slope at 0 is steep, and singular values end between about 0.7 and 1.2.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5
_EPS = 1e-7
# Makes an orthogonal update about as large as one of Adam, so that one learning rate serves both.
_RMS = 0.2


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The weights that Muon updates: of linear and convolutional layers, but not of the last one, the output layer.

    The last one is that which `model.modules()` names last.
    """
    layers = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)]
    return list(dict.fromkeys(layer.weight for layer in layers[:-1] if layer.weight.requires_grad))


def orthogonalized(matrices: Tensor) -> Tensor:
    """Five steps of a Newton-Schulz iteration that sends every singular value near 1 and keeps the singular vectors.

    X <- a X + (b (X X^T) + c (X X^T)^2) X from X = G / |G| (Frobenius).

    Args:
        matrices: float [..., rows, columns].

    Returns:
        The same shape and dtype.
    """
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x = matrices if wide else matrices.mT
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=_EPS)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * (gram @ gram)) @ x
    return x if wide else x.mT


class Muon(Optimizer):
    """Momentum orthogonalized by a Newton-Schulz iteration (Jordan et al., "Muon", 2024), with Adam for the rest.

    torch.optim.Muon takes matrices alone, one after another, rounds to bfloat16 everywhere and needs the learning
    rate on the host. This one also takes convolutions, as matrices [out, in x kernel], and does matrices of equal shape
    together. For a matrix [r, c] with gradient g:

        m <- mu m + (1 - mu) g,  w <- (1 - lr b) w - lr 0.2 sqrt(max(r, c)) orthogonalized((1 - mu) g + mu m)

    The factor 0.2 sqrt(max(r, c)) is that of Liu et al. (arXiv 2502.16982): updates as large as those of Adam, so that
    one learning rate does for both. All other parameters follow Adam with betas .9 and .999; weight decay is decoupled
    in both. The iteration runs in bfloat16 on CUDA, elsewhere in the type of the weights.

    Args:
        matrices: parameters with two or more dimensions.
        others: all other parameters.
        lr: learning rate, a float or a tensor of one element.
        momentum: mu.
        weight_decay: b.

    Raises:
        ValueError: a matrix with fewer than two dimensions.
    """

    def __init__(
        self,
        matrices: Iterable[Tensor],
        others: Iterable[Tensor],
        lr: float | Tensor,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        matrices, others = list(matrices), list(others)
        for matrix in matrices:
            if matrix.dim() < 2:
                raise ValueError(f"matrices must have at least two dimensions; got shape {list(matrix.shape)}")
        groups = [{"params": matrices, "orthogonal": True}, {"params": others, "orthogonal": False}]
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__([group for group in groups if group["params"]], defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p.grad is not None]
            if parameters:
                (self._orthogonal_step if group["orthogonal"] else self._adam_step)(parameters, group)
        return loss

    def _orthogonal_step(self, matrices: list[Tensor], group: dict[str, Any]) -> None:
        lr, momentum = group["lr"], group["momentum"]
        gradients = [matrix.grad for matrix in matrices]
        for matrix in matrices:
            if "momentum_buffer" not in self.state[matrix]:
                self.state[matrix]["momentum_buffer"] = torch.zeros_like(matrix)
        means = [self.state[matrix]["momentum_buffer"] for matrix in matrices]
        torch._foreach_lerp_(means, gradients, 1 - momentum)
        ahead = torch._foreach_lerp(gradients, means, momentum)
        if group["weight_decay"]:
            torch._foreach_mul_(matrices, 1 - lr * group["weight_decay"])
        for shape, members in _by_shape(matrices).items():
            stacked = torch.stack([ahead[i].flatten(1) for i in members])
            if stacked.device.type == "cuda" and stacked.dtype != torch.float64:
                stacked = stacked.bfloat16()
            rows, columns = stacked.shape[1:]
            change = orthogonalized(stacked).to(ahead[members[0]].dtype) * (lr * -_RMS * max(rows, columns) ** 0.5)
            for i, part in zip(members, change.unbind(), strict=True):
                matrices[i].add_(part.reshape(shape))

    def _adam_step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        for p in parameters:
            if not self.state[p]:
                self.state[p] |= {
                    "step": torch.zeros((), device=p.device),
                    "exp_avg": torch.zeros_like(p),
                    "exp_avg_sq": torch.zeros_like(p),
                }
        states = [self.state[p] for p in parameters]
        adam(
            parameters,
            [p.grad for p in parameters],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            decoupled_weight_decay=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=1e-8,
            maximize=False,
        )


def _by_shape(matrices: list[Tensor]) -> dict[torch.Size, list[int]]:
    members: dict[torch.Size, list[int]] = {}
    for index, matrix in enumerate(matrices):
        members.setdefault(matrix.shape, []).append(index)
    return members
