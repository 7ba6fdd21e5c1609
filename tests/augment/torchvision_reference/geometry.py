"""Crops, flips and affine maps by torchvision v2."""

from __future__ import annotations


def _resized_crop(F, operation, x, p, size):
    return F.resized_crop(x, p["top"], p["left"], p["height"], p["width"], list(size), antialias=True)


def _random_crop(F, operation, x, p, size):
    fill = operation.fill if operation.padding_mode == "constant" else None
    x = F.pad(x, [operation.padding] * 4, fill=fill, padding_mode=operation.padding_mode)
    return F.crop(x, p["top"], p["left"], *size)


def _flip(F, operation, x, p, size):
    return F.horizontal_flip(x) if p["applied"] else x


def _affine(F, operation, x, p, size):
    return F.affine(
        x,
        angle=p["angle"],
        translate=[p["translate_x"], p["translate_y"]],
        scale=p["scale"],
        shear=[p["shear_x"], p["shear_y"]],
        interpolation=F.InterpolationMode(operation.interpolation),
        fill=operation.fill,
    )


APPLY = {
    "random_resized_crop": _resized_crop,
    "random_crop": _random_crop,
    "horizontal_flip": _flip,
    "random_affine": _affine,
}
