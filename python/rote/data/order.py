"""Seeded orders and divisions of a labelled set, by address: the same ids on every machine and in every version."""

from __future__ import annotations

import torch

from rote.address import Stream, words

# Slots of the SUBSET stream. Each use has its own, so that a subset and a division under one seed are independent.
ORDER_SLOT, SPLIT_SLOT, CLASS_SLOT = 0, 1, 2


def balanced_order(labels: torch.Tensor, num_classes: int, seed: int) -> torch.Tensor:
    """Ids ordered so that every prefix holds each class equally often, to within one, until a class runs out.

    Round r takes the r-th image of every class that still has one; images within a class, and classes within a
    round, are shuffled by key.

    Args:
        labels: int64 [N].
        num_classes: C.
        seed: 0 <= seed < 2^64.

    Returns:
        int64 [N], a permutation of 0..N-1.
    """
    rank = torch.empty_like(labels)  # position of an image within its class
    for members in _shuffled_members(labels, num_classes, seed, ORDER_SLOT):
        rank[members] = torch.arange(len(members))
    turn = words(seed, labels, rank, Stream.SUBSET, CLASS_SLOT)  # order of the classes within round `rank`
    return _lexicographic(rank, turn, labels)


def stratified_split(
    labels: torch.Tensor, num_classes: int, val: int | float, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids of a training and a validation part; see `ImageBank.split`."""
    count = _validation_count(val, len(labels))
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    quotas = _largest_remainder(torch.bincount(labels, minlength=num_classes), count)
    for members, quota in zip(_shuffled_members(labels, num_classes, seed, SPLIT_SLOT), quotas.tolist(), strict=True):
        chosen[members[:quota]] = True
    return torch.nonzero(~chosen).flatten(), torch.nonzero(chosen).flatten()


def _shuffled_members(labels: torch.Tensor, num_classes: int, seed: int, slot: int) -> list[torch.Tensor]:
    """The ids of each class in keyed order; equal keys (one pair in 2^32) go by id."""
    keys = words(seed, torch.arange(len(labels)), 0, Stream.SUBSET, slot)
    order = torch.sort(keys, stable=True).indices
    return [order[labels[order] == c] for c in range(num_classes)]


def _lexicographic(*keys: torch.Tensor) -> torch.Tensor:
    """Indices that sort by the first key, then the second, and so on (stable sorts, last key first)."""
    order = torch.arange(len(keys[0]))
    for key in reversed(keys):
        order = order[torch.sort(key[order], stable=True).indices]
    return order


def _validation_count(val: int | float, total: int) -> int:
    if isinstance(val, bool) or not isinstance(val, int | float):
        raise TypeError(f"val: wanted an int (images) or a float (share), got {type(val).__name__}")
    if isinstance(val, float) and not 0.0 < val < 1.0:
        raise ValueError(f"val: wanted a share strictly between 0 and 1, got {val}")
    count = round(val * total) if isinstance(val, float) else val
    if not 0 < count < total:
        raise ValueError(f"val: wanted between 1 and {total - 1} of {total} images, got {val} ({count} images)")
    return count


def _largest_remainder(counts: torch.Tensor, chosen: int) -> torch.Tensor:
    """Divides `chosen` over the classes in proportion to `counts`, in exact integers.

    Whole shares first, what is left to the largest remainders, equal remainders to the smaller class. int64 [C].
    """
    total = int(counts.sum())
    quotas, remainders = counts * chosen // total, counts * chosen % total
    left = chosen - int(quotas.sum())
    quotas[torch.sort(remainders, descending=True, stable=True).indices[:left]] += 1
    return quotas
