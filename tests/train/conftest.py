"""A small bank, and a recipe simple enough to predict by hand: cyclic shifts keyed by address."""

from __future__ import annotations

import pytest
import torch

from rote import address, models, train


class Shifts:
    """Shifts every image cyclically by 0-2 pixels to the right, by (seed, image, view)."""

    def __call__(self, images, ids, views, seed, dtype=torch.float32, channels_last=False):
        shifts = address.integers(seed, ids, views, 16, 3)
        x = torch.stack([images[i].roll(int(s), dims=-1) for i, s in zip(ids, shifts, strict=True)])
        x = (x.float() / 255).to(dtype)
        return x.contiguous(memory_format=torch.channels_last) if channels_last else x


@pytest.fixture
def shifts():
    return Shifts()


@pytest.fixture(scope="session")
def images():
    """uint8 [40, 3, 8, 8]."""
    return torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def make_trainer(images, shifts):
    """make_trainer(**fields of TrainConfig) -> a fresh trainer of a tiny convnet on 24 of the 40 images."""

    def make(*, network=None, views=None, check_every=5, **fields):
        fields = {"epochs": 5, "batch_size": 8, "device": "cpu", "width": 4, "projector_width": 16, "lr": 3e-3} | fields
        config = train.TrainConfig(**fields)
        if network is None:
            network = models.build(
                config.model,
                in_channels=3,
                image_size=8,
                num_classes=4,
                width=config.width,
                projector_width=config.projector_width,
                norm=config.norm,
                seed=1,
            )
        ids = torch.arange(40)[3:27]
        labels = train.LabelSource.fixed(train.random_labels(ids, 4, 5), num_classes=4, image_ids=ids)
        seeds = train.Seeds.from_seed(2)
        stream = train.TrainingStream(images, ids, labels, shifts, config.batch_size, seeds, views)
        return train.Trainer(network, stream, config, check_every=check_every)

    return make
