"""A small bank, networks small enough to check, and a recipe that marks the view in the pixels."""

from __future__ import annotations

import pytest
import torch

from rote import models


class Stamp:
    """Writes the low bits of the view id into the first pixel's channels, so that a test can read them back."""

    def __call__(self, images, ids, views, seed, dtype=torch.float32, channels_last=False):
        x = images[ids].float() / 255
        x[:, 0, 0, 0] = (views % 256).float()
        x[:, 1, 0, 0] = ids.float()
        x[:, 2, 0, 0] = (views >= 2**47).float() + 2 * float(seed == 5)
        return x.to(dtype)


@pytest.fixture
def stamp():
    return Stamp()


@pytest.fixture(scope="session")
def images():
    """uint8 [60, 3, 8, 8], a sorted bank: later images are brighter."""
    noise = torch.randint(0, 128, (60, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return noise + torch.arange(60, dtype=torch.uint8)[:, None, None, None] * 2


@pytest.fixture
def convnet():
    """A convnet of width 4 whose running statistics were moved away from 0 and 1."""
    model = models.build("convnet", in_channels=3, image_size=8, num_classes=5, width=4, projector_width=16, seed=2)
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(1)))
    return model
