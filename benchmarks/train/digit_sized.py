"""Trainings of the size of the embedded digits: 512 images of 16 x 16 pixels, random labels, batches of 64."""

from __future__ import annotations

import torch
from torch import nn

from rote import models, train
from rote.augment import recipes

IMAGES, SIZE, CLASSES, BATCH = 512, 16, 10, 64


def train_settings(
    model: str, width: int, device: str, seed: int
) -> tuple[nn.Module, train.TrainingStream, train.TrainConfig]:
    """Network, stream and config of one training, whose labels, order and views follow from `seed`."""
    images = torch.randint(
        0, 256, (IMAGES, 3, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    ids = torch.arange(IMAGES)
    config = train.TrainConfig(model=model, width=width, batch_size=BATCH, epochs=100_000, device=device)
    network = models.build(model, in_channels=3, image_size=SIZE, num_classes=CLASSES, width=width, seed=seed)
    labels = train.LabelSource.fixed(train.random_labels(ids, CLASSES, seed), num_classes=CLASSES)
    stream = train.TrainingStream(images, ids, labels, recipes["benign-mild"], BATCH, train.Seeds.from_seed(seed))
    return network, stream, config
