"""Addressable augmentation: view(seed, image, view) -> pixels, fused, batched, the same bits everywhere.

Example:
    >>> import torch
    >>> from rote.augment import recipes
    >>> images = torch.zeros(100, 3, 32, 32, dtype=torch.uint8)
    >>> recipes["benign-full"](images, torch.arange(4), torch.tensor([7, 7, 7, 7]), seed=1).shape
    torch.Size([4, 3, 32, 32])
"""

from __future__ import annotations

from rote.augment.cardinality import Cardinality
from rote.augment.collate import Collate
from rote.augment.blur import GaussianBlur, Sharpness
from rote.augment.color import ColorJitter, Grayscale, Normalize
from rote.augment.erasing import Cutout, RandomErasing
from rote.augment.geometry import HorizontalFlip, RandomAffine, RandomCrop, RandomResizedCrop
from rote.augment.mixing import CutMix, MixUp
from rote.augment.named import recipes
from rote.augment.noise import GaussianNoise
from rote.augment.operation import Operation
from rote.augment.rand_augment import RandAugment
from rote.augment.recipe import Recipe
from rote.augment.steps import LabelledStep, Step
from rote.augment.transform import Transform
from rote.augment.views import Views

__all__ = [
    "Cardinality",
    "Collate",
    "ColorJitter",
    "CutMix",
    "Cutout",
    "GaussianNoise",
    "Grayscale",
    "HorizontalFlip",
    "LabelledStep",
    "MixUp",
from rote.augment.tone import AutoContrast, Equalize, Invert, Posterize, Solarize

__all__ = [
    "AutoContrast",
    "ColorJitter",
    "Equalize",
    "GaussianBlur",
    "Grayscale",
    "HorizontalFlip",
    "Invert",
    "Normalize",
    "Operation",
    "Posterize",
    "RandAugment",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomResizedCrop",
    "Recipe",
    "Step",
    "Transform",
    "Views",
    "Sharpness",
    "Solarize",
    "recipes",
]
