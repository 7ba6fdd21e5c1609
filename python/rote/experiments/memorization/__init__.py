"""`memorization`: scores of single examples from thousands of networks on random subsets."""

from __future__ import annotations

from rote.experiments.memorization.experiment import MemorizationConfig, memorization
from rote.experiments.memorization.subsets import subset_mask
from rote.experiments.memorization.training import trained_again

__all__ = ["MemorizationConfig", "memorization", "subset_mask", "trained_again"]
