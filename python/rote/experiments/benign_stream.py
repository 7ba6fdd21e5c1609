"""What a `benign` run is trained on: views and labels of one condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rote.experiments.inputs import Inputs
from rote.experiments.labels import GivenLabels
from rote.experiments.mixup import MixedLabelStream, MixedViews
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
    images, ids, source = inputs.bank.train.images, inputs.image_ids, inputs.recipe
    stream = TrainingStream
    if config.mixup != "none":
        mix_labels = config.mixup == "labels"
        source = MixedViews(inputs.recipe, images, ids, config.mixup_p, mix_labels=mix_labels)
        stream = MixedLabelStream if mix_labels else TrainingStream
    return stream(images, ids, labels.source, source, config.batch_size, config.seeds(), config.views)
