"""rote/train/global_batch_norm.py: batch normalization whose batch is that of all processes.

torch's SyncBatchNorm serves CUDA alone, and takes a conversion of the network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import batch_norm
from torch.overrides import TorchFunctionMode


class Processes(Protocol):
    """What is asked of the processes that train together."""

    count: int

    def gather(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes, [count, *shape]."""

    def sum_(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""


class GlobalBatchNorm(TorchFunctionMode):
    """Inside this context batch normalization in train mode takes its statistics over all processes.

    Any module that calls `torch.nn.functional.batch_norm` is served; the network stays as it is, so that evaluations
    outside the context concern one process alone. Every process must call the same layers on equally many values.

    Args:
        processes: those that train together.
    """

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self._processes = processes

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is batch_norm:
            return self._batch_norm(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))

    def _batch_norm(
        self,
        input: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> Tensor:
        if not training:
            return batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
        output, mean, var = _Normalize.apply(input, weight, bias, eps, self._processes)
        with torch.no_grad():
            if running_mean is not None:
                running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            if running_var is not None:
                count = self._processes.count * input.numel() // input.shape[1]
                running_var.lerp_((var * (count / (count - 1))).to(running_var.dtype), momentum)
        return output


class _Normalize(torch.autograd.Function):
    """Ioffe & Szegedy 2015, with one collective in each direction.

    Means and sums of squared deviations of equally large shares are put together as Chan, Golub & LeVeque (1979) do,
    which does not lose digits as a difference of squares would.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, processes: Processes
    ) -> tuple[Tensor, Tensor, Tensor]:
        axes = [axis for axis in range(x.dim()) if axis != 1]
        share = x.numel() // x.shape[1]
        total = share * processes.count
        if total < 2:
            raise ValueError(f"batch normalization needs more than one value a channel; got input {list(x.shape)}")
        wide = x if x.dtype == torch.float64 else x.float()
        own_mean = wide.mean(axes)
        own_squares = (wide - _along(own_mean, x)).square().sum(axes)
        means, squares = processes.gather(torch.stack((own_mean, own_squares))).unbind(1)
        mean = means.mean(0)
        var = (squares + share * (means - mean).square()).sum(0) / total
        scale = (var + eps).rsqrt()
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.processes, ctx.total, ctx.has_bias = processes, total, bias is not None
        output = (wide - _along(mean, x)) * _along(scale if weight is None else scale * weight, x)
        if bias is not None:
            output = output + _along(bias, x)
        ctx.mark_non_differentiable(mean, var)
        return output.to(x.dtype), mean, var

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, scale = ctx.saved_tensors
        axes = [axis for axis in range(x.dim()) if axis != 1]
        wide = gradient.to(mean.dtype)
        normal = (x.to(mean.dtype) - _along(mean, x)) * _along(scale, x)
        own = torch.stack((wide.sum(axes), (wide * normal).sum(axes)))
        of_weight = None if weight is None else own[1].to(weight.dtype)
        of_bias = own[0].clone() if ctx.has_bias else None
        means = ctx.processes.sum_(own.clone()) / ctx.total
        centred = wide - _along(means[0], x) - normal * _along(means[1], x)
        of_x = centred * _along(scale if weight is None else scale * weight, x)
        return of_x.to(x.dtype), of_weight, of_bias, None, None


def _along(channels: Tensor, like: Tensor) -> Tensor:
    """[C] as a factor of [B, C, ...]."""
    return channels.view(1, -1, *[1] * (like.dim() - 2))
