"""Blur, sharpness, tone operations and RandAugment by torchvision v2."""

from __future__ import annotations

from ..oracle.rand_augment import NAMES, places


def _if_applied(change):
    return lambda F, operation, x, p, size: change(F, operation, x, p) if p["applied"] else x


def apply_one(operation, x, number, magnitude):
    """One operation of torchvision's own RandAugment, which has no functional of its own."""
    from torchvision.transforms.v2 import RandAugment

    theirs = RandAugment(interpolation=operation.interpolation, fill=operation.fill)
    name = NAMES[number].title().replace("_", "")
    return theirs._apply_image_or_video_transform(x, name, magnitude, theirs.interpolation, theirs._fill)


def _rand_augment(F, operation, x, p, size):
    for number, magnitude in places(operation, p):
        x = apply_one(operation, x, number, magnitude)
    return x


APPLY = {
    "gaussian_blur": _if_applied(lambda F, o, x, p: F.gaussian_blur(x, list(o.kernel_size), p["sigma"])),
    "sharpness": _if_applied(lambda F, o, x, p: F.adjust_sharpness(x, p["factor"])),
    "solarize": _if_applied(lambda F, o, x, p: F.solarize(x, o.threshold)),
    "posterize": _if_applied(lambda F, o, x, p: F.posterize(x, o.bits)),
    "invert": _if_applied(lambda F, o, x, p: F.invert(x)),
    "auto_contrast": _if_applied(lambda F, o, x, p: F.autocontrast(x)),
    "equalize": _if_applied(lambda F, o, x, p: F.equalize(x)),
    "rand_augment": _rand_augment,
}
