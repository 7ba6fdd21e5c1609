"""rote/models/pooling.py: how a layer with a spatial extent becomes one vector an image."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

#: "average" and "max" over all positions, "flatten" (every position kept), "grid2" (averages of a 2 x 2 grid).
POOLINGS = ("average", "flatten", "max", "grid2")


def check_pooling(pooling: str) -> str:
    """Returns `pooling`; raises ValueError when it is not one of POOLINGS."""
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {POOLINGS}; got {pooling!r}")
    return pooling


def pooled(output: Tensor, pooling: str = "average") -> Tensor:
    """One vector an image.

    Args:
        output: float [B, C], passed through, or [B, C, ...] with any number of further dimensions.
        pooling: "average" or "max" over everything behind the channels, "flatten" (channel by channel), or "grid2":
            averages over the four cells of a 2 x 2 grid (overlapping where a side is odd, as torch's adaptive
            pooling), for [B, C, H, W].

    Returns:
        float [B, C]; [B, C x positions] for "flatten"; [B, 4 C] for "grid2".

    Raises:
        ValueError: an unknown pooling, or "grid2" of an output that has no height and width.
    """
    check_pooling(pooling)
    if output.dim() <= 2:
        return output
    if pooling == "flatten":
        return output.flatten(1)
    if pooling == "max":
        return output.flatten(2).amax(2)
    if pooling == "grid2":
        if output.dim() != 4:
            raise ValueError(f"pooling grid2 needs an output [B, C, H, W]; got {tuple(output.shape)}")
        return adaptive_avg_pool2d(output, 2).flatten(1)
    return output.mean(dim=tuple(range(2, output.dim())))
