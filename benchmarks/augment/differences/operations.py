"""The operations that are compared, each as a recipe of ours that always acts."""

from __future__ import annotations

from rote.augment import (
    AutoContrast,
    ColorJitter,
    Equalize,
    GaussianBlur,
    Grayscale,
    HorizontalFlip,
    Posterize,
    RandomCrop,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    Sharpness,
    Solarize,
)

OPERATIONS: dict[str, Recipe] = {
    "flip": Recipe(HorizontalFlip(p=0.5)),
    "reflect-padded crop": Recipe(RandomCrop(4, "reflect")),
    "resized crop": Recipe(RandomResizedCrop((0.08, 1.0))),
    "resized crop to half the size": Recipe(RandomResizedCrop((0.5, 1.0)), size=16),
    "rotation, bilinear": Recipe(RandomRotation(30.0, "bilinear")),
    "brightness": Recipe(ColorJitter(brightness=0.8)),
    "contrast": Recipe(ColorJitter(contrast=0.8)),
    "saturation": Recipe(ColorJitter(saturation=0.8)),
    "hue": Recipe(ColorJitter(hue=0.2)),
    "grey": Recipe(Grayscale(p=1.0)),
    "blur 3 x 3": Recipe(GaussianBlur(3, (0.1, 2.0), p=1.0)),
    "sharpness": Recipe(Sharpness((0.1, 1.9), p=1.0)),
    "solarize": Recipe(Solarize(0.5, p=1.0)),
    "posterize to 4 bits": Recipe(Posterize(4, p=1.0)),
    "auto-contrast": Recipe(AutoContrast(p=1.0)),
    "equalize": Recipe(Equalize(p=1.0)),
}

#: Fields of ColorJitter by the row's name.
FACTORS = ("brightness", "contrast", "saturation", "hue")
