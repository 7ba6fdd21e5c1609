"""Views per second of `rote.augment` beside pure PyTorch, kornia, torchvision v2 and DALI's CPU pipeline.

Run `python -m pytest benchmarks/augment --benchmark-json=FILE`, then `python -m benchmarks.table FILE`.
"""

from __future__ import annotations

import itertools

import pytest
import torch

from benchmarks.augment import peers
from rote.augment import ColorJitter, Grayscale, HorizontalFlip, RandomCrop, RandomResizedCrop, Recipe, recipes

CIFAR = {"mean": peers.MEAN, "std": peers.STD}
FLIP_CROP = Recipe(RandomCrop(4, "reflect"), HorizontalFlip(), **CIFAR)
CROPS = Recipe(RandomResizedCrop((0.08, 1.0)), HorizontalFlip(), **CIFAR)
SIMCLR = Recipe(
    RandomResizedCrop((0.08, 1.0)), HorizontalFlip(), ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8), Grayscale(0.2), **CIFAR
)


@pytest.fixture
def batch(device, quick):
    """A bank beyond the caches, and the ids of one shuffled batch of it."""
    images, count = (512, 64) if quick else (16384, 2048)
    generator = torch.Generator().manual_seed(0)
    bank = torch.randint(0, 256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator)
    ids = torch.randperm(images, generator=generator)[:count]
    return bank.to(device), ids.to(device)


def views_forever(recipe: Recipe, bank, ids, **options):
    """A call that renders the next view of every id, as a training loop does."""
    counter = itertools.count()
    views = torch.empty_like(ids)
    return lambda: recipe(bank, ids, views.fill_(next(counter)), **options)


def installed(**renders) -> dict:
    return {name.replace("_", " "): render for name, render in renders.items() if render is not None}


def test_flip_crop_normalize_bfloat16(race, batch):
    bank, ids = batch
    ours = views_forever(FLIP_CROP, bank, ids, dtype=torch.bfloat16)
    others = installed(torch=peers.torch_flip_crop(bank, ids, torch.bfloat16))
    race(ours, others, work=len(ids), unit="images/s")


def test_resized_crop_flip_normalize(race, batch):
    bank, ids = batch
    others = installed(
        torch=peers.torch_simclr(bank, ids, colour=False),
        kornia=peers.kornia_simclr(bank, ids, colour=False),
        torchvision=peers.torchvision_simclr(bank, ids, colour=False),
        DALI_CPU=peers.dali_simclr(bank, ids, colour=False),
    )
    race(views_forever(CROPS, bank, ids), others, work=len(ids), unit="images/s")


def test_simclr_without_blur(race, batch):
    bank, ids = batch
    others = installed(
        torch=peers.torch_simclr(bank, ids, colour=True),
        kornia=peers.kornia_simclr(bank, ids, colour=True),
        torchvision=peers.torchvision_simclr(bank, ids, colour=True),
        DALI_CPU=peers.dali_simclr(bank, ids, colour=True),
    )
    race(views_forever(SIMCLR, bank, ids), others, work=len(ids), unit="images/s")


def test_one_view(race, batch):
    """What a call costs: a batch of one, beside the fewest torch operations that render anything."""
    bank, ids = batch
    ids = ids[:1]
    others = {"torch index and divide": lambda: bank[ids].float().div_(255)}
    race(views_forever(recipes["flip-crop"], bank, ids), others, work=1, unit="calls/s")
