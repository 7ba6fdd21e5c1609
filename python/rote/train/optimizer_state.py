"""rote/train/optimizer_state.py: what an optimizer remembers of its parameters, into and out of checkpoints."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def moments_of(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Any]]:
    """What the optimizer remembers, by number of the parameter; the tensors are the live ones."""
    return optimizer.state_dict()["state"]


def checked_moments(optimizer: torch.optim.Optimizer, moments: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """A copy of stored moments, on the device and in the memory layout of this optimizer's parameters.

    Raises:
        ValueError: they are of parameters that it does not have.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    unknown = set(moments) - set(range(len(parameters)))
    if unknown:
        raise ValueError(f"the optimizer's state must be of {len(parameters)} parameters; got also {sorted(unknown)}")
    return {
        index: {name: _laid_out_as(value, parameters[index]) for name, value in values.items()}
        for index, values in moments.items()
    }


def load_moments(optimizer: torch.optim.Optimizer, moments: dict[int, dict[str, Any]]) -> None:
    """Puts them in place; rates and other settings stay the optimizer's own."""
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_as(value: Any, parameter: Tensor) -> Any:
    """A copy of an optimizer's tensor in the parameter's memory layout, which the fused kernels take for granted."""
    if not isinstance(value, Tensor):
        return value
    if value.shape != parameter.shape:  # a counter, which torch moves for its own fused optimizers alone
        return value.detach().to(parameter.device, copy=True)
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value).detach()
