"""rote/models/whitening.py: every image to mean 0 and variance 1, in front of a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PerImageWhitening(nn.Module):
    """(x - mean) / max(std, 1 / sqrt(n)), moments over the n = C H W values of each image (arXiv 1611.03530).

    The bound keeps images of one colour finite; it means pixels in [0, 1]. Without parameters.

    Args:
        replicas: networks whose channels stand in a row; each has an image of its own, and whitens that alone.
    """

    def __init__(self, replicas: int = 1) -> None:
        super().__init__()
        self.replicas = replicas

    def forward(self, x: Tensor) -> Tensor:
        """float [B, R C, H, W] -> the same shape."""
        images = x.unflatten(1, (self.replicas, -1))
        if x.dtype in (torch.bfloat16, torch.float16):
            images = images.float()  # differences from the mean would lose what few digits there are
        own = (2, 3, 4)
        smallest = images[0, 0].numel() ** -0.5
        deviation = images.std(own, correction=0, keepdim=True).clamp_min(smallest)
        return ((images - images.mean(own, keepdim=True)) / deviation).flatten(1, 2).to(x.dtype)
