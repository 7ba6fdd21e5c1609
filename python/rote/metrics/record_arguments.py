"""rote/metrics/record_arguments.py: what a recorder is given, checked."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def checked_indices(values: Tensor, name: str, end: int, device: torch.device) -> Tensor:
    """int64 on the device; what lies on the CPU is checked before it goes to another device."""
    values = torch.as_tensor(values)
    if values.is_floating_point() or values.is_complex() or values.dtype == torch.bool:
        raise TypeError(f"{name}: wanted int64 [B], got {values.dtype} {list(values.shape)}")
    values = values.to(torch.int64)
    if values.device == device:
        return values
    if values.device.type == "cpu" and values.numel() and (int(values.min()) < 0 or int(values.max()) >= end):
        raise ValueError(f"{name}: wanted values in [0, {end}), got {int(values.min())} to {int(values.max())}")
    return values.to(device, non_blocking=True)


def check_device(wanted: torch.device | None, found: torch.device) -> None:
    """Raises ValueError where logits do not lie on the device that was asked for."""
    if wanted is not None and (wanted.type != found.type or wanted.index not in (None, found.index)):
        raise ValueError(f"logits: wanted device {wanted}, got {found}")


def threshold_mask(threshold: Tensor | np.ndarray, n: int) -> np.ndarray:
    """bool [n] of threshold samples given as a mask or as ids."""
    threshold = np.asarray(threshold.cpu() if isinstance(threshold, Tensor) else threshold)
    if threshold.dtype == bool:
        if threshold.shape != (n,):
            raise ValueError(f"threshold: wanted bool [{n}] or ids, got bool {list(threshold.shape)}")
        return threshold
    if threshold.ndim != 1 or not np.issubdtype(threshold.dtype, np.integer):
        raise ValueError(f"threshold: wanted bool [{n}] or ids [T], got {threshold.dtype} {list(threshold.shape)}")
    if threshold.size and (threshold.min() < 0 or threshold.max() >= n):
        raise ValueError(f"threshold: wanted ids in [0, {n}), got {threshold.min()} to {threshold.max()}")
    mask = np.zeros(n, dtype=bool)
    mask[threshold] = True
    return mask
