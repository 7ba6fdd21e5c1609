"""The same rows through torchvision v2's functionals on float32."""

from __future__ import annotations

import pytest
import torch

from .oracle import operations_with_parameters

# A torchvision wheel for CUDA cannot load its operators beside a CPU torch; importing it needs their schemas only.
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_library = None


def import_torchvision():
    """torchvision.transforms.v2, or a skipped test."""
    global _library
    try:
        import torchvision.transforms.v2 as v2
    except RuntimeError:
        _library = torch.library.Library("torchvision", "DEF")
        for schema in SCHEMAS:
            _library.define(schema)
        v2 = pytest.importorskip("torchvision.transforms.v2")
    except ImportError:
        pytest.skip("torchvision is not installed")
    return v2


def render(recipe, image: torch.Tensor, row: dict, size: tuple[int, int]) -> torch.Tensor:
    """float32 [C, h, w] of a uint8 image [C, H, W] under one parameter row."""
    F = import_torchvision().functional
    x = image.float() / 255
    for operation, p in operations_with_parameters(recipe, row):
        x = APPLY[operation.kind](F, operation, x, p, size)
    return x


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
        interpolation=import_torchvision().InterpolationMode(operation.interpolation),
        fill=operation.fill,
    )


def _jitter(F, operation, x, p, size):
    if not p["applied"]:
        return x
    steps = (
        lambda x: F.adjust_brightness(x, p["brightness"]),
        lambda x: F.adjust_contrast(x, p["contrast"]),
        lambda x: F.adjust_saturation(x, p["saturation"]),
        lambda x: F.adjust_hue(x, p["hue"]),
    )
    for which in p["order"]:
        x = steps[which](x)
    return x


def _grayscale(F, operation, x, p, size):
    return F.rgb_to_grayscale(x, num_output_channels=len(x)) if p["applied"] else x


def _normalize(F, operation, x, p, size):
    return F.normalize(x, list(operation.mean[: len(x)]), list(operation.std[: len(x)]))


APPLY = {
    "random_resized_crop": _resized_crop,
    "random_crop": _random_crop,
    "horizontal_flip": _flip,
    "random_affine": _affine,
    "color_jitter": _jitter,
    "grayscale": _grayscale,
    "normalize": _normalize,
}
