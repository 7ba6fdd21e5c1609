"""Named recipes: the papers' policies and milder ones, each with its source.

`recipes[name]` is a recipe; `recipes["strength-0.5"]` one on the papers' dial of strength; `pairs[name]` are recipes
for two views of an image in one call. All end at the images' own size but those whose source fixes one; `.at(size)`
changes it. Sources resample and recolour bytes; here pixels are float32 between the operations
(docs/augment-semantics.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rote.augment.affine import RandomAffine
from rote.augment.blur import GaussianBlur
from rote.augment.color import ColorJitter, Grayscale, Normalize
from rote.augment.crops import CenterCrop, RandomCrop
from rote.augment.erasing import Cutout, RandomErasing
from rote.augment.flips import AlternatingFlip, HorizontalFlip, VerticalFlip
from rote.augment.operation import Operation
from rote.augment.rand_augment import RandAugment
from rote.augment.recipe import Recipe
from rote.augment.resizing import RandomResizedCrop
from rote.augment.tone import Solarize
from rote.augment.views import Views

__all__ = ["pairs", "recipes", "strength"]

CIFAR = Normalize(mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616))
IMAGENET = Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))

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

# The Curious Case of Benign Memorization (arXiv 2210.14019): the policies of its released code, in that code's order
# and by its names. Inputs stay in [0, 1], without normalization. Its "none" is NONE.
_CROP = RandomResizedCrop(scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3))
_TURN_AND_SHIFT = RandomAffine(degrees=(0.0, 180.0), translate=(0.2, 0.2), interpolation="nearest")
_JITTER = ColorJitter(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, p=0.8)

BENIGN_FULL = Recipe(_CROP, HorizontalFlip(p=0.5), _JITTER, Grayscale(p=0.2))
BENIGN_ISOMETRY = Recipe(HorizontalFlip(p=0.5), _TURN_AND_SHIFT)
BENIGN_FULL_ROTATIONS = Recipe(_CROP, HorizontalFlip(p=0.5), _TURN_AND_SHIFT, _JITTER, Grayscale(p=0.2))
BENIGN_MOST_DIFFICULT = Recipe(
    _CROP,
    HorizontalFlip(p=0.5),
    VerticalFlip(p=0.5),
    _TURN_AND_SHIFT,
    _JITTER,
    GaussianBlur(kernel_size=3, sigma=(0.1, 2.0), p=0.3),
    Grayscale(p=0.2),
    RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0.0),
)
#: Its RandAugment picks from 16 operations of its own on bytes (with inversion, cutout and shifts of up to 47 pixels);
#: this is torchvision's at the same magnitude, 14 of 30, then the zero-padded crop and the flip of that code.
BENIGN_MYRANDAUGMENT = Recipe(
    RandAugment(num_ops=2, magnitude=14, num_magnitude_bins=31),
    RandomCrop(padding=4, padding_mode="constant"),
    HorizontalFlip(p=0.5),
)

#: Milder crops and colours and no grayscale: a small network memorizes 512 CIFAR-10 images under it, with their views,
#: in minutes on two cores (with grayscale and jitter 0.4 it still missed a seventh of fresh views after 3,600 steps).
BENIGN_MILD = Recipe(
    RandomResizedCrop(scale=(0.5, 1.0), ratio=(3 / 4, 4 / 3)),
    HorizontalFlip(p=0.5),
    ColorJitter(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.05, p=0.8),
)


def _contrastive(jitter: ColorJitter, *more: Operation, interpolation: str = "bicubic") -> tuple[Operation, ...]:
    crop = RandomResizedCrop(scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3), interpolation=interpolation)
    return (crop, HorizontalFlip(p=0.5), jitter, Grayscale(p=0.2), *more)


# SimCLR (arXiv 2002.05709, appendix A, and the CIFAR-10 command of its released code): jitter of strength 0.5 and no
# blur on CIFAR-10; strength 1 and a blur of a tenth of the side, odd, for half of the images at 224 px. Inputs lie in
# [0, 1]; crops are bicubic and, in floats, overshoot that a little beside edges, where its code clips.
SIMCLR_CIFAR = Recipe(*_contrastive(ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8)))
SIMCLR_IMAGENET = Recipe(
    *_contrastive(ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8), GaussianBlur(23, (0.1, 2.0), p=0.5)), size=224
)

# BYOL (arXiv 2006.07733, appendix B, table 6): two views of different chains, the first always blurred, the second
# seldom, and solarized now and then.
_BYOL_JITTER = ColorJitter(0.4, 0.4, 0.2, 0.1, p=0.8)
BYOL_1 = Recipe(*_contrastive(_BYOL_JITTER, GaussianBlur(23, (0.1, 2.0), p=1.0)), IMAGENET, size=224)
BYOL_2 = Recipe(
    *_contrastive(_BYOL_JITTER, GaussianBlur(23, (0.1, 2.0), p=0.1), Solarize(0.5, p=0.2)), IMAGENET, size=224
)
#: The same for CIFAR as solo-learn has it: no blur.
BYOL_CIFAR_1 = Recipe(*_contrastive(_BYOL_JITTER), CIFAR)
BYOL_CIFAR_2 = Recipe(*_contrastive(_BYOL_JITTER, Solarize(0.5, p=0.2)), CIFAR)

# CIFAR-10 speed runs (arXiv 2404.00498; the released airbench94 and airbench96): the flip alternates with the epoch,
# which is the view number here; translation in a reflected border; cutout wholly inside, filled with the mean.
AIRBENCH94 = Recipe(AlternatingFlip(), RandomCrop(padding=2, padding_mode="reflect"), CIFAR)
AIRBENCH96 = Recipe(AlternatingFlip(), RandomCrop(padding=4, padding_mode="reflect"), CIFAR, Cutout(12, inside=True))

# Understanding deep learning requires rethinking generalization (arXiv 1611.03530): the middle 28 x 28 pixels, or a
# random 28 x 28 window where it augments. It then whitens each image, (x - mean) / max(std, 1 / sqrt(values)), which is
# no operation here: pixels stay in [0, 1].
ZHANG = Recipe(CenterCrop(28), size=28)
ZHANG_RANDOM_CROP = Recipe(RandomCrop(), size=28)
#: The first author's demonstration code (fitting-random-labels): whole images, one mean and deviation per channel.
ZHANG_DEMO = Recipe(mean=tuple(v / 255 for v in (125.3, 123.0, 113.9)), std=tuple(v / 255 for v in (63.0, 62.1, 66.7)))
#: A Closer Look at Memorization (arXiv 1706.05394), its CNNs: two pixels cut from every side of CIFAR-10; no more is
#: stated.
ARPIT = Recipe(CenterCrop(28), size=28)


def strength(s: float) -> Recipe:
    """The papers' dial of augmentation strength, s in [0, 1]: RandAugment alone, of more operations and larger steps.

    floor(10 s / 3) + 1 operations at magnitude min(floor(100 s), 99) of 100 bins, as in the code of arXiv 2210.14019.

    Raises:
        TypeError, ValueError: s is no number in [0, 1].

    Example:
        >>> strength(0.5).operations[0].num_ops, strength(0.5).operations[0].magnitude
        (2, 50)
    """
    return Recipe(RandAugment.strength(s))


class NamedRecipes(Mapping[str, Recipe]):
    """A read-only mapping whose KeyError lists the names there are; it knows "strength-<number>" as well."""

    def __init__(self, **by_name: Recipe) -> None:
        self._by_name = {name.replace("_", "-"): recipe for name, recipe in by_name.items()}

    def __getitem__(self, name: str) -> Recipe:
        if name in self._by_name:
            return self._by_name[name]
        try:
            if isinstance(name, str) and name.startswith("strength-"):
                return strength(float(name.removeprefix("strength-")))
        except ValueError:
            raise KeyError(f"recipe: wanted strength-<number in [0, 1]>, got {name!r}") from None
        raise KeyError(f"recipe: wanted one of {', '.join(self)}, strength-<number in [0, 1]>, got {name!r}")

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
    benign_isometry=BENIGN_ISOMETRY,
    benign_full_rotations=BENIGN_FULL_ROTATIONS,
    benign_most_difficult=BENIGN_MOST_DIFFICULT,
    benign_myrandaugment=BENIGN_MYRANDAUGMENT,
    simclr_cifar=SIMCLR_CIFAR,
    simclr_imagenet=SIMCLR_IMAGENET,
    byol_1=BYOL_1,
    byol_2=BYOL_2,
    byol_cifar_1=BYOL_CIFAR_1,
    byol_cifar_2=BYOL_CIFAR_2,
    airbench94=AIRBENCH94,
    airbench96=AIRBENCH96,
    zhang=ZHANG,
    zhang_random_crop=ZHANG_RANDOM_CROP,
    zhang_demo=ZHANG_DEMO,
    arpit=ARPIT,
)

#: Recipes for two views of an image in one call, by name.
pairs: dict[str, Views] = {"byol": Views(BYOL_1, BYOL_2), "byol-cifar": Views(BYOL_CIFAR_1, BYOL_CIFAR_2)}
