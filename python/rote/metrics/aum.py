"""rote/metrics/aum.py: area under the margin and its threshold samples (Pleiss et al. 2020, arXiv 2001.10528)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rote import address
from rote.address import Stream

#: Which of the threshold samples' AUM a suspect stays below; the paper's choice.
PERCENTILE = 99.0


class ThresholdLabels(NamedTuple):
    """Labels of a training with threshold samples.

    Attributes:
        labels: int64 [N]; the threshold samples carry class C, so the network needs C + 1 outputs.
        is_threshold: bool [N].
    """

    labels: Tensor
    is_threshold: Tensor


def threshold_labels(
    labels: Tensor, num_classes: int, *, seed: int, which: int = 0, image_ids: Tensor | None = None
) -> ThresholdLabels:
    """Gives about N / (C + 1) examples a class that does not exist, so that their AUM is that of wrong labels.

    Two disjoint sets are drawn, since a threshold sample has no AUM of its own: train twice, once with either, and
    every example has one (`combined_aum`). Drawn by address (stream THRESHOLD), independently of the labels.

    Args:
        labels: int64 [N] in [0, C).
        num_classes: C.
        seed: of the draw.
        which: 0 or 1, the set.
        image_ids: int64 [N], ids in the bank; None is 0 .. N - 1.

    Raises:
        ValueError: labels, ids or `which` that do not fit, or too few examples for a single threshold sample.
    """
    if labels.dim() != 1 or labels.dtype != torch.int64:
        raise ValueError(f"labels: wanted int64 [N], got {labels.dtype} {list(labels.shape)}")
    if which not in (0, 1):
        raise ValueError(f"which: wanted 0 or 1, got {which}")
    if num_classes < 2:
        raise ValueError(f"num_classes: wanted at least 2, got {num_classes}")
    ids = torch.arange(len(labels)) if image_ids is None else image_ids.cpu()
    if ids.shape != labels.shape:
        raise ValueError(f"image_ids: wanted shape {list(labels.shape)}, got {list(ids.shape)}")
    size = round(len(labels) / (num_classes + 1))
    if size < 1:
        raise ValueError(f"labels: wanted about C + 1 = {num_classes + 1} examples or more, got {len(labels)}")
    order = address.words(seed, ids, 0, Stream.THRESHOLD).argsort(stable=True)
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    chosen[order[which * size : (which + 1) * size]] = True
    chosen = chosen.to(labels.device)
    return ThresholdLabels(torch.where(chosen, num_classes, labels), chosen)


def flagged_by_threshold(aum: np.ndarray, is_threshold: np.ndarray, percentile: float = PERCENTILE) -> np.ndarray:
    """bool [N]: which examples have an AUM below the given percentile of the threshold samples' (linear interpolation).

    Threshold samples themselves, and examples without an AUM, are not flagged; nor is any without threshold samples.

    Args:
        aum: float64 [N].
        is_threshold: bool [N].
        percentile: in [0, 100].

    Raises:
        ValueError: shapes that differ, or a percentile out of range.
    """
    aum, is_threshold = np.asarray(aum, dtype=np.float64), np.asarray(is_threshold, dtype=bool)
    if aum.shape != is_threshold.shape or aum.ndim != 1:
        raise ValueError(f"aum and is_threshold: wanted one shape [N], got {aum.shape} and {is_threshold.shape}")
    if not 0 <= percentile <= 100:
        raise ValueError(f"percentile: wanted a number in [0, 100], got {percentile}")
    of_threshold = aum[is_threshold & ~np.isnan(aum)]
    if of_threshold.size == 0:
        return np.zeros(len(aum), dtype=bool)
    with np.errstate(invalid="ignore"):
        return ~is_threshold & (aum < np.percentile(of_threshold, percentile))


class CombinedAum(NamedTuple):
    """What two trainings with disjoint threshold sets say together.

    Attributes:
        aum: float64 [N], the mean over the trainings in which the example kept its label.
        flagged: bool [N], flagged in all of them.
    """

    aum: np.ndarray
    flagged: np.ndarray


def combined_aum(
    aums: Sequence[np.ndarray], is_threshold: Sequence[np.ndarray], percentile: float = PERCENTILE
) -> CombinedAum:
    """AUM and flag of every example from trainings with different threshold sets.

    Args:
        aums: float64 [N] of every training.
        is_threshold: bool [N] of every training.
        percentile: as `flagged_by_threshold`.

    Raises:
        ValueError: shapes that differ, or an example that was a threshold sample in all trainings.
    """
    values, masks = np.asarray(aums, dtype=np.float64), np.asarray(is_threshold, dtype=bool)
    if values.ndim != 2 or values.shape != masks.shape or len(values) == 0:
        raise ValueError(f"aums and is_threshold: wanted [R, N] each, got {values.shape} and {masks.shape}")
    own = ~masks
    if not own.any(0).all():
        raise ValueError("is_threshold: an example was a threshold sample in every training, so it has no AUM")
    flags = np.stack([flagged_by_threshold(a, t, percentile) for a, t in zip(values, masks, strict=True)])
    mean = np.where(own, values, 0.0).sum(0) / own.sum(0)
    return CombinedAum(mean, (flags | masks).all(0))
