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
from rote.augment.color import ColorJitter, Grayscale, Normalize
from rote.augment.crops import CenterCrop, RandomCrop
from rote.augment.flips import AlternatingFlip, HorizontalFlip, VerticalFlip
from rote.augment.named import recipes
from rote.augment.operation import Operation
from rote.augment.recipe import Recipe
from rote.augment.resizing import RandomResizedCrop, Resize

__all__ = [
    "AlternatingFlip",
    "CenterCrop",
    "ColorJitter",
    "Grayscale",
    "HorizontalFlip",
    "Normalize",
    "Operation",
    "RandomAffine",
    "RandomCrop",
    "RandomResizedCrop",
    "RandomRotation",
    "Recipe",
    "Resize",
    "VerticalFlip",
    "recipes",
]
