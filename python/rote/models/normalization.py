"""rote/models/normalization.py: the normalization dial of every network, batch | group | layer | none."""

from __future__ import annotations

from torch import nn

KINDS = ("batch", "group", "layer", "none")


def check_norm(norm: str) -> str:
    """Returns `norm`; raises ValueError when it is not one of KINDS."""
    if norm not in KINDS:
        raise ValueError(f"norm must be one of {KINDS}; got {norm!r}")
    return norm


def normalization(norm: str, channels: int, *, spatial: bool) -> nn.Module:
    """The normalization layer over `channels`.

    Group normalization takes groups of eight channels, the choice of arXiv 2210.14019's code; where eight does not
    divide the width the groups are the next smaller divisor. Layer normalization takes all channels as one group: its
    statistics are over channels and space (Ba et al. 2016; `GroupNorm(1, C)`), its weight and bias one a channel.

    Args:
        norm: "batch", "group", "layer" or "none".
        channels: number of channels C.
        spatial: True for [B, C, H, W], False for [B, C].
    """
    if norm == "batch":
        return nn.BatchNorm2d(channels) if spatial else nn.BatchNorm1d(channels)
    if norm == "group":
        group = next(size for size in (8, 7, 6, 5, 4, 3, 2, 1) if channels % size == 0)
        return nn.GroupNorm(channels // group, channels)
    if norm == "layer":
        return nn.GroupNorm(1, channels)
    return nn.Identity()
