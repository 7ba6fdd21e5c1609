"""Banks of images and addresses the augmentation tests share."""

from __future__ import annotations

import pytest
import torch


def make_bank(count: int = 24, channels: int = 3, height: int = 32, width: int = 32) -> torch.Tensor:
    """uint8 images with flat areas, edges, gradients, noise, pure black and white, and exact greys."""
    generator = torch.Generator().manual_seed(7)
    coarse = torch.rand(count, channels, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    bank = (smooth * 255).round().to(torch.uint8)
    bank[0] = 0
    bank[1] = 255
    bank[2] = bank[2, :1]  # grey: hue and saturation of a colour without chroma
    bank[3::4] = torch.randint(0, 256, bank[3::4].shape, dtype=torch.uint8, generator=generator)
    bank[4, :, height // 3 :] = 255
    bank[5, :, :, : width // 2] = bank[5, :, :1, :1]
    return bank


def make_addresses(count: int, images: int = 24, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, images, (count,), generator=generator)
    views = torch.randint(0, 1 << 48, (count,), generator=generator)
    return ids, views


@pytest.fixture(scope="session")
def bank() -> torch.Tensor:
    return make_bank()
