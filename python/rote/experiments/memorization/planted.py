"""Labels with planted errors, of which a score should be the highest."""

from __future__ import annotations

import torch
from torch import Tensor

from rote import address
from rote.address import Stream
from rote.train import redraw_labels


def planted_labels(
    label_true: Tensor, image_ids: Tensor, num_classes: int, seed: int, noise: float, kind: str
) -> tuple[Tensor, Tensor]:
    """Gives exactly a share of the images another label.

    Args:
        label_true: int64 [N], aligned with `image_ids`.
        image_ids: int64 [N].
        num_classes: C.
        seed: the label seed.
        noise: share p; N - int(N (1 - p)) labels are planted, nested in p.
        kind: "redraw": uniform over all classes, right by chance once in C; "wrong": uniform over the C - 1 others.

    Returns:
        (label_used int64 [N], label_redrawn bool [N]).

    Raises:
        ValueError: noise outside [0, 1], another kind, or shapes that differ.
    """
    if kind not in ("redraw", "wrong"):
        raise ValueError(f"kind must be redraw or wrong; got {kind!r}")
    used, redrawn = redraw_labels(label_true, image_ids, num_classes, seed, noise)
    if kind == "wrong":
        shift = 1 + address.integers(seed, image_ids, torch.zeros_like(image_ids), Stream.LABELS, num_classes - 1)
        used = torch.where(redrawn, (label_true + shift) % num_classes, label_true)
    return used, redrawn
