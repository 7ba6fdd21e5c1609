"""Crops, flips and affine maps by torchvision v2."""

from __future__ import annotations


def _resized_crop(F, operation, x, p, size):
    box = [p[name] for name in ("top", "left", "height", "width")]
    return F.resized_crop(x, *box, list(size), operation.interpolation, operation.antialias)


def _resize(F, operation, x, p, size):
    if operation.size is not None:
        size = [operation.size] if isinstance(operation.size, int) else operation.size
    return F.resize(x, list(size), operation.interpolation, antialias=operation.antialias)


def _random_crop(F, operation, x, p, size):
    fill = operation.fill if operation.padding_mode == "constant" else None
    x = F.pad(x, [operation.padding] * 4, fill=fill, padding_mode=operation.padding_mode)
    return F.crop(x, p["top"], p["left"], *size)


def _flip(F, operation, x, p, size):
    return F.horizontal_flip(x) if p["applied"] else x


def _center_crop(F, operation, x, p, size):
    return F.center_crop(x, list(operation.size or size))


def _vertical_flip(F, operation, x, p, size):
    return F.vertical_flip(x) if p["applied"] else x


def _rotation(F, operation, x, p, size):
    return F.rotate(x, p["angle"], F.InterpolationMode(operation.interpolation), fill=operation.fill)


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
    "resize": _resize,
    "random_crop": _random_crop,
    "center_crop": _center_crop,
    "horizontal_flip": _flip,
    "alternating_flip": _flip,
    "vertical_flip": _vertical_flip,
    "random_rotation": _rotation,
    "random_affine": _affine,
}
