"""rote/models/branches.py: several layers on the same input, their channels beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Branches(nn.Module):
    """Concatenates the outputs of its branches along the channels.

    Args:
        branches: modules from float [B, C, H, W] to [B, C_i, H', W'] with one H' and W'.

    Attributes:
        replicas: networks whose channels stand in a row, 1 by default; the channels of each stay together.
    """

    def __init__(self, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.replicas = 1

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] -> [B, sum of C_i, H', W']."""
        outputs = [branch(x) for branch in self.branches]
        if self.replicas == 1:
            return torch.cat(outputs, 1)
        # Channels last: networks that hold convolutions lie so in memory.
        parts = [output.permute(0, 2, 3, 1).unflatten(3, (self.replicas, -1)) for output in outputs]
        return torch.cat(parts, 4).flatten(3).permute(0, 3, 1, 2)
