"""rote/train/determinism.py: algorithms of cuDNN that give the same bits again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """cuDNN's deterministic algorithms inside the block: without them no two CUDA runs have the same bits.

    Not `torch.backends.cudnn.flags`, which also sets what it is not told of: it would allow TF32 where the caller does
    not, and raises where the caller gave convolutions a precision of their own.

    Args:
        device: nothing is changed where it is no CUDA device.
    """
    if device.type != "cuda":
        yield
        return
    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.benchmark, cudnn.deterministic
    cudnn.enabled, cudnn.benchmark, cudnn.deterministic = True, False, True
    try:
        yield
    finally:
        cudnn.enabled, cudnn.benchmark, cudnn.deterministic = before
