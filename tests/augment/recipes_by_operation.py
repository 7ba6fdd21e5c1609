"""A recipe for each operation, alone or with what it needs, at arguments that use all of it; and the named ones.

All render 64 images of 32 px (tests/augment/million.py), at 44 px or less.
"""

from __future__ import annotations

from rote.augment import (
    AlternatingFlip,
    AutoContrast,
    CenterCrop,
    ColorJitter,
    CutMix,
    Cutout,
    Equalize,
    GaussianBlur,
    GaussianNoise,
    Grayscale,
    HorizontalFlip,
    Invert,
    MixUp,
    Posterize,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    Resize,
    Sharpness,
    Solarize,
    VerticalFlip,
    recipes,
)

CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
_SOURCE = RandomResizedCrop((0.3, 1.0))  # so that operations meet more values than those of bytes

BY_OPERATION: dict[str, Recipe] = {
    "random_resized_crop": Recipe(RandomResizedCrop((0.05, 1.0), (0.5, 2.0)), size=(24, 40)),
    "random_resized_crop bicubic": Recipe(RandomResizedCrop((0.1, 1.0), interpolation="bicubic"), size=24),
    "random_resized_crop nearest": Recipe(RandomResizedCrop((0.1, 1.0), interpolation="nearest"), size=20),
    "random_crop": Recipe(RandomCrop(6, "symmetric"), size=(36, 20)),
    "horizontal_flip": Recipe(HorizontalFlip()),
    "vertical_flip": Recipe(VerticalFlip()),
    "alternating_flip": Recipe(AlternatingFlip()),
    "resize, center_crop": Recipe(Resize((20, 44)), CenterCrop(24), size=24),
    "random_affine nearest": Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), (-20, 20, -10, 10), fill=0.4)),
    "random_affine bilinear": Recipe(RandomAffine(180, (0.2, 0.1), (0.6, 1.6), 20, "bilinear", fill=0.4)),
    "random_rotation": Recipe(RandomRotation(180, "bilinear", fill=0.3)),
    "color_jitter": Recipe(ColorJitter(0.8, 0.8, 0.8, 0.5, p=0.9)),
    "grayscale": Recipe(Grayscale(p=0.5)),
    "normalize": Recipe(**CIFAR),
    "gaussian_blur": Recipe(_SOURCE, GaussianBlur((5, 3), (0.1, 2.0), p=0.8)),
    "solarize, posterize, invert": Recipe(_SOURCE, Solarize(0.4), Posterize(3), Invert()),
    "sharpness": Recipe(_SOURCE, Sharpness((0.0, 3.0), p=0.8)),
    "auto_contrast": Recipe(_SOURCE, AutoContrast(p=0.8)),
    "equalize": Recipe(_SOURCE, Equalize(p=0.8)),
    "rand_augment": Recipe(RandAugment(3, 20, interpolation="bilinear", fill=0.2)),
    "random_erasing": Recipe(RandomErasing(0.9, value=(0.1, 0.5, 0.9))),
    "random_erasing noise": Recipe(RandomErasing(0.9, value="random"), **CIFAR),
    "cutout": Recipe(Cutout((9, 12), inside=False, value=0.5)),
    "gaussian_noise": Recipe(GaussianNoise(sigma=0.1)),
    "mixup": Recipe(HorizontalFlip(), MixUp(0.4), partners=64),
    "cutmix": Recipe(RandomCrop(4, "reflect"), CutMix(1.0), partners=64),
    "everything in a row": Recipe(
        RandomResizedCrop((0.3, 1.0)),
        HorizontalFlip(),
        RandomAffine(20, (0.1, 0.1), interpolation="bilinear"),
        ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8),
        Grayscale(0.2),
        GaussianBlur(3, (0.1, 2.0), p=0.5),
        Solarize(0.5, p=0.2),
        AutoContrast(p=0.2),
        Equalize(p=0.2),
        GaussianNoise(sigma=0.05, p=0.5),
        MixUp(1.0, p=0.5),
        Cutout(8, p=0.5),
        size=28,
        partners=64,
        **CIFAR,
    ),
}

#: Named recipes for ImageNet end at 32 px here.
NAMED: dict[str, Recipe] = {
    **{name: recipe.at(32) if recipe.size == (224, 224) else recipe for name, recipe in recipes.items()},
    "strength-0.9": recipes["strength-0.9"],
}
