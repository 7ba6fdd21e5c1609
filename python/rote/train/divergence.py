"""rote/train/divergence.py: numbers that are no longer finite, and the last state in which they were."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class TrainingDiverged(RuntimeError):
    """The loss or the weights became NaN or infinite; the trainer is back at its last good state.

    Attributes:
        step: the first step whose loss is not finite.
        last_good_step: the step the trainer stands at now.
    """

    def __init__(self, step: int, last_good_step: int) -> None:
        super().__init__(
            f"the loss is not finite at step {step}; the state of step {last_good_step} is restored "
            "(a lower lr is the usual cure)"
        )
        self.step = step
        self.last_good_step = last_good_step


def all_finite(tensors: list[nn.Parameter]) -> bool:
    """Whether no number of them is NaN or infinite (waits for the device)."""
    return bool(torch.stack(torch._foreach_norm([t.detach() for t in tensors])).isfinite().all())


def copied(value: Any) -> Any:
    """A state whose tensors are copies, to fall back to."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return value
