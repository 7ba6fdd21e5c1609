"""Named recipes: the papers' policies and milder ones. All end at the images' own size; `.at(size)` changes that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rote.augment.affine import RandomAffine
from rote.augment.color import ColorJitter, Grayscale
from rote.augment.crops import RandomCrop
from rote.augment.flips import HorizontalFlip
from rote.augment.recipe import Recipe
from rote.augment.resizing import RandomResizedCrop

__all__ = ["recipes"]

#: The images as they are, in [0, 1].
NONE = Recipe()

#: The usual CIFAR augmentation: reflect-pad by 4, crop, flip. 81 crops x 2 flips = 162 distinct views.
FLIP_CROP = Recipe(RandomCrop(padding=4, padding_mode="reflect"), HorizontalFlip(p=0.5))

#: For `digits` (16 px, light ink on a dark ground): translation, rotation, scale and colour, and no mirror image, for a
#: mirrored digit is another sign.
DIGITS = Recipe(
    RandomAffine(
        degrees=15.0,
        translate=(0.125, 0.125),
        scale=(0.85, 1.15),
        interpolation="bilinear",
    ),
    ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.5),
)

#: "full" of The Curious Case of Benign Memorization (arXiv 2210.14019), in its released code's order; inputs stay in
#: [0, 1], without normalization.
BENIGN_FULL = Recipe(
    RandomResizedCrop(scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3)),
    HorizontalFlip(p=0.5),
    ColorJitter(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, p=0.8),
    Grayscale(p=0.2),
)

#: Milder crops and colours and no grayscale: a small network memorizes 512 CIFAR-10 images under it, with their views,
#: in minutes on two cores (with grayscale and jitter 0.4 it still missed a seventh of fresh views after 3,600 steps).
BENIGN_MILD = Recipe(
    RandomResizedCrop(scale=(0.5, 1.0), ratio=(3 / 4, 4 / 3)),
    HorizontalFlip(p=0.5),
    ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.05, p=0.8),
)


class NamedRecipes(Mapping[str, Recipe]):
    """A read-only mapping whose KeyError lists the names there are."""

    def __init__(self, **by_name: Recipe) -> None:
        self._by_name = {name.replace("_", "-"): recipe for name, recipe in by_name.items()}

    def __getitem__(self, name: str) -> Recipe:
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"recipe: wanted one of {', '.join(self)}, got {name!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


recipes = NamedRecipes(
    none=NONE,
    flip_crop=FLIP_CROP,
    digits=DIGITS,
    benign_full=BENIGN_FULL,
    benign_mild=BENIGN_MILD,
)
