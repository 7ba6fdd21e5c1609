"""torchvision v2's functionals on float32 images and, rounding at every operation, on bytes."""

from __future__ import annotations

import torch

from benchmarks.augment.peers.torchvision_images import import_torchvision


def render_floats(name: str, images: torch.Tensor, rows: list[dict], size: tuple[int, int]) -> torch.Tensor | None:
    """float [N, C, h, w] in [0, 1] under one dict of parameters per image; None where it has no such operation."""
    return _render(name, [image.float() / 255 for image in images], rows, size)


def render_bytes(name: str, images: torch.Tensor, rows: list[dict], size: tuple[int, int]) -> torch.Tensor | None:
    """The same on uint8 images."""
    return _render(name, list(images), rows, size) / 255


def _render(name: str, images: list[torch.Tensor], rows: list[dict], size: tuple[int, int]) -> torch.Tensor | None:
    v2 = import_torchvision()
    F, top = v2.functional, 255 if images[0].dtype == torch.uint8 else 1.0
    bilinear = v2.InterpolationMode.BILINEAR
    functions = {
        "flip": lambda x, p: F.horizontal_flip(x) if p["applied"] else x,
        "reflect-padded crop": lambda x, p: F.crop(
            F.pad(x, [4] * 4, padding_mode="reflect"), p["top"], p["left"], *size
        ),
        "rotation, bilinear": lambda x, p: F.rotate(x, p["angle"], bilinear, fill=0.0),
        "brightness": lambda x, p: F.adjust_brightness(x, p["brightness"]),
        "contrast": lambda x, p: F.adjust_contrast(x, p["contrast"]),
        "saturation": lambda x, p: F.adjust_saturation(x, p["saturation"]),
        "hue": lambda x, p: F.adjust_hue(x, p["hue"]),
        "grey": lambda x, p: F.rgb_to_grayscale(x, 3),
        "blur 3 x 3": lambda x, p: F.gaussian_blur(x, [3, 3], [p["sigma"]] * 2),
        "sharpness": lambda x, p: F.adjust_sharpness(x, p["factor"]),
        "solarize": lambda x, p: F.solarize(x, 0.5 * top),
        "posterize to 4 bits": lambda x, p: F.posterize(x, 4),
        "auto-contrast": lambda x, p: F.autocontrast(x),
        "equalize": lambda x, p: F.equalize(x),
    }
    for crop in ("resized crop", "resized crop to half the size"):
        functions[crop] = lambda x, p: F.resized_crop(
            x, p["top"], p["left"], p["height"], p["width"], list(size), antialias=True
        )
    return torch.stack([functions[name](x, p).float() for x, p in zip(images, rows, strict=True)])
