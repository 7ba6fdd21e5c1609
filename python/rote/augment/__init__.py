"""Addressable augmentation: view(seed, image, view) -> pixels, fused, batched, the same bits everywhere.

Example:
    >>> import torch
    >>> from rote.augment import recipes
    >>> images = torch.zeros(100, 3, 32, 32, dtype=torch.uint8)
    >>> recipes["benign-full"](images, torch.arange(4), torch.tensor([7, 7, 7, 7]), seed=1).shape
    torch.Size([4, 3, 32, 32])
"""

from __future__ import annotations

from rote.augment.affine import RandomAffine, RandomRotation
from rote.augment.blur import GaussianBlur, Sharpness
from rote.augment.cardinality import Cardinality
from rote.augment.collate import Collate
from rote.augment.color import ColorJitter, Grayscale, Normalize
from rote.augment.crops import CenterCrop, RandomCrop
from rote.augment.erasing import Cutout, RandomErasing
from rote.augment.flips import AlternatingFlip, HorizontalFlip, VerticalFlip
from rote.augment.mixing import CutMix, MixUp
from rote.augment.named import pairs, recipes, strength
from rote.augment.noise import GaussianNoise
from rote.augment.operation import Operation
from rote.augment.rand_augment import RandAugment
from rote.augment.recipe import Recipe
from rote.augment.resizing import RandomResizedCrop, Resize
from rote.augment.steps import LabelledStep, Step
from rote.augment.tone import AutoContrast, Equalize, Invert, Posterize, Solarize
from rote.augment.transform import Transform
from rote.augment.views import Views

__all__ = [
    "AlternatingFlip",
    "AutoContrast",
    "Cardinality",
    "CenterCrop",
    "Collate",
    "ColorJitter",
    "CutMix",
    "Cutout",
    "Equalize",
    "GaussianBlur",
    "GaussianNoise",
    "Grayscale",
    "HorizontalFlip",
    "Invert",
    "LabelledStep",
    "MixUp",
    "Normalize",
    "Operation",
    "Posterize",
    "RandAugment",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomResizedCrop",
    "RandomRotation",
    "Recipe",
    "Resize",
    "Sharpness",
    "Solarize",
    "Step",
    "Transform",
    "VerticalFlip",
    "Views",
    "pairs",
    "recipes",
    "strength",
]
