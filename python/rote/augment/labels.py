"""The labels of rendered views: those of their images, or the mixture of images a view shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from rote.augment import arguments, parameters
from rote.augment.operation import Operation, Size

__all__ = ["check_labels", "hard_labels", "mixes_labels", "soft_labels"]


def mixes_labels(operations: Sequence[Operation]) -> bool:
    """Whether a view's label can be a mixture of several."""
    return any(parameters.mixes(operation) and operation.mix_labels for operation in operations)


def check_labels(labels: Any, num_classes: Any, num_images: int, device: torch.device, soft: bool) -> Tensor:
    """The labels int64 [N] of a bank, and a number of classes where there must be one."""
    labels = arguments.addresses(labels, "labels", 1, "N")
    if labels.shape[0] != num_images:
        raise ValueError(f"labels: wanted one for each of the {num_images} images, got {list(labels.shape)}")
    if labels.device != device:
        raise ValueError(f"labels: wanted device {device} of the images, got {labels.device}")
    if num_classes is None:
        if soft:
            raise ValueError("num_classes: wanted the number of classes, for the recipe mixes labels; got None")
    else:
        arguments.count(num_classes, "num_classes")
    return labels


def hard_labels(labels: Tensor, ids: Tensor, num_classes: int | None, name: str = "ids") -> Tensor:
    """labels[ids], int64; ids off the bank are never read from memory, for on a device they are no error."""
    own = labels[ids.clamp(0, max(labels.shape[0] - 1, 0))]
    if num_classes is not None and arguments.may_read_values(own):
        bad = (own < 0) | (own >= num_classes)
        if bool(bad.any()):
            row = int(bad.nonzero()[0])
            raise ValueError(
                f"labels: wanted 0 <= label < {num_classes} (num_classes), got {int(own[row])} for image "
                f"{int(ids[row])} at position {row} of {name}"
            )
    return own


def soft_labels(
    operations: Sequence[Operation],
    params: Mapping[str, Tensor],
    labels: Tensor,
    ids: Tensor,
    num_classes: int,
    image: Size,
    target: Size,
) -> Tensor:
    """float32 [n, num_classes] with rows of sum 1, from the views' parameters, each [n].

    Where an operation mixes labels, what a view had so far keeps the share that the operation leaves its own image,
    and the partner's label has the rest; several such operations act one after another.
    """
    mixture = _one_hot(hard_labels(labels, ids, num_classes), num_classes)
    for operation, prefix in zip(operations, parameters.prefixes(operations), strict=True):
        if parameters.mixes(operation) and operation.mix_labels:
            values = {field.name: params[f"{prefix}.{field.name}"] for field in operation.parameters}
            share = operation.label_share(values, image).unsqueeze(1)
            partner = hard_labels(labels, values["partner"], num_classes, "partners")
            mixture = share * mixture + (1 - share) * _one_hot(partner, num_classes)
        image = operation.output_size(image, target)
    return mixture


def _one_hot(labels: Tensor, num_classes: int) -> Tensor:
    # By comparison: no synchronization, and nothing is written outside where a label is bad.
    return (labels.unsqueeze(1) == torch.arange(num_classes, device=labels.device)).to(torch.float32)
