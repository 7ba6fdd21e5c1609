"""How far a rendered view may be from the truth: the published table, enforced by every comparison of pixels.

Integer-exact operations are exact. Resampling may be off by 4 · 2^-24 · max(H, W), no more than torch's own float32,
colour operations and chains of several by 2e-5. A chain has the tolerance of its worst operation, but at least CHAIN if
it has two inexact ones; a `Normalize` behind it divides it by the smallest std.
"""

from __future__ import annotations

from collections.abc import Callable

from rote.augment import Operation, Recipe

EXACT = 0.0
COLOUR = 2e-5
CHAIN = 2e-5
BLUR = 2e-6
ROUNDING = 2.0**-23  # of a difference or quotient of two exact pixels


#: Normal numbers up to 6.8 from float32 functions, times a sigma of at most 1; a sum of two products.
NOISE = 2e-6
MIXED = 2e-6


def resampled(operation: Operation, extent: int) -> float:
    return 4 * 2.0**-24 * extent


def resampled_unless_nearest(operation: Operation, extent: int) -> float:
    return EXACT if operation.interpolation == "nearest" else resampled(operation, extent)


def exact_unless_random(operation: Operation, extent: int) -> float:
    return NOISE if operation.value == "random" else EXACT


#: kind -> absolute tolerance on float32 pixels in [0, 1], or a function of (operation, largest extent in pixels).
BY_KIND: dict[str, float | Callable[[Operation, int], float]] = {
    "random_resized_crop": resampled_unless_nearest,
    "resize": resampled_unless_nearest,
    "random_crop": EXACT,
    "center_crop": EXACT,
    "horizontal_flip": EXACT,
    "vertical_flip": EXACT,
    "alternating_flip": EXACT,
    "random_affine": resampled_unless_nearest,
    "random_rotation": resampled_unless_nearest,
    "color_jitter": COLOUR,
    "grayscale": COLOUR,
    "normalize": COLOUR,
    "gaussian_blur": BLUR,
    "sharpness": BLUR,
    "solarize": ROUNDING,
    "posterize": EXACT,
    "invert": ROUNDING,
    "auto_contrast": COLOUR,
    "equalize": ROUNDING,
    "rand_augment": COLOUR,
    "random_erasing": exact_unless_random,
    "cutout": EXACT,
    "gaussian_noise": NOISE,
    "mixup": MIXED,
    "cutmix": EXACT,
}


def tolerance(recipe: Recipe, extent: int) -> float:
    """The tolerance of a recipe on images and views of at most `extent` pixels a side."""
    of_operations = [
        entry if isinstance(entry, float) else entry(operation, extent)
        for operation, entry in ((operation, BY_KIND[operation.kind]) for operation in recipe.operations)
    ]
    inexact = [value for value in of_operations if value > 0]
    worst = max(inexact, default=EXACT)
    if len(inexact) > 1:
        worst = max(worst, CHAIN)
    return worst / min((min(o.std) for o in recipe.operations if o.kind == "normalize"), default=1.0)
