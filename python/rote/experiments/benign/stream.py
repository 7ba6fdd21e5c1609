"""What a `benign` run is trained on: views and labels of one condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.augment import MixUp, Recipe
from rote.experiments.inputs.labels import GivenLabels
from rote.experiments.inputs.loading import Inputs
from rote.train import TrainingStream

if TYPE_CHECKING:
    from rote.experiments.benign import BenignConfig


def training_stream(config: BenignConfig, inputs: Inputs, labels: GivenLabels) -> TrainingStream:
    """The samples of every step.

    Args:
        config: `mixup`, `mixup_p`, `batch_size`, `views` and the seeds are read here.
        inputs: data and the recipe before MixUp.
        labels: those of the condition.
    """
    views = inputs.recipe
    if config.mixup != "none":
        # Weights are uniform, Beta(1, 1), as in the released code of arXiv 2210.14019, which draws one for a batch.
        mixup = MixUp(alpha=1.0, p=config.mixup_p, mix_labels=config.mixup == "labels")
        views = Recipe(*views.operations, mixup, size=views.size, partners=len(inputs.image_ids))
    return TrainingStream(
        inputs.bank.train.images,
        inputs.image_ids,
        labels.source,
        views,
        config.batch_size,
        config.seeds(),
        config.views,
    )
