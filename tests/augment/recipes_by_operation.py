"""A recipe for each operation, alone or with what it needs, at arguments that use all of it."""

from __future__ import annotations

from rote.augment import (
    ColorJitter,
    Grayscale,
    HorizontalFlip,
    RandomAffine,
    RandomCrop,
    RandomResizedCrop,
    Recipe,
)

CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}

BY_OPERATION: dict[str, Recipe] = {
    "random_resized_crop": Recipe(RandomResizedCrop((0.05, 1.0), (0.5, 2.0)), size=(24, 40)),
    "random_crop": Recipe(RandomCrop(6, "symmetric"), size=(36, 20)),
    "horizontal_flip": Recipe(HorizontalFlip()),
    "random_affine nearest": Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), (-20, 20, -10, 10), fill=0.4)),
    "random_affine bilinear": Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), 20, "bilinear", fill=0.4)),
    "color_jitter": Recipe(ColorJitter(0.8, 0.8, 0.8, 0.5, p=0.9)),
    "grayscale": Recipe(Grayscale(p=0.5)),
    "normalize": Recipe(**CIFAR),
}
