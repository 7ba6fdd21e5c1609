"""Who is trained on what: the subsets of a sweep, each a pure function of (sweep seed, run index, share)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rote import address
from rote.address import Stream


@dataclass(frozen=True)
class SubsetModel:
    """One network of the sweep.

    Attributes:
        run: its index, from 0 on over all shares.
        share: of the images that it is trained on.
    """

    run: int
    share: float


def subset_size(images: int, share: float) -> int:
    """round(share x N), the same in every run."""
    return round(share * images)


def subset_mask(seed: int, run: int, images: int, share: float) -> Tensor:
    """bool [N]: the images of a run, drawn without replacement.

    The first round(share x N) of a permutation that is keyed by (seed, run) alone, so that any run can be made again by
    itself, and the subsets of a run are nested in the share.

    Args:
        seed: of the sweep (the data seed).
        run: index of the run.
        images: N.
        share: in (0, 1).

    Raises:
        ValueError: a share outside of (0, 1), or that leaves no image in or none out.
    """
    size = subset_size(images, share)
    if not 0 < share < 1 or not 0 < size < images:
        raise ValueError(f"share must leave some of {images} images in and some out; got {share}")
    mask = torch.zeros(images, dtype=torch.bool)
    mask[address.permutation(seed, images, run, Stream.SUBSET)[:size]] = True
    return mask


def subset_models(runs: int, share: float, profile_shares: Sequence[float], profile_runs: int) -> list[SubsetModel]:
    """All networks: those of the scores first, then those of the consistency profile, share after share."""
    models = [SubsetModel(run, share) for run in range(runs)]
    for other in profile_shares:
        models += [SubsetModel(run, other) for run in range(len(models), len(models) + profile_runs)]
    return models


def batches(models: Sequence[SubsetModel], together: int) -> list[tuple[SubsetModel, ...]]:
    """Networks that train at once: neighbours of one share, at most `together`."""
    found: list[tuple[SubsetModel, ...]] = []
    for model in models:
        if found and len(found[-1]) < together and found[-1][0].share == model.share:
            found[-1] = (*found[-1], model)
        else:
            found.append((model,))
    return found
