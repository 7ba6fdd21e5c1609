"""A few training images and their views, kept in the run folder for the page."""

from __future__ import annotations

from pathlib import Path

import torch

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.inputs.labels import GivenLabels
from rote.experiments.inputs.loading import Inputs

IMAGES, VIEWS = 6, 7


def save_view_samples(folder: Path, inputs: Inputs, labels: GivenLabels, config: ExperimentConfig) -> None:
    """Writes views.npz: the first views, before MixUp, that training shows of the first images of the subset."""
    from rote.report import views

    ids = inputs.image_ids[:IMAGES]
    count = min(VIEWS, getattr(config, "views", None) or VIEWS)
    numbers = torch.arange(count).expand(len(ids), count).contiguous()
    images = inputs.bank.train.images
    rendered = inputs.recipe(images, ids, numbers, seed=config.seeds().view, dtype=torch.float32)
    views.save(
        folder,
        originals=images[ids].cpu().numpy(),
        views=rendered.cpu().numpy(),
        label_true=inputs.label_true[:IMAGES].numpy(),
        label_used=labels.used(config.epochs)[:IMAGES].numpy(),
        image_ids=ids.numpy(),
        classes=inputs.bank.classes,
        recipe=config.augment,
    )
