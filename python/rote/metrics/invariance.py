"""rote/metrics/invariance.py: how alike a layer makes two views of an image."""

from __future__ import annotations

import torch
from torch import Tensor

# Squared distances of unit vectors below this are the rounding of float32 features, not a distance.
ROUNDING = 1e-10


def unit_length(features: Tensor) -> Tensor:
    """float [N, D] -> float64 [N, D] with rows of Euclidean length 1; a row of zeros stays one."""
    rows = features.double()
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float64).tiny)


def invariance(first: Tensor, second: Tensor, other: Tensor) -> float:
    """1 - E|z(T1 x) - z(T2 x)|^2 / E|z(T1 x) - z(T1 x')|^2 on features of unit length.

    1 where views of an image cannot be told apart, 0 where they are as different as one view of two images, negative
    where the transformation matters more than the image. Not a number where the denominator is 0: a layer that gives
    every image the same features is no invariant layer but a collapsed one.

    Args:
        first: z(T1 x), float [N, D].
        second: z(T2 x), the same images under other transformations.
        other: z(T1 x'), other images under the same transformations as `first`.

    Raises:
        ValueError: shapes that differ.
    """
    if first.dim() != 2 or first.shape != second.shape or first.shape != other.shape or len(first) == 0:
        shapes = ", ".join(str(tuple(z.shape)) for z in (first, second, other))
        raise ValueError(f"first, second and other must be float [N, D] of one shape, N > 0; got {shapes}")
    first, second, other = (unit_length(z) for z in (first, second, other))
    between = float((first - other).square().sum(1).mean())
    if not between > ROUNDING:
        return float("nan")
    return 1.0 - float((first - second).square().sum(1).mean()) / between
