"""Banks of images, addresses and a log of operators, which the augmentation tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode


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


@pytest.fixture(scope="session")
def cifar_images() -> torch.Tensor:
    """uint8 [100, 3, 32, 32]: ten test pictures of each class."""
    image = pytest.importorskip("PIL.Image")
    root = os.environ.get("ROTE_CIFAR10")
    if not root:
        pytest.skip("CIFAR-10 needs ROTE_CIFAR10, the folder that holds train/ and test/")
    paths = [path for folder in sorted(Path(root, "test").iterdir()) for path in sorted(folder.iterdir())[:10]]
    pictures = np.stack([np.asarray(image.open(path).convert("RGB")) for path in paths])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


class OperatorLog(TorchDispatchMode):
    """Names of the operators that were dispatched."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(str(function))
        return function(*args, **(kwargs or {}))
